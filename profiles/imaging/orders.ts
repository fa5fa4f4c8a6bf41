/**
 * What an image says of the orders it answers: their numbers, procedures and reasons. @see DICOM PS3.3 table 10-9,
 * C.7.2.1
 */
import type { CodeableConcept, Identifier } from '@medplum/fhirtypes';
import { TAG } from '../dicom/attributes.ts';
import { conceptsOf, withoutRepeats } from '../dicom/coded-entry.ts';
import { issuerSystemOf } from '../dicom/issuer.ts';
import { jsonIdentifier, jsonItems, jsonTexts, MAX_VALUES } from '../dicom/json/values.ts';
import type { DicomJson } from '../dicom/json/json.ts';
import { accessionIdentifier } from './identifiers.ts';

/** Who numbers the orders of an image that names no issuer. */
export type OrderIssuer = {
  /** `Organization/id` of the establishment. */
  readonly organization: string;
  /** System (URI) of its accession numbers. */
  readonly accessionSystem: string;
};

/**
 * Returns the accession numbers of a study, each once, in the order of its headers. A study of several orders names
 * each in RequestAttributesSequence, an evidence document in ReferencedRequestSequence. A number that is named without
 * issuer in one place and with it in another is the latter.
 */
export function accessionsOf(headers: readonly DicomJson[], issuer: OrderIssuer): Identifier[] {
  const named = headers.flatMap((header) => [header, ...requestsOf(header)]).flatMap(accessionOf);
  const issued = new Set(named.flatMap(({ system, value }) => (system === undefined ? [] : [value])));
  const identifiers = named
    .filter(({ system, value }) => system !== undefined || !issued.has(value))
    .map(({ system = issuer.accessionSystem, value }) => {
      const identifier = accessionIdentifier({ system, value });
      return system === issuer.accessionSystem
        ? { ...identifier, assigner: { reference: issuer.organization } }
        : identifier;
    });
  return withoutRepeats(identifiers).slice(0, MAX_VALUES);
}

/**
 * Returns the procedures of an image: those performed, else those requested, else how the request describes them;
 * undefined when it says none.
 */
export function proceduresOf(header: DicomJson): CodeableConcept[] | undefined {
  const within = [header, ...requestsOf(header)];
  const performed = conceptsOf(header, TAG.ProcedureCodeSequence);
  const requested = within.flatMap((one) => conceptsOf(one, TAG.RequestedProcedureCodeSequence, header));
  const described = within
    .flatMap((one) => jsonTexts(one, TAG.RequestedProcedureDescription))
    .map((text) => ({ text }));
  return [performed, requested, described].map(bounded).find((concepts) => concepts.length > 0);
}

/** Returns the reasons of an image's procedures, coded ones first; undefined when it says none. */
export function reasonsOf(header: DicomJson): CodeableConcept[] | undefined {
  const within = [header, ...requestsOf(header)];
  const coded = [
    ...within.flatMap((one) => conceptsOf(one, TAG.ReasonForRequestedProcedureCodeSequence, header)),
    ...conceptsOf(header, TAG.ReasonForPerformedProcedureCodeSequence),
  ];
  const told = within.flatMap((one) => jsonTexts(one, TAG.ReasonForTheRequestedProcedure)).map((text) => ({ text }));
  const reasons = bounded([...coded, ...told.filter(({ text }) => !coded.some((concept) => concept.text === text))]);
  return reasons.length === 0 ? undefined : reasons;
}

function requestsOf(header: DicomJson): DicomJson[] {
  return [...jsonItems(header, TAG.RequestAttributesSequence), ...jsonItems(header, TAG.ReferencedRequestSequence)];
}

function accessionOf(item: DicomJson): { readonly system: string | undefined; readonly value: string }[] {
  const value = jsonIdentifier(item, TAG.AccessionNumber);
  return value === undefined ? [] : [{ system: issuerSystemOf(item, TAG.IssuerOfAccessionNumberSequence), value }];
}

function bounded(concepts: readonly CodeableConcept[]): CodeableConcept[] {
  return withoutRepeats(concepts).slice(0, MAX_VALUES);
}
