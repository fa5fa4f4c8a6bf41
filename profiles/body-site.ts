/** BodyPartExamined and Laterality as SNOMED CT. @see DICOM PS3.16 Annex L, CID 244 */
import type { Coding } from '@medplum/fhirtypes';
import { CODE_SYSTEM } from './codes.ts';

const BODY_PARTS: Readonly<Record<string, readonly [code: string, display: string]>> = {
  ABDOMEN: ['818981001', 'Abdomen'],
  ABDOMENPELVIS: ['818982008', 'Abdomen and Pelvis'],
  BRAIN: ['12738006', 'Brain'],
  BREAST: ['76752008', 'Breast'],
  CHEST: ['816094009', 'Chest'],
  CHESTABDOMEN: ['416550000', 'Chest and Abdomen'],
  CHESTABDPELVIS: ['416775004', 'Chest, Abdomen and Pelvis'],
  CSPINE: ['122494005', 'Cervical spine'],
  FOOT: ['56459004', 'Foot'],
  HAND: ['85562004', 'Hand'],
  HEAD: ['69536005', 'Head'],
  HEADNECK: ['774007', 'Head and Neck'],
  HEART: ['80891009', 'Heart'],
  KNEE: ['72696002', 'Knee'],
  LIVER: ['10200004', 'Liver'],
  NECK: ['45048000', 'Neck'],
  PELVIS: ['816092008', 'Pelvis'],
  SHOULDER: ['16982005', 'Shoulder'],
  WHOLEBODY: ['38266002', 'Entire body'],
};

const LATERALITIES: Readonly<Record<string, readonly [code: string, display: string]>> = {
  L: ['7771000', 'Left'],
  R: ['24028007', 'Right'],
};

/** Returns the code of a body part; a term that has none here stays as the device wrote it, in `display`. */
export function bodySiteOf(bodyPartExamined: string): Coding {
  return toCoding(BODY_PARTS, bodyPartExamined) ?? { display: bodyPartExamined };
}

/** Returns the code of a side, L or R; undefined for any other value. */
export function lateralityOf(laterality: string): Coding | undefined {
  return toCoding(LATERALITIES, laterality);
}

function toCoding(table: typeof BODY_PARTS, term: string): Coding | undefined {
  const [code, display] = (Object.hasOwn(table, term) ? table[term] : undefined) ?? [];
  return code === undefined || display === undefined ? undefined : { system: CODE_SYSTEM.snomed, code, display };
}
