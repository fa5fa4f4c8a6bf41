/** The texts of the page where no exam is shown, in each language. `{…}` are filled in on the page. */
import { french, frenchTexts } from '../../pages/french.ts';
import type { ByLanguage, Language } from '../../pages/language.ts';

const FRENCH = frenchTexts({
  title: 'Examen introuvable',
  lead: 'Cet examen n’existe pas, ou vous n’y avez pas accès. L’adresse est peut-être incomplète.',
  own: 'Un de vos examens s’ouvre à son adresse dès que son compte rendu est validé.',
  emergency: 'Urgence : ouvrir le dossier d’un patient',
  emergencyLead:
    'Vous soignez quelqu’un en urgence et ne pouvez pas voir ses examens ? Déclarez l’urgence : elle est enregistrée ' +
    'à votre nom, à ces conditions.',
  onlyEmergency: 'Elle sert à soigner ce patient en urgence, et à rien d’autre.',
  lasts: 'L’accès dure {duration}, puis se ferme de lui-même.',
  normalOnly:
    'Il ouvre les examens ordinaires de son dossier. Ceux qui sont confidentiels restent fermés ; tout reste fermé ' +
    'si le patient a retiré son accord.',
  confidentialToo:
    'Il ouvre les examens ordinaires et confidentiels de son dossier. Ceux qui sont privés restent fermés ; tout ' +
    'reste fermé si le patient a retiré son accord.',
  pastBlock:
    'Si le patient vous a fermé son dossier, l’urgence ouvre seulement ses examens ordinaires, et il en est informé.',
  patientTold: 'Le patient en est informé et peut lire votre nom dans l’historique des accès.',
  reviewed: 'Chaque déclaration est examinée ensuite : on peut vous demander de l’expliquer.',
  signInFirst: 'Confirmez d’abord qui vous êtes : votre connexion date de plus de {minutes}.',
  signIn: 'Confirmer qui je suis',
  patient: 'Patient',
  system: 'Type de numéro',
  choose: 'Choisir',
  insNir: 'Identité nationale de santé (INS, matricule NIR)',
  insNia: 'Identité nationale de santé (INS, matricule NIA)',
  insTest: 'Identité nationale de santé (INS de test)',
  matricule: 'Matricule national luxembourgeois',
  numberAt: 'Numéro de patient : {establishment}',
  identifier: 'Numéro du patient',
  identifierHint: 'Comme sur sa carte, son bracelet ou son dossier.',
  reason: 'Motif',
  reasonETREAT: 'Soins urgents : ils ne peuvent pas attendre.',
  reasonBTG: 'Danger grave : sa vie ou sa sécurité est menacée.',
  justification: 'Justification',
  justificationHint: 'La situation, et pourquoi ses examens sont nécessaires : 3 mots, {least} à {most} caractères.',
  confirmed: 'Je confirme l’urgence et j’ai lu ces conditions.',
  declare: 'Déclarer l’urgence',
  notDeclared: 'L’urgence n’est pas déclarée',
  wrongSystem: 'Choisissez le type de numéro.',
  wrongIdentifier: 'Écrivez le numéro du patient, de {most} caractères au plus.',
  wrongReason: 'Choisissez le motif.',
  wrongJustification: 'Écrivez une justification de {least} à {most} caractères, trois mots au moins.',
  wrongConfirmed: 'Cochez la case pour confirmer.',
  foreignForm:
    'Le formulaire ne venait pas de cette page, ou vous vous êtes reconnecté depuis. Remplissez-le à nouveau.',
  declared: 'Déclaration enregistrée',
  declaredLead:
    'L’urgence déclarée est enregistrée, mais aucun examen ne s’ouvre à cette adresse. Vérifiez l’adresse et le ' +
    'numéro du patient.',
});

/** The names of the texts: German and English must have each of them. */
export type AbsentTexts = Readonly<Record<keyof typeof FRENCH, string>>;

const GERMAN: AbsentTexts = {
  title: 'Untersuchung nicht gefunden',
  lead:
    'Diese Untersuchung gibt es nicht, oder Sie haben keinen Zugriff darauf. Die Adresse ist vielleicht ' +
    'unvollständig.',
  own: 'Ihre eigene Untersuchung öffnet sich unter ihrer Adresse, sobald der Befund freigegeben ist.',
  emergency: 'Notfall: die Akte einer Patientin oder eines Patienten öffnen',
  emergencyLead:
    'Sie behandeln jemanden im Notfall und können die Untersuchungen nicht sehen? Erklären Sie den Notfall: er wird ' +
    'unter Ihrem Namen festgehalten, zu diesen Bedingungen.',
  onlyEmergency: 'Nur um diese Person im Notfall zu behandeln, zu nichts anderem.',
  lasts: 'Der Zugriff dauert {duration} und endet dann von selbst.',
  normalOnly:
    'Er öffnet die gewöhnlichen Untersuchungen der Akte. Vertrauliche bleiben geschlossen; alles bleibt geschlossen, ' +
    'wenn die Einwilligung zurückgezogen wurde.',
  confidentialToo:
    'Er öffnet die gewöhnlichen und die vertraulichen Untersuchungen der Akte. Private bleiben geschlossen; alles ' +
    'bleibt geschlossen, wenn die Einwilligung zurückgezogen wurde.',
  pastBlock:
    'Ist die Akte für Sie gesperrt, öffnet der Notfall nur die gewöhnlichen Untersuchungen; die betroffene Person ' +
    'wird darüber informiert.',
  patientTold: 'Die betroffene Person wird informiert und liest Ihren Namen im Verlauf der Zugriffe.',
  reviewed: 'Jede Erklärung wird danach geprüft: man kann Sie bitten, sie zu begründen.',
  signInFirst: 'Bestätigen Sie zuerst, wer Sie sind: Ihre Anmeldung ist älter als {minutes}.',
  signIn: 'Bestätigen, wer ich bin',
  patient: 'Patientin oder Patient',
  system: 'Art der Nummer',
  choose: 'Auswählen',
  insNir: 'Französische Gesundheitsidentität (INS, Matrikel NIR)',
  insNia: 'Französische Gesundheitsidentität (INS, Matrikel NIA)',
  insTest: 'Französische Gesundheitsidentität (Test-INS)',
  matricule: 'Luxemburgische Matrikelnummer',
  numberAt: 'Patientennummer: {establishment}',
  identifier: 'Nummer der Patientin oder des Patienten',
  identifierHint: 'Wie auf Karte, Armband oder Akte.',
  reason: 'Grund',
  reasonETREAT: 'Dringende Behandlung: sie kann nicht warten.',
  reasonBTG: 'Ernste Gefahr: Leben oder Sicherheit sind bedroht.',
  justification: 'Begründung',
  justificationHint: 'Die Lage, und warum die Untersuchungen gebraucht werden: 3 Wörter, {least} bis {most} Zeichen.',
  confirmed: 'Ich bestätige den Notfall und habe diese Bedingungen gelesen.',
  declare: 'Notfall erklären',
  notDeclared: 'Der Notfall ist nicht erklärt',
  wrongSystem: 'Wählen Sie die Art der Nummer.',
  wrongIdentifier: 'Geben Sie die Nummer ein, höchstens {most} Zeichen.',
  wrongReason: 'Wählen Sie den Grund.',
  wrongJustification: 'Schreiben Sie eine Begründung von {least} bis {most} Zeichen, mindestens drei Wörter.',
  wrongConfirmed: 'Kreuzen Sie die Bestätigung an.',
  foreignForm:
    'Das Formular kam nicht von dieser Seite, oder Sie haben sich seitdem neu angemeldet. Füllen Sie es bitte ' +
    'erneut aus.',
  declared: 'Erklärung festgehalten',
  declaredLead:
    'Der erklärte Notfall ist festgehalten, doch unter dieser Adresse öffnet sich keine Untersuchung. Prüfen Sie die ' +
    'Adresse und die Nummer.',
};

const ENGLISH: AbsentTexts = {
  title: 'Exam not found',
  lead: 'This exam does not exist, or you have no access to it. The address may be incomplete.',
  own: 'An exam of your own opens at its address as soon as its report is validated.',
  emergency: 'Emergency: open the record of a patient',
  emergencyLead:
    'Are you treating somebody in an emergency and cannot see their exams? Declare the emergency: it is recorded ' +
    'under your name, on these terms.',
  onlyEmergency: 'It is for treating this patient, in an emergency, and for nothing else.',
  lasts: 'The access lasts {duration}, then ends by itself.',
  normalOnly:
    'It opens the ordinary exams of the record. Confidential ones stay closed; everything stays closed if the ' +
    'patient has withdrawn consent.',
  confidentialToo:
    'It opens the ordinary and the confidential exams of the record. Private ones stay closed; everything stays ' +
    'closed if the patient has withdrawn consent.',
  pastBlock:
    'If the patient has closed the record to you, the emergency opens its ordinary exams alone, and the patient is ' +
    'told.',
  patientTold: 'The patient is told and reads your name in the history of accesses.',
  reviewed: 'Each declaration is reviewed afterwards: you may be asked to explain it.',
  signInFirst: 'First confirm who you are: you signed in more than {minutes} ago.',
  signIn: 'Confirm who I am',
  patient: 'The patient',
  system: 'Kind of number',
  choose: 'Choose',
  insNir: 'French national health identity (INS, NIR number)',
  insNia: 'French national health identity (INS, NIA number)',
  insTest: 'French national health identity (test INS)',
  matricule: 'Luxembourg national number',
  numberAt: 'Patient number: {establishment}',
  identifier: 'Number of the patient',
  identifierHint: 'As on the card, wristband or record.',
  reason: 'Reason',
  reasonETREAT: 'Urgent care: it cannot wait.',
  reasonBTG: 'Serious danger: life or safety is at risk.',
  justification: 'Explanation',
  justificationHint: 'The situation, and why the exams are needed: three words, {least} to {most} characters.',
  confirmed: 'I confirm the emergency and have read these terms.',
  declare: 'Declare the emergency',
  notDeclared: 'The emergency is not declared',
  wrongSystem: 'Choose the kind of number.',
  wrongIdentifier: 'Write the number of the patient, of {most} characters at most.',
  wrongReason: 'Choose the reason.',
  wrongJustification: 'Write an explanation of {least} to {most} characters, three words at least.',
  wrongConfirmed: 'Tick the box to confirm.',
  foreignForm: 'The form did not come from this page, or you have signed in again since. Please fill it in again.',
  declared: 'Declaration recorded',
  declaredLead:
    'The declared emergency is recorded, but no exam opens at this address. Check the address and the number of the ' +
    'patient.',
};

/** The texts by language. */
export const ABSENT_TEXTS: ByLanguage<AbsentTexts> = { fr: FRENCH, de: GERMAN, en: ENGLISH };

/** Fills in a text; numbers are written as the language does. */
export function filled(text: string, values: Readonly<Record<string, string | number>>, language: Language): string {
  const written = Object.entries(values).reduce(
    (result, [name, value]) =>
      result.replace(`{${name}}`, () => (typeof value === 'number' ? value.toLocaleString(language) : value)),
    text,
  );
  return language === 'fr' ? french(written) : written;
}
