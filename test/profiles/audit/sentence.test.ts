import type { AuditEvent } from '@medplum/fhirtypes';
import { expect } from 'chai';
import { AccessLines, type AccessLine } from '../../../profiles/audit/access-line.ts';
import { buildAuditEvent } from '../../../profiles/audit/audit-event.ts';
import { resourceType, studyEntity } from '../../../profiles/audit/entities.ts';
import type { PassageFacts } from '../../../profiles/audit/facts.ts';
import { furtherEvent, moreRequests } from '../../../profiles/audit/further-event.ts';
import { RIGHT_WORDS, rightWordsOf } from '../../../profiles/audit/right-words.ts';
import { sentenceOf } from '../../../profiles/audit/sentence.ts';
import { LANGUAGES, type Language } from '../../../profiles/language.ts';
import { RELATIONS } from '../../../server/access/right.ts';

const LINE: AccessLine = {
  kind: 'opened',
  at: Date.parse('2026-03-01T08:05:00Z'),
  who: { reference: 'Practitioner/p1', display: 'Dr Anne Martin' },
  isOwn: false,
  roles: [{ coding: [{ code: '10', display: 'Médecin' }] }],
  institutions: [{ reference: 'Organization/o1', display: 'CHU de Metz' }],
  exams: [
    { reference: 'ImagingStudy/s1', kind: 'exam', description: 'Scanner du thorax', started: '2026-02-28T23:30:00Z' },
  ],
  further: 0,
  relation: 'declared',
  consent: 'Consent/c1',
  events: ['e1'],
};

const inFrench = (line: Partial<AccessLine>): string =>
  sentenceOf({ ...LINE, ...line }, { language: 'fr', timeZone: 'Europe/Paris' });

describe('The sentence of an access', () => {
  it('is written in the time of the region, with the spaces of French', () => {
    expect(inFrench({})).to.equal(
      'Le 1er\u00A0mars 2026 à 9\u00A0h\u00A005, Dr\u00A0Anne Martin (Médecin, CHU de Metz) a consulté l’examen ' +
        '«\u00A0Scanner du thorax\u00A0» du 1er\u00A0mars 2026, en tant que correspondant déclaré.',
    );
    expect(sentenceOf(LINE, { language: 'de', timeZone: 'Europe/Luxembourg' })).to.equal(
      'Am 1. März 2026 um 09:05 Uhr hat Dr\u00A0Anne Martin (Médecin, CHU de Metz) die Untersuchung „Scanner du ' +
        'thorax“ vom 1. März 2026 eingesehen, als gemeldete Fachperson.',
    );
    expect(sentenceOf(LINE, { language: 'en', timeZone: 'America/New_York' })).to.equal(
      'On 1 March 2026 at 03:05, Dr\u00A0Anne Martin (Médecin, CHU de Metz) opened the exam “Scanner du thorax” of ' +
        '28 February 2026, as a declared correspondent.',
    );
  });

  it('names several exams and counts the others, and says no more of one than the event did', () => {
    const exams: AccessLine['exams'] = [
      { reference: 'ImagingStudy/s1', kind: 'exam', modality: 'CT', started: '2026-03' },
      { reference: 'DiagnosticReport/r1', kind: 'report' },
      { reference: 'DocumentReference/d1', kind: 'document', description: 'Compte rendu' },
    ];
    const listed = { kind: 'listed', exams, relation: undefined } as const;
    expect(inFrench({ ...listed, further: 13 })).to.include(
      'a vu dans une liste un scanner, un compte rendu de votre dossier, le document «\u00A0Compte ' +
        'rendu\u00A0» et 13\u00A0autres.',
    );
    expect(inFrench({ ...listed, further: 1 })).to.match(/ et un autre\.$/);
    const many = Array.from({ length: 60 }, () => ({ reference: 'DiagnosticReport/r1', kind: 'report' }) as const);
    const pages = { ...listed, exams: many, further: 90, isAtLeast: true } as const;
    expect(inFrench(pages)).to.match(/(?:un compte rendu de votre dossier(?:, | )){20}et au moins 130\u00A0autres\.$/);
    expect(sentenceOf({ ...LINE, ...pages }, { language: 'de', timeZone: 'UTC' })).to.include(
      ' und mindestens 130 weitere',
    );
    expect(sentenceOf({ ...LINE, ...pages }, { language: 'en', timeZone: 'UTC' })).to.include(
      ' and at least 130 others',
    );
    expect(inFrench(listed)).to.match(/dossier et le document «\u00A0Compte rendu\u00A0»\.$/);
  });

  it('calls images what people call them, codes that people do not know as they are, and no qualifiers', () => {
    const named = (modality: string, language: Language = 'fr') => {
      const exams = [{ reference: 'ImagingStudy/s1', kind: 'exam', modality, started: '2026-03-01' }] as const;
      return sentenceOf({ ...LINE, exams }, { language, timeZone: 'Europe/Paris' });
    };
    expect(named('MR')).to.include(' a consulté une IRM du 1er\u00A0mars 2026, ');
    expect(named('CR, DX')).to.include(' a consulté une radiographie du ');
    expect(named('PT, CT, SR')).to.include(' a consulté une TEP et un scanner du ');
    for (const unknown of ['XX', 'toString', 'CT, XX', 'SR'])
      expect(named(unknown)).to.include(` l’examen «\u00A0${unknown}\u00A0» du `);
    expect(named('US', 'de')).to.include(' eine Ultraschalluntersuchung vom 1. März 2026 eingesehen');
    expect(named('US', 'en')).to.include(' opened an ultrasound scan of 1 March 2026');
    const roles = [{ coding: [{ code: '10', display: 'Médecin - Médecine générale (SM)' }] }];
    expect(inFrench({ roles })).to.include('(Médecin - Médecine générale, CHU de Metz)');
  });

  it('speaks to her of her own, and says of an emergency that it was declared', () => {
    const own = { isOwn: true, who: { reference: 'Patient/p1' }, relation: 'self' } as const;
    expect(inFrench(own)).to.include(', vous avez consulté l’examen').and.not.include('Patient/');
    expect(inFrench({ kind: 'emergency', exams: [], relation: 'break-glass' })).to.match(
      /a déclaré une urgence pour ouvrir votre dossier\.$/,
    );
    const exams = [{ reference: 'ImagingStudy/s1', kind: 'exam' }] as const;
    expect(inFrench({ kind: 'emergency', exams, relation: 'break-glass' })).to.match(
      /a déclaré une urgence pour ouvrir un examen de votre dossier\.$/,
    );
    expect(inFrench({ relation: 'break-glass' })).to.match(/, en urgence \(bris de glace\)\.$/);
  });

  it('speaks to who represents her of a record that is not theirs', () => {
    const telling = { timeZone: 'UTC', isOfAnother: true } as const;
    const exams = [{ reference: 'DiagnosticReport/r1', kind: 'report' }] as const;
    const told = (language: Language, line: Partial<AccessLine>) =>
      sentenceOf({ ...LINE, ...line }, { ...telling, language });
    expect(told('fr', { exams })).to.include(' a consulté un compte rendu du dossier, ');
    expect(told('de', { exams })).to.include(' einen Befund der Akte eingesehen, ');
    expect(told('en', { exams })).to.include(' opened a report of the record, ');
    expect(told('fr', { kind: 'record', relation: 'stay' })).to.match(
      / a consulté le dossier, sans ouvrir d’examen, au cours d’un séjour\.$/,
    );
    expect(told('fr', { kind: 'record', isOwn: true })).to.match(
      /, vous avez consulté le dossier, sans ouvrir d’examen\.$/,
    );
    const speaking = {
      fr: /\b(?:vo(?:tre|s)|vous)\b/,
      de: /\bI(?:hr|hre|hrer|hren|hres)\b|\bSie\b/,
      en: /\byou/,
    } as const;
    for (const relation of RELATIONS)
      for (const language of LANGUAGES)
        expect(rightWordsOf(relation, true)?.[language] ?? '', relation).to.not.match(speaking[language]);
  });

  it('counts the exams of a record that was taken along', () => {
    const exam = { reference: 'ImagingStudy/s1', kind: 'exam', description: 'Scanner' } as const;
    const own = {
      kind: 'exported',
      isOwn: true,
      relation: 'self',
      exams: Array.from({ length: 30 }, () => exam),
      further: 2,
    } as const;
    expect(inFrench(own)).to.match(/, vous avez téléchargé votre dossier, avec 32\u00A0examens\.$/);
    expect(inFrench({ ...own, exams: [], further: 0 })).to.match(/, avec 0\u00A0examen\.$/);
  });

  it('has words for every right in every language', () => {
    expect(Object.keys(RIGHT_WORDS).sort()).to.deep.equal(RELATIONS.filter((one) => one !== 'self').toSorted());
    for (const words of Object.values(RIGHT_WORDS)) for (const each of LANGUAGES) expect(words[each]).to.not.equal('');
  });
});

function event(minute: number, facts: Partial<PassageFacts>) {
  return buildAuditEvent({
    id: `e${minute}`,
    kind: 'read',
    recorded: new Date(Date.UTC(2026, 2, 14, 8, minute)).toISOString(),
    outcome: '0',
    requestId: 'r',
    server: 'https://passerelle.example/fhir',
    client: { id: 'app' },
    user: { reference: 'Practitioner/d1', display: 'Dr Anne Martin', purpose: 'TREAT' },
    patient: 'Patient/p1',
    relation: 'declared',
    ...facts,
  });
}

const accessLines = (events: readonly AuditEvent[], own: ReadonlySet<string>): readonly AccessLine[] => {
  const lines = new AccessLines(own);
  lines.add(events);
  return lines.latestFirst();
};

const HERS = new Set(['Patient/p1', 'Patient/p2']);

const viewed = (minute: number, facts: Partial<PassageFacts> = {}) =>
  event(minute, { kind: 'wado', entities: [studyEntity('1.2', 'ImagingStudy/s1')], ...facts });
const told = (events: readonly ReturnType<typeof event>[]) =>
  accessLines(events, HERS).map(({ kind, events: ids, exams }) => [kind, ids, exams.map(({ reference }) => reference)]);

describe('Accesses', () => {
  it('are her own under each identity of hers, and another’s who was she by a mistake', () => {
    const by = (reference: string) =>
      accessLines([viewed(1, { user: { reference, display: 'X', purpose: 'PATRQT' } })], HERS);
    expect(['Patient/p1', 'Patient/p2', 'Patient/other'].map((one) => by(one)[0]?.isOwn)).to.deep.equal([
      true,
      true,
      false,
    ]);
  });

  it('are one for a viewing with its metadata and frames, for a quarter of an hour', () => {
    const events = [viewed(0, { kind: 'wado-metadata' }), viewed(1), viewed(14, { kind: 'qido' }), viewed(15)];
    expect(told(events)).to.deep.equal([
      ['opened', ['e15'], ['ImagingStudy/s1']],
      ['opened', ['e0', 'e1', 'e14'], ['ImagingStudy/s1']],
    ]);
  });

  it('are several of several readers, rights and exams', () => {
    const user = { reference: 'Practitioner/d2', display: 'Dr B', purpose: 'TREAT' };
    const events = [
      viewed(0),
      viewed(1, { user }),
      viewed(2, { relation: 'break-glass' }),
      viewed(3, { entities: [studyEntity('1.3', 'ImagingStudy/s2')] }),
      viewed(4),
    ];
    expect(told(events).map(([, ids]) => ids)).to.deep.equal([['e3'], ['e2'], ['e1'], ['e0', 'e4']]);
  });

  it('are of lists with all that they showed, and of what has no exam', () => {
    const exam = (id: string) => ({
      what: { reference: `ImagingStudy/${id}` },
      type: resourceType('ImagingStudy'),
      role: '3',
    });
    const search = { kind: 'search', entities: [{ role: '24', query: 'ImagingStudy?_count=20' }] } as const;
    const events = [
      event(0, { ...search, exams: [exam('s1'), { ...exam('s2'), detail: { further: '3' } }] }),
      event(1, { ...search, exams: [exam('s2'), exam('s3')] }),
      event(2, search),
      event(3, { entities: [{ what: { reference: 'Patient/p1' } }] }),
    ];
    expect(told(events)).to.deep.equal([
      ['record', ['e2', 'e3'], []],
      ['listed', ['e0', 'e1'], ['ImagingStudy/s1', 'ImagingStudy/s2', 'ImagingStudy/s3']],
    ]);
    // Five at least: what the first list did not name may be the exam that the second one names.
    expect(accessLines(events, HERS).at(-1)).to.deep.include({ further: 2, isAtLeast: true });
  });

  it('of a list that comes in pages are one with the exams of all, once each, however often a page is read', () => {
    const page = (minute: number, query: string) =>
      event(minute, {
        kind: 'search',
        entities: [{ role: '24', query }],
        exams: Array.from({ length: 20 }, (_, at) => ({
          what: { reference: `ImagingStudy/${query.length}-${at}` },
          type: resourceType('ImagingStudy'),
          ...(at === 19 ? { detail: { further: '30' } } : {}),
        })),
      });
    const pages = ['ImagingStudy?_count=50', 'ImagingStudy?_count=50&_cursor', 'ImagingStudy?_cursor'];
    const [line] = accessLines(
      pages.map((query, at) => page(at, query)),
      HERS,
    );
    expect(line?.exams).to.have.length(60);
    expect(line).to.deep.include({ further: 90, isAtLeast: true });
    const again = accessLines([page(0, 'ImagingStudy?_count=50'), page(1, 'ImagingStudy?_count=50')], HERS);
    expect(again[0]).to.deep.include({ further: 30, isAtLeast: true });
  });

  it('are the same whether their events come at once or page by page', () => {
    const events = [viewed(0), viewed(1), event(2, { kind: 'export' }), viewed(3), viewed(20)];
    const lines = new AccessLines(HERS);
    for (const one of events) lines.add([one]);
    expect(lines.latestFirst()).to.deep.equal(accessLines(events, HERS));
  });

  it('are one for an export of the record, whatever comes in it, and other exports are openings', () => {
    const events = [viewed(0, { kind: 'export' }), event(1, { kind: 'export' }), viewed(2, { kind: 'iti-43' })];
    expect(told(events)).to.deep.equal([
      ['opened', ['e2'], ['ImagingStudy/s1']],
      ['exported', ['e0', 'e1'], ['ImagingStudy/s1']],
    ]);
  });

  it('are not what was refused, what was written, the end of a viewing, nor what the server did', () => {
    const nobody = viewed(0);
    const end = furtherEvent(viewed(20), {
      id: 'e21',
      recorded: '2026-03-14T08:40:00Z',
      detail: moreRequests('frames', 7),
      isErased: false,
    });
    const refused = viewed(1, { outcome: '4', outcomeDesc: 'not-found' });
    const written = event(2, { kind: 'update', entities: [{ what: { reference: 'DiagnosticReport/r1' } }] });
    const ofServer = { ...nobody, agent: nobody.agent.filter(({ who }) => who?.reference === undefined) };
    expect(told([refused, written, end, ofServer, event(3, { kind: 'operation' })])).to.deep.equal([]);
    expect(told([event(4, { kind: 'break-glass' })])).to.deep.equal([['emergency', ['e4'], []]]);
  });
});
