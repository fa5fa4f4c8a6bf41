/**
 * Where on the body, as SNOMED CT: AnatomicRegionSequence, BodyPartExamined, Laterality. @see DICOM PS3.16 Annex L, CID
 * 244
 */
import type { Coding } from '@medplum/fhirtypes';
import { CODE_SYSTEM } from '../codes.ts';
import { TAG } from '../dicom/attributes.ts';
import { conceptsOf } from '../dicom/coded-entry.ts';
import type { DicomJson } from '../dicom/json/json.ts';
import { jsonText } from '../dicom/json/values.ts';

/** By the defined terms of BodyPartExamined: code and meaning. */
const BODY_PARTS: Readonly<Record<string, readonly [code: string, display: string]>> = {
  ABDOMEN: ['818981001', 'Abdomen'],
  ABDOMENPELVIS: ['818982008', 'Abdomen and Pelvis'],
  ACJOINT: ['85856004', 'Acromioclavicular joint'],
  ADRENAL: ['23451007', 'Adrenal gland'],
  ANKLE: ['70258002', 'Ankle joint'],
  ANUS: ['53505006', 'Anus'],
  AORTA: ['15825003', 'Aorta'],
  ARM: ['40983000', 'Upper arm'],
  AXILLA: ['91470000', 'Axilla'],
  BACK: ['77568009', 'Back'],
  BILEDUCT: ['28273000', 'Bile duct'],
  BLADDER: ['89837001', 'Bladder'],
  BRAIN: ['12738006', 'Brain'],
  BREAST: ['76752008', 'Breast'],
  BRONCHUS: ['955009', 'Bronchus'],
  BUTTOCK: ['46862004', 'Buttock'],
  CALCANEUS: ['80144004', 'Calcaneus'],
  CALF: ['53840002', 'Calf of leg'],
  CAROTID: ['69105007', 'Carotid artery'],
  CEREBELLUM: ['113305005', 'Cerebellum'],
  CHEST: ['816094009', 'Chest'],
  CHESTABDOMEN: ['416550000', 'Chest and Abdomen'],
  CHESTABDPELVIS: ['416775004', 'Chest, Abdomen and Pelvis'],
  CLAVICLE: ['51299004', 'Clavicle'],
  COCCYX: ['64688005', 'Coccyx'],
  COLON: ['71854001', 'Colon'],
  CORONARYARTERY: ['41801008', 'Coronary artery'],
  CSPINE: ['122494005', 'Cervical spine'],
  CTSPINE: ['1217257000', 'Cervico-thoracic spine'],
  DUODENUM: ['38848004', 'Duodenum'],
  EAR: ['117590005', 'Ear'],
  ELBOW: ['16953009', 'Elbow joint'],
  ESOPHAGUS: ['32849002', 'Esophagus'],
  EXTREMITY: ['66019005', 'Extremity'],
  EYE: ['81745001', 'Eye'],
  FACE: ['89545001', 'Face'],
  FEMUR: ['71341001', 'Femur'],
  FIBULA: ['87342007', 'Fibula'],
  FINGER: ['7569003', 'Finger'],
  FOOT: ['56459004', 'Foot'],
  FOREARM: ['14975008', 'Forearm'],
  GALLBLADDER: ['28231008', 'Gallbladder'],
  HAND: ['85562004', 'Hand'],
  HEAD: ['69536005', 'Head'],
  HEADNECK: ['774007', 'Head and Neck'],
  HEART: ['80891009', 'Heart'],
  HIP: ['24136001', 'Hip joint'],
  HUMERUS: ['85050009', 'Humerus'],
  IAC: ['361078006', 'Internal Auditory Canal'],
  ILEUM: ['34516001', 'Ileum'],
  ILIUM: ['22356005', 'Ilium'],
  JAW: ['661005', 'Jaw region'],
  JEJUNUM: ['21306003', 'Jejunum'],
  KIDNEY: ['64033007', 'Kidney'],
  KNEE: ['72696002', 'Knee'],
  LARYNX: ['4596009', 'Larynx'],
  LEG: ['30021000', 'Lower leg'],
  LIVER: ['10200004', 'Liver'],
  LSPINE: ['122496007', 'Lumbar spine'],
  LSSPINE: ['1217253001', 'Lumbo-sacral spine'],
  LUNG: ['39607008', 'Lung'],
  MANDIBLE: ['91609006', 'Mandible'],
  MAXILLA: ['70925003', 'Maxilla'],
  MEDIASTINUM: ['72410000', 'Mediastinum'],
  MOUTH: ['123851003', 'Mouth'],
  NECK: ['45048000', 'Neck'],
  NECKCHEST: ['417437006', 'Neck and Chest'],
  NECKCHESTABDOMEN: ['416152001', 'Neck, Chest and Abdomen'],
  NECKCHESTABDPELV: ['416319003', 'Neck, Chest, Abdomen and Pelvis'],
  NOSE: ['45206002', 'Nose'],
  ORBIT: ['363654007', 'Orbital structure'],
  OVARY: ['15497006', 'Ovary'],
  PANCREAS: ['15776009', 'Pancreas'],
  PAROTID: ['45289007', 'Parotid gland'],
  PATELLA: ['64234005', 'Patella'],
  PELVIS: ['816092008', 'Pelvis'],
  PENIS: ['18911002', 'Penis'],
  PHARYNX: ['54066008', 'Pharynx'],
  PROSTATE: ['41216001', 'Prostate'],
  RECTUM: ['34402009', 'Rectum'],
  RIB: ['113197003', 'Rib'],
  SACRUM: ['54735007', 'Sacrum'],
  SCALP: ['41695006', 'Scalp'],
  SCAPULA: ['79601000', 'Scapula'],
  SCLERA: ['18619003', 'Sclera'],
  SCROTUM: ['20233005', 'Scrotum'],
  SELLA: ['42575006', 'Sella turcica'],
  SHOULDER: ['16982005', 'Shoulder'],
  SIJOINT: ['39723000', 'Sacroiliac joint'],
  SINUS: ['2095001', 'Paranasal sinus'],
  SKULL: ['89546000', 'Skull'],
  SPINE: ['421060004', 'Spine'],
  SPLEEN: ['78961009', 'Spleen'],
  SSPINE: ['54735007', 'Sacrum'],
  STERNUM: ['56873002', 'Sternum'],
  STOMACH: ['69695003', 'Stomach'],
  SUBMANDIBULAR: ['54019009', 'Submandibular gland'],
  TESTIS: ['40689003', 'Testis'],
  THIGH: ['68367000', 'Thigh'],
  THUMB: ['76505004', 'Thumb'],
  THYMUS: ['9875009', 'Thymus'],
  THYROID: ['69748006', 'Thyroid'],
  TIBIA: ['12611008', 'Tibia'],
  TIBIAFIBULA: ['110536004', 'Tibia and fibula'],
  TLSPINE: ['1217256009', 'Thoraco-lumbar spine'],
  TMJ: ['53620006', 'Temporomandibular joint'],
  TOE: ['29707007', 'Toe'],
  TRACHEA: ['44567001', 'Trachea'],
  TSPINE: ['122495006', 'Thoracic spine'],
  URETER: ['87953007', 'Ureter'],
  URETHRA: ['13648007', 'Urethra'],
  UTERUS: ['35039007', 'Uterus'],
  VAGINA: ['76784001', 'Vagina'],
  VULVA: ['45292006', 'Vulva'],
  WHOLEBODY: ['38266002', 'Entire body'],
  WRIST: ['74670003', 'Wrist joint'],
  ZYGOMA: ['13881006', 'Zygoma'],
};

/** By the values of Laterality. */
const LATERALITIES: Readonly<Record<string, readonly [code: string, display: string]>> = {
  L: ['7771000', 'Left'],
  R: ['24028007', 'Right'],
  B: ['51440002', 'Right and left'],
};

/**
 * Returns where an image was taken: the coded region, else the code of the term, else the region or the term as the
 * device wrote it, in `display`; undefined when it says neither.
 */
export function anatomyOf(header: DicomJson): Coding | undefined {
  const codings = conceptsOf(header, TAG.AnatomicRegionSequence).map(
    ({ coding: [coding] = [], text }) => coding ?? { display: text ?? '' },
  );
  const term = jsonText(header, TAG.BodyPartExamined);
  const coded = codings.find(({ system }) => system !== undefined);
  return (
    coded ??
    (term === undefined ? undefined : toCoding(BODY_PARTS, term)) ??
    codings[0] ??
    (term === undefined ? undefined : { display: term })
  );
}

/** Returns the code of a side, L, R or B (both); undefined for any other value. */
export function lateralityOf(laterality: string | undefined): Coding | undefined {
  return toCoding(LATERALITIES, laterality ?? '');
}

function toCoding(table: typeof BODY_PARTS, term: string): Coding | undefined {
  const [code, display] = (Object.hasOwn(table, term) ? table[term] : undefined) ?? [];
  return code === undefined || display === undefined ? undefined : { system: CODE_SYSTEM.snomed, code, display };
}
