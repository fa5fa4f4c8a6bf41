/** By which right an access was, in words. */
import type { ByLanguage } from '../language.ts';

/** The right by which an access was, as the patient understands it; nothing is said of her own. */
export const RIGHT_WORDS: Readonly<Record<string, ByLanguage<string>>> = {
  author: { fr: 'en tant qu’auteur', de: 'als Urheber', en: 'as its author' },
  referent: {
    fr: 'en tant que médecin référent',
    de: 'als Ihr Referenzarzt oder Ihre Referenzärztin',
    en: 'as the reference doctor of your record',
  },
  circle: {
    fr: 'en tant que membre de votre cercle de confiance',
    de: 'als Mitglied Ihres Vertrauenskreises',
    en: 'as a member of your circle of trust',
  },
  assistant: {
    fr: 'en tant qu’assistant que vous avez désigné',
    de: 'als von Ihnen benannte Assistenz',
    en: 'as an assistant whom you named',
  },
  declared: {
    fr: 'en tant que correspondant déclaré',
    de: 'als gemeldete Fachperson',
    en: 'as a declared correspondent',
  },
  'imaging-service': {
    fr: 'pour le service d’imagerie où un de vos examens a été réalisé',
    de: 'für den radiologischen Dienst, der eine Ihrer Untersuchungen durchgeführt hat',
    en: 'for the imaging service where an exam of yours was made',
  },
  'own-service': {
    fr: 'pour le service d’imagerie où cet examen a été réalisé',
    de: 'für den radiologischen Dienst, der diese Untersuchung durchgeführt hat',
    en: 'for the imaging service where this exam was made',
  },
  stay: { fr: 'au cours de votre séjour', de: 'während Ihres Aufenthalts', en: 'during your stay' },
  presence: {
    fr: 'avec le code de présence que vous lui aviez donné',
    de: 'mit dem Anwesenheitscode, den Sie gegeben hatten',
    en: 'with the presence code that you had given',
  },
  share: {
    fr: 'grâce au partage que vous avez envoyé par courriel',
    de: 'durch die Freigabe, die Sie per E-Mail gesendet haben',
    en: 'by the share that you sent by e-mail',
  },
  'break-glass': {
    fr: 'en urgence (bris de glace)',
    de: 'im Notfall (Notzugriff)',
    en: 'in an emergency (break-glass)',
  },
  'break-glass-confidential': {
    fr: 'en urgence (bris de glace), parmi vos éléments confidentiels',
    de: 'im Notfall (Notzugriff), unter Ihren vertraulichen Angaben',
    en: 'in an emergency (break-glass), among what is confidential in your record',
  },
  'break-glass-past-block': {
    fr: 'en urgence (bris de glace), alors que vous lui aviez fermé votre dossier',
    de: 'im Notfall (Notzugriff), obwohl Sie Ihr Dossier für diese Person gesperrt hatten',
    en: 'in an emergency (break-glass), although you had closed your record to them',
  },
  support: {
    fr: 'au titre de l’assistance technique (ticket)',
    de: 'für den technischen Support (Ticket)',
    en: 'for technical support (ticket)',
  },
  representative: {
    fr: 'en tant que représentant légal',
    de: 'als gesetzliche Vertretung',
    en: 'as your legal representative',
  },
  'representative-of-child': {
    fr: 'en tant que représentant légal',
    de: 'als gesetzliche Vertretung',
    en: 'as your legal representative',
  },
  dpo: {
    fr: 'en tant que délégué à la protection des données',
    de: 'als Datenschutzbeauftragte oder Datenschutzbeauftragter',
    en: 'as a data protection officer',
  },
  named: {
    fr: 'parce que cette donnée lui est adressée',
    de: 'weil diese Angabe an diese Person gerichtet ist',
    en: 'because it is addressed to this reader',
  },
};

/** Where these speak to her, as who represents her understands it. */
const WORDS_OF_ANOTHER: Readonly<Record<string, ByLanguage<string>>> = {
  referent: {
    fr: 'en tant que médecin référent',
    de: 'als Referenzarzt oder Referenzärztin',
    en: 'as the reference doctor of the record',
  },
  circle: {
    fr: 'en tant que membre du cercle de confiance',
    de: 'als Mitglied des Vertrauenskreises',
    en: 'as a member of the circle of trust',
  },
  assistant: {
    fr: 'en tant qu’assistant désigné',
    de: 'als benannte Assistenz',
    en: 'as a named assistant',
  },
  'imaging-service': {
    fr: 'pour le service d’imagerie où un des examens a été réalisé',
    de: 'für den radiologischen Dienst, der eine der Untersuchungen durchgeführt hat',
    en: 'for the imaging service where one of the exams was made',
  },
  stay: { fr: 'au cours d’un séjour', de: 'während eines Aufenthalts', en: 'during a stay' },
  presence: { fr: 'avec un code de présence', de: 'mit einem Anwesenheitscode', en: 'with a presence code' },
  'break-glass-confidential': {
    fr: 'en urgence (bris de glace), parmi les éléments confidentiels',
    de: 'im Notfall (Notzugriff), unter den vertraulichen Angaben',
    en: 'in an emergency (break-glass), among what is confidential',
  },
  'break-glass-past-block': {
    fr: 'en urgence (bris de glace), alors que le dossier lui avait été fermé',
    de: 'im Notfall (Notzugriff), obwohl das Dossier für diese Person gesperrt war',
    en: 'in an emergency (break-glass), although the record had been closed to them',
  },
  share: { fr: 'grâce à un partage', de: 'durch eine Freigabe', en: 'by a share' },
  representative: {
    fr: 'en tant que représentant légal',
    de: 'als gesetzliche Vertretung',
    en: 'as a legal representative',
  },
  'representative-of-child': {
    fr: 'en tant que représentant légal',
    de: 'als gesetzliche Vertretung',
    en: 'as a legal representative',
  },
};

/** Where an emergency did more than every one does, what its own sentence says of that. */
const EMERGENCY_WORDS: Readonly<Record<string, ByLanguage<string>>> = {
  'break-glass-confidential': {
    fr: 'avec ce qui y est confidentiel',
    de: 'mit dem, was darin vertraulich ist',
    en: 'with what is confidential in it',
  },
  'break-glass-past-block': {
    fr: 'alors que vous lui aviez fermé votre dossier',
    de: 'obwohl Sie Ihr Dossier für diese Person gesperrt hatten',
    en: 'although you had closed your record to them',
  },
};

const EMERGENCY_WORDS_OF_ANOTHER: typeof EMERGENCY_WORDS = {
  'break-glass-past-block': {
    fr: 'alors que le dossier lui avait été fermé',
    de: 'obwohl das Dossier für diese Person gesperrt war',
    en: 'although the record had been closed to them',
  },
};

/** The words of an emergency that was declared, as those of {@link rightWordsOf}: few do more than every one. */
export function emergencyWordsOf(relation: string, isOfAnother: boolean): ByLanguage<string> | undefined {
  return (isOfAnother ? EMERGENCY_WORDS_OF_ANOTHER[relation] : undefined) ?? EMERGENCY_WORDS[relation];
}

/** The words of a relation, if it has any. `isOfAnother`: to who represents the patient, and not to her. */
export function rightWordsOf(relation: string, isOfAnother: boolean): ByLanguage<string> | undefined {
  return (isOfAnother ? WORDS_OF_ANOTHER[relation] : undefined) ?? RIGHT_WORDS[relation];
}
