/** The texts of the pages behind a link of another system, in each language. `{…}` are filled in on the page. */
import type { LinkRefusal } from '../../../ihe/rad-106/request.ts';
import { frenchTexts } from '../pages/french.ts';
import type { ByLanguage } from '../pages/language.ts';

type Name =
  | 'examsTitle'
  | 'examsLead'
  | 'latestTitle'
  | 'latestLead'
  | 'latestNone'
  | 'signOut'
  | 'cut'
  | 'exam'
  | 'undated'
  | 'refusedTitle'
  | 'refusedAdvice';

/** The texts: each reason for which a link is refused has one. */
export type LinkTexts = Readonly<Record<Name | LinkRefusal, string>>;

const FRENCH: LinkTexts = frenchTexts({
  examsTitle: 'Choisir un examen',
  examsLead: 'Ce lien mène à plusieurs examens. Lequel voulez-vous ouvrir ?',
  latestTitle: 'Les derniers examens',
  latestLead: 'Voici les examens que vous pouvez ouvrir, du plus récent au plus ancien.',
  latestNone: 'Aucun examen ne vous est ouvert pour le moment.',
  signOut: 'Se déconnecter',
  cut: 'Seuls les {count} examens les plus récents sont montrés.',
  exam: 'Examen d’imagerie',
  undated: 'sans date',
  refusedTitle: 'Ce lien ne peut pas être ouvert',
  refusedAdvice: 'Ce lien vient d’un autre logiciel. Montrez cette page à l’équipe qui s’en occupe.',
  missing: 'Il y manque une information : le paramètre « {name} ».',
  unknown: 'Il contient un paramètre qui n’est pas connu ici : « {name} ».',
  repeated: 'Le paramètre « {name} » y figure plusieurs fois.',
  malformed: 'Le paramètre « {name} » n’est pas écrit sous la forme attendue.',
  'too-long': 'Le paramètre « {name} » est trop long.',
  'not-for-diagnosis':
    'Il demande des images pour le diagnostic (« {name} »). Celles d’ici sont réduites pour l’écran : elles ne ' +
    'servent pas au diagnostic.',
  'no-key-images': 'Il demande seulement les images clés (« {name} »). Ici, un examen est montré en entier.',
  'no-such-viewer': 'Il demande une visionneuse qui n’est pas proposée ici (« {name} »).',
  'no-traits': 'Il nomme la personne autrement que par son identifiant (« {name} »), ce qui n’est pas possible ici.',
});

const GERMAN: LinkTexts = {
  examsTitle: 'Untersuchung wählen',
  examsLead: 'Dieser Link führt zu mehreren Untersuchungen. Welche möchten Sie öffnen?',
  latestTitle: 'Neueste Untersuchungen',
  latestLead: 'Diese Untersuchungen können Sie öffnen, die neueste zuerst.',
  latestNone: 'Zurzeit ist keine Untersuchung für Sie zugänglich.',
  signOut: 'Abmelden',
  cut: 'Nur die {count} neuesten Untersuchungen werden gezeigt.',
  exam: 'Bildgebende Untersuchung',
  undated: 'ohne Datum',
  refusedTitle: 'Dieser Link kann nicht geöffnet werden',
  refusedAdvice: 'Der Link stammt aus einem anderen Programm. Zeigen Sie diese Seite dem Team, das es betreut.',
  missing: 'Es fehlt eine Angabe: der Parameter „{name}“.',
  unknown: 'Er enthält einen Parameter, der hier nicht bekannt ist: „{name}“.',
  repeated: 'Der Parameter „{name}“ steht mehrmals darin.',
  malformed: 'Der Parameter „{name}“ hat nicht die erwartete Form.',
  'too-long': 'Der Parameter „{name}“ ist zu lang.',
  'not-for-diagnosis':
    'Er verlangt Bilder zur Befundung („{name}“). Die Bilder hier sind für den Bildschirm verkleinert und nicht zur ' +
    'Befundung geeignet.',
  'no-key-images': 'Er verlangt nur die Schlüsselbilder („{name}“). Hier wird eine Untersuchung ganz gezeigt.',
  'no-such-viewer': 'Er verlangt einen Viewer, den es hier nicht gibt („{name}“).',
  'no-traits': 'Er nennt die Person anders als durch ihre Kennung („{name}“), was hier nicht möglich ist.',
};

const ENGLISH: LinkTexts = {
  examsTitle: 'Choose an exam',
  examsLead: 'This link leads to several exams. Which one do you want to open?',
  latestTitle: 'Latest exams',
  latestLead: 'These are the exams that you may open, the latest first.',
  latestNone: 'No exam is open to you at the moment.',
  signOut: 'Sign out',
  cut: 'Only the latest {count} exams are shown.',
  exam: 'Imaging exam',
  undated: 'undated',
  refusedTitle: 'This link cannot be opened',
  refusedAdvice: 'The link comes from another application. Show this page to the team that looks after it.',
  missing: 'Something is missing in it: the parameter “{name}”.',
  unknown: 'It has a parameter that is not known here: “{name}”.',
  repeated: 'The parameter “{name}” stands in it more than once.',
  malformed: 'The parameter “{name}” is not written in the form that is expected.',
  'too-long': 'The parameter “{name}” is too long.',
  'not-for-diagnosis':
    'It asks for images to diagnose from (“{name}”). Those shown here are reduced for the screen: not for diagnosis.',
  'no-key-images': 'It asks for the key images alone (“{name}”). Here an exam is shown as a whole.',
  'no-such-viewer': 'It asks for a viewer that is not offered here (“{name}”).',
  'no-traits': 'It names the person otherwise than by an identifier (“{name}”), which is not possible here.',
};

/** The texts by language. */
export const LINK_TEXTS: ByLanguage<LinkTexts> = { fr: FRENCH, de: GERMAN, en: ENGLISH };
