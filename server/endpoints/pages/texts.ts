/** The texts of the start page, of error pages and of what surrounds every page, in each language. */
import { frenchTexts } from './french.ts';
import type { ByLanguage } from './language.ts';

const FRENCH = frenchTexts({
  skip: 'Aller au contenu',
  languages: 'Langue',
  support: 'Obtenir de l’aide',
  demonstration: 'Démonstration : personnes, établissements et images sont inventés.',
  home: 'Accueil',
  startTitle: 'Vos images médicales, partagées en confiance',
  startLead:
    'Passerelle relie les établissements de santé d’une région. Les scanners, IRM et radiographies, avec leurs ' +
    'comptes rendus, sont retrouvés là où l’on vous soigne.',
  whoTitle: 'Qui peut voir un examen ?',
  whoSender: 'L’établissement qui l’a réalisé, et les radiologues du service d’imagerie.',
  whoPatient: 'Vous, dès que son compte rendu est validé.',
  whoDeclared: 'Les professionnels que vous avez déclarés, dans la limite de ce que vous acceptez.',
  whoEmergency: 'En urgence, un professionnel qui le justifie : vous en êtes informé.',
  whoHistory: 'Chaque accès est inscrit dans un historique que vous pouvez lire.',
  openExams: 'Ouvrir un examen',
  signInTitle: 'Se connecter depuis une application',
  signInLead:
    'On se connecte depuis une application. Elle vous conduit ici, vous confirmez qui vous êtes, et vous choisissez ' +
    'ce qu’elle peut faire.',
  signInNone: 'Aucune application n’est encore proposée ici. Votre établissement vous dira laquelle utiliser.',
  publishedBy: 'publiée par',
  buildersTitle: 'Pour les équipes informatiques',
  metadata: 'Ce que ce serveur propose en FHIR (CapabilityStatement)',
  smart: 'Comment une application s’y connecte (SMART on FHIR)',
  supportTitle: 'Besoin d’aide ?',
  supportLead: 'L’assistance de la région vous répond.',
  newcomerTitle: 'Pour découvrir la démonstration',
  newcomerLead: 'Regardez les examens avec les yeux de chacun : tous ne voient pas la même chose.',
  newcomerPatient: 'patiente ou patient, voit ses propres examens',
  newcomerProfessional: 'professionnel de santé, voit ce qui lui est ouvert',
  newcomerStart: 'Rien à voir ? Cette commande envoie des examens inventés :',
  newcomerWarning: 'Ses clés sont publiques : n’y mettez jamais les données d’une vraie personne.',
  absentTitle: 'Cette page n’existe pas',
  absentLead: 'L’adresse est peut-être incomplète, ou la page a été déplacée.',
  failedTitle: 'La page ne peut pas s’afficher',
  failedLead: 'Un problème est survenu chez nous, et il est consigné. Réessayez dans quelques minutes.',
  refusedTitle: 'Cette demande n’a pas abouti',
  refusedLead: 'Le serveur ne peut pas y répondre sous cette forme.',
  backHome: 'Revenir à l’accueil',
});

/** The names of the texts: German and English must have each of them. */
export type PageTexts = typeof FRENCH;

const GERMAN: PageTexts = {
  skip: 'Zum Inhalt',
  languages: 'Sprache',
  support: 'Hilfe erhalten',
  demonstration: 'Vorführung: Personen, Einrichtungen und Bilder sind erfunden.',
  home: 'Startseite',
  startTitle: 'Ihre medizinischen Bilder, vertrauensvoll geteilt',
  startLead:
    'Passerelle verbindet die Gesundheitseinrichtungen einer Region. CT, MRT und Röntgenbilder mit ihren Befunden ' +
    'werden dort gefunden, wo Sie behandelt werden.',
  whoTitle: 'Wer darf eine Untersuchung sehen?',
  whoSender: 'Die Einrichtung, die sie durchgeführt hat, und die Radiologinnen und Radiologen der Bildgebung.',
  whoPatient: 'Sie selbst, sobald der Befund freigegeben ist.',
  whoDeclared: 'Die Fachpersonen, die Sie angegeben haben, soweit Sie es erlauben.',
  whoEmergency: 'Im Notfall eine Fachperson, die es begründet: Sie werden darüber informiert.',
  whoHistory: 'Jeder Zugriff steht in einem Verlauf, den Sie lesen können.',
  openExams: 'Eine Untersuchung öffnen',
  signInTitle: 'Aus einer Anwendung anmelden',
  signInLead:
    'Man meldet sich aus einer Anwendung heraus an. Sie führt Sie hierher, Sie bestätigen, wer Sie sind, und ' +
    'entscheiden, was sie tun darf.',
  signInNone: 'Hier wird noch keine Anwendung angeboten. Ihre Einrichtung sagt Ihnen, welche Sie benutzen können.',
  publishedBy: 'herausgegeben von',
  buildersTitle: 'Für IT-Teams',
  metadata: 'Was dieser Server in FHIR anbietet (CapabilityStatement)',
  smart: 'Wie eine Anwendung sich verbindet (SMART on FHIR)',
  supportTitle: 'Brauchen Sie Hilfe?',
  supportLead: 'Die Ansprechstelle der Region antwortet Ihnen.',
  newcomerTitle: 'Die Vorführung kennenlernen',
  newcomerLead: 'Sehen Sie die Untersuchungen mit den Augen jeder Person: nicht alle sehen dasselbe.',
  newcomerPatient: 'Patientin oder Patient, sieht die eigenen Untersuchungen',
  newcomerProfessional: 'Fachperson, sieht, was ihr offensteht',
  newcomerStart: 'Nichts zu sehen? Dieser Befehl sendet erfundene Untersuchungen:',
  newcomerWarning: 'Die Schlüssel sind öffentlich: niemals Daten echter Personen verwenden.',
  absentTitle: 'Diese Seite gibt es nicht',
  absentLead: 'Die Adresse ist vielleicht unvollständig, oder die Seite wurde verschoben.',
  failedTitle: 'Die Seite kann nicht angezeigt werden',
  failedLead: 'Bei uns ist ein Fehler aufgetreten; er ist vermerkt. Versuchen Sie es in einigen Minuten noch einmal.',
  refusedTitle: 'Diese Anfrage war nicht erfolgreich',
  refusedLead: 'Der Server kann sie in dieser Form nicht beantworten.',
  backHome: 'Zur Startseite',
};

const ENGLISH: PageTexts = {
  skip: 'Skip to content',
  languages: 'Language',
  support: 'Get help',
  demonstration: 'Demonstration: people, hospitals and images are invented.',
  home: 'Home',
  startTitle: 'Your medical images, shared with care',
  startLead:
    'Passerelle connects the hospitals and practices of a region. CT, MRI and X-ray exams, with their reports, are ' +
    'found wherever you are treated.',
  whoTitle: 'Who may see an exam?',
  whoSender: 'The hospital or practice that made it, and the radiologists of the imaging service.',
  whoPatient: 'You, as soon as its report is validated.',
  whoDeclared: 'The professionals whom you declared, within what you accept.',
  whoEmergency: 'In an emergency, a professional who gives the reason: you are told.',
  whoHistory: 'Each access is written down in a history that you can read.',
  openExams: 'Open an exam',
  signInTitle: 'Sign in from an application',
  signInLead:
    'You sign in from an application. It brings you here, you confirm who you are, and you choose what it may do.',
  signInNone: 'No application is offered here yet. Your hospital will tell you which one to use.',
  publishedBy: 'published by',
  buildersTitle: 'For IT teams',
  metadata: 'What this server offers in FHIR (CapabilityStatement)',
  smart: 'How an application connects (SMART on FHIR)',
  supportTitle: 'Do you need help?',
  supportLead: 'The support desk of the region will answer you.',
  newcomerTitle: 'To discover the demonstration',
  newcomerLead: 'Look at the exams with the eyes of each person: they do not all see the same.',
  newcomerPatient: 'patient, sees her or his own exams',
  newcomerProfessional: 'health professional, sees what is open to her or him',
  newcomerStart: 'Nothing to see? This command sends invented exams:',
  newcomerWarning: 'Its keys are public: never put the data of a real person there.',
  absentTitle: 'This page does not exist',
  absentLead: 'The address may be incomplete, or the page has moved.',
  failedTitle: 'The page cannot be shown',
  failedLead: 'Something went wrong on our side, and it is noted. Try again in a few minutes.',
  refusedTitle: 'This request did not succeed',
  refusedLead: 'The server cannot answer it in this form.',
  backHome: 'Back to the start page',
};

/** The texts by language. */
export const TEXTS: ByLanguage<PageTexts> = { fr: FRENCH, de: GERMAN, en: ENGLISH };
