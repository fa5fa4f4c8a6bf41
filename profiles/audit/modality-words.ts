/** What images of a modality are called by people who are no professionals. */
import type { ByLanguage, Language } from '../language.ts';

const XRAY: ByLanguage<string> = { fr: 'une radiographie', de: 'eine Röntgenaufnahme', en: 'an X-ray' };
const DENTAL: ByLanguage<string> = {
  fr: 'une radiographie dentaire',
  de: 'eine zahnärztliche Röntgenaufnahme',
  en: 'a dental X-ray',
};

/** By the Defined Terms of Modality (DICOM PS3.3 C.7.3.1.1.1); in German as what was seen. */
const WORDS: Readonly<Record<string, ByLanguage<string>>> = {
  CT: { fr: 'un scanner', de: 'eine Computertomografie', en: 'a CT scan' },
  MR: { fr: 'une IRM', de: 'eine MRT', en: 'an MRI scan' },
  CR: XRAY,
  DX: XRAY,
  RG: XRAY,
  IO: DENTAL,
  PX: DENTAL,
  US: { fr: 'une échographie', de: 'eine Ultraschalluntersuchung', en: 'an ultrasound scan' },
  MG: { fr: 'une mammographie', de: 'eine Mammografie', en: 'a mammogram' },
  PT: { fr: 'une TEP', de: 'eine PET', en: 'a PET scan' },
  NM: { fr: 'une scintigraphie', de: 'eine Szintigrafie', en: 'a nuclear medicine scan' },
  XA: { fr: 'une angiographie', de: 'eine Angiografie', en: 'an angiogram' },
  RF: { fr: 'une radioscopie', de: 'eine Durchleuchtung', en: 'a fluoroscopy' },
  BMD: { fr: 'une ostéodensitométrie', de: 'eine Knochendichtemessung', en: 'a bone density scan' },
  ES: { fr: 'une endoscopie', de: 'eine Endoskopie', en: 'an endoscopy' },
  ECG: { fr: 'un électrocardiogramme', de: 'ein EKG', en: 'an ECG' },
};

/** What is beside images: what was measured, marked and chosen in them. */
const BESIDE_IMAGES: readonly string[] = ['SR', 'PR', 'KO', 'SEG'];

/** Each kind of images once, of codes with commas between them; none where one of the codes has no words. */
export function imagesOf(modality: string | undefined, language: Language): readonly string[] {
  const codes = modality?.split(', ').filter((code) => !BESIDE_IMAGES.includes(code)) ?? [];
  const words = codes.flatMap((code) => (Object.hasOwn(WORDS, code) ? (WORDS[code]?.[language] ?? []) : []));
  return words.length < codes.length ? [] : [...new Set(words)];
}
