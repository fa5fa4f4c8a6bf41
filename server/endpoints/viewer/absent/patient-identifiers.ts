/** The identifiers by which a professional names a patient on a page: those of the region, as people call them. */
import type { Organization } from '@medplum/fhirtypes';
import { IDENTIFIER_SYSTEM } from '../../../../profiles/codes.ts';
import type { Region } from '../../../config/region-model.ts';
import type { Language } from '../../pages/language.ts';
import { ABSENT_TEXTS, filled } from './texts.ts';

/** One kind: its system, and the establishment that gives such numbers (undefined of a national one). */
export type PatientIdentifier = { readonly system: string; readonly establishment: string | undefined };

/** The kinds of a region, national ones first. */
export function patientIdentifiersOf({ qualifiedIdentifiers, identifierDomains, bundle }: Region): PatientIdentifier[] {
  const organizations = (bundle.entry ?? []).flatMap(({ resource }) =>
    resource?.resourceType === 'Organization' ? [resource as Organization] : [],
  );
  return [
    ...qualifiedIdentifiers.map((system) => ({ system, establishment: undefined })),
    ...identifierDomains.map(({ organization, patientIdSystem: system }) => ({
      system,
      establishment: organizations.find(({ id }) => `Organization/${id}` === organization)?.name ?? organization,
    })),
  ];
}

/** What a kind is called; a national system that has no name here is called by its URI. */
export function nameOfIdentifier({ system, establishment }: PatientIdentifier, language: Language): string {
  const texts = ABSENT_TEXTS[language];
  if (establishment !== undefined) return filled(texts.numberAt, { establishment }, language);
  switch (system) {
    case IDENTIFIER_SYSTEM.insNir:
      return texts.insNir;
    case IDENTIFIER_SYSTEM.insNia:
      return texts.insNia;
    case IDENTIFIER_SYSTEM.insNirTest:
    case IDENTIFIER_SYSTEM.insNirDemonstration:
      return texts.insTest;
    case IDENTIFIER_SYSTEM.matricule:
      return texts.matricule;
    default:
      return system;
  }
}
