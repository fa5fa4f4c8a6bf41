/** Where a document was made, as XDS asks: the kind of facility and of practice. */
import type { CodeableConcept, Coding, Organization } from '@medplum/fhirtypes';
import { CODE_SYSTEM } from '../codes.ts';

/** context.facilityType and .practiceSetting of a document: healthcareFacilityTypeCode and practiceSettingCode. */
export type CareSetting = { readonly facilityType: CodeableConcept; readonly practiceSetting: CodeableConcept };

const HOSPITAL = { system: CODE_SYSTEM.snomed, code: '22232009', display: 'Hospital' };
const RADIOLOGY = { system: CODE_SYSTEM.snomed, code: '394914008', display: 'Radiology' };

/** French sectors whose practice is ambulatory: health centre, single and group practices. All others are inpatient. */
const AMBULATORY_SECTORS: ReadonlySet<string> = new Set(['SA05', 'SA07', 'SA08', 'SA09']);

/**
 * Returns the care setting of an establishment. With a French activity sector (TRE_R02) among its types, the French
 * codes; else hospital and radiology in SNOMED CT, which XDS sources use by default.
 */
export function careSettingOf({ type = [] }: Organization): CareSetting {
  const sector = type.flatMap(({ coding = [] }) => coding).find(isSector);
  if (sector?.code === undefined) return toSetting(HOSPITAL, RADIOLOGY);
  const { code, display = code } = sector;
  const practice = AMBULATORY_SECTORS.has(code)
    ? { code: 'AMBULATOIRE', display: 'Ambulatoire' }
    : { code: 'ETABLISSEMENT', display: 'Etablissement de santé' };
  return toSetting(
    { system: CODE_SYSTEM.frActivitySector, code, display },
    { system: CODE_SYSTEM.frPracticeSetting, ...practice },
  );
}

function isSector({ system }: Coding): boolean {
  return system === CODE_SYSTEM.frActivitySector || system === CODE_SYSTEM.frActivitySectorNos;
}

function toSetting(facility: Coding, practice: Coding): CareSetting {
  return { facilityType: { coding: [facility] }, practiceSetting: { coding: [practice] } };
}
