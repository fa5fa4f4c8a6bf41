/** What a document of imaging says of its studies: related identifiers and modalities. @see ITI TF-3 4.2.3.2.28 */
import type { CodeableConcept, Identifier, ImagingStudy, Reference } from '@medplum/fhirtypes';
import { IDENTIFIER_SYSTEM, REFERENCE_ID_TYPE } from '../codes.ts';
import { accessionIdentifier, isAccession, studyIdentifier, studyInstanceUIDOf } from '../imaging/identifiers.ts';

/**
 * Returns one related reference for each Study Instance UID and each Accession Number of the studies, then of the
 * further identifiers, without repetition. Identifiers of other kinds are passed over.
 */
export function relatedOf(studies: readonly ImagingStudy[], identifiers: readonly Identifier[] = []): Reference[] {
  const related = new Map<string, Reference>();
  const add = (reference: Reference | undefined): void => {
    const key = `${reference?.identifier?.system}|${reference?.identifier?.value}`;
    if (reference !== undefined && !related.has(key)) related.set(key, reference);
  };
  for (const study of studies) {
    for (const identifier of study.identifier ?? []) add(toRelated(identifier, study.id));
  }
  for (const identifier of identifiers) add(toRelated(identifier));
  return [...related.values()];
}

/** Returns the modalities of studies as events (eventCodeList), without repetition. */
export function modalityEvents(studies: readonly ImagingStudy[]): CodeableConcept[] {
  const codings = studies.flatMap(({ modality = [] }) => modality);
  return [...new Map(codings.map((coding) => [`${coding.system}|${coding.code}`, coding])).values()].map((coding) => ({
    coding: [coding],
  }));
}

function toRelated(identifier: Identifier, studyId?: string): Reference | undefined {
  const studyInstanceUID = studyInstanceUIDOf(identifier);
  if (studyInstanceUID !== undefined) {
    const study = withReferenceType(studyIdentifier(studyInstanceUID), REFERENCE_ID_TYPE.studyInstanceUID);
    return {
      ...(studyId !== undefined && { reference: `ImagingStudy/${studyId}` }),
      type: 'ImagingStudy',
      identifier: study,
    };
  }
  const { system, value } = identifier;
  if (!isAccession(identifier) || system === undefined || value === undefined) return undefined;
  const accession = withReferenceType(accessionIdentifier({ system, value }), REFERENCE_ID_TYPE.accession);
  return { type: 'ServiceRequest', identifier: accession };
}

function withReferenceType(identifier: Identifier, code: string): Identifier {
  return {
    ...identifier,
    type: { coding: [{ system: IDENTIFIER_SYSTEM.uri, code }, ...(identifier.type?.coding ?? [])] },
  };
}
