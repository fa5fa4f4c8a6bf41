import type { Communication, CommunicationPayload, Extension } from '@medplum/fhirtypes';
import { expect } from 'chai';
import { LANGUAGES, type Language } from '../../../profiles/language.ts';
import { mailTextOf } from '../../../profiles/notices/mail-text.ts';
import {
  awaitsMail,
  buildNotice,
  forLetter,
  LETTER_REASONS,
  mailed,
  NOTICES,
  noticeKindOf,
  type LetterReason,
  type NoticeKind,
} from '../../../profiles/notices/notice.ts';
import definedOutcomes from '../../../profiles/definitions/CodeSystem-notice-outcome.json' with { type: 'json' };
import definedNotices from '../../../profiles/definitions/CodeSystem-notice.json' with { type: 'json' };
import { loadDefinitions } from '../../../server/runtime/definitions.ts';

const KINDS = Object.keys(NOTICES) as NoticeKind[];
const TEXT = { fr: 'bonjour', de: 'guten Tag', en: 'hello' };
const FACTS = { id: 'n', patient: 'Patient/p', now: Date.UTC(2026, 10, 30) };

function notice(): Communication {
  return buildNotice({ ...FACTS, kind: 'emergency', text: TEXT });
}

/** Its texts by language, the first under its own. */
function textsOf({ language = '', payload = [] }: Communication): Record<string, string> {
  const [one] = payload as (CommunicationPayload & { _contentString?: { extension?: Extension[] } })[];
  const others = (one?._contentString?.extension ?? []).map(({ extension = [] }) => [
    extension[0]?.valueCode,
    extension[1]?.valueString,
  ]);
  return { [language]: one?.contentString, ...Object.fromEntries(others) } as Record<string, string>;
}

describe('A notice', () => {
  it('says the same in every language, and hers first when she is known', () => {
    expect(textsOf(notice())).to.deep.equal(TEXT);
    for (const language of LANGUAGES) {
      const told = mailed(notice(), language);
      expect([told.language, told.payload?.[0]?.contentString]).to.deep.equal([language, TEXT[language]]);
      expect(textsOf(told)).to.deep.equal(TEXT);
    }
  });

  it('tells what became of it: completed by e-mail; stopped or not done, and for a letter', () => {
    expect(awaitsMail(notice())).to.equal(true);
    const told = mailed(notice(), 'fr');
    expect([told.status, told.medium?.[0]?.coding?.[0]?.code, awaitsMail(told)]).to.deep.equal([
      'completed',
      'EMAILWRIT',
      false,
    ]);
    for (const [reason, status] of [
      ['no-mail', 'not-done'],
      ['no-address', 'not-done'],
      ['refused', 'stopped'],
      ['undeliverable', 'stopped'],
      ['letter-too', 'completed'],
    ] as const) {
      const letter = forLetter(notice(), { language: 'de', reason });
      const said = [letter.status, letter.statusReason?.coding?.[0]?.code, letter.medium?.[0]?.coding?.[0]?.code];
      expect(said).to.deep.equal([status, reason, 'MAILWRIT']);
      expect(awaitsMail(letter)).to.equal(false);
    }
  });

  it('is valid R4, whatever became of it', async () => {
    const { validate } = await loadDefinitions();
    const own = { system: 'urn:oid:1.2.3', value: '4711' };
    const all = KINDS.map((kind) => buildNotice({ ...FACTS, kind, text: TEXT, about: [{ reference: 'Task/t' }] }));
    const letters = (Object.keys(LETTER_REASONS) as LetterReason[]).map((reason) =>
      forLetter(notice(), { language: 'en', reason, own }),
    );
    for (const one of [...all, mailed(notice(), 'de'), ...letters]) validate(one);
  });

  it('has the codes of its code systems', () => {
    expect(definedNotices.concept.map(({ code, display }) => [code, display])).to.deep.equal(Object.entries(NOTICES));
    expect(definedNotices.count).to.equal(KINDS.length);
    expect(definedOutcomes.concept.map(({ code, display }) => [code, display])).to.deep.equal(
      Object.entries(LETTER_REASONS),
    );
    expect(definedOutcomes.count).to.equal(definedOutcomes.concept.length);
    expect(noticeKindOf(notice())).to.equal('emergency');
    expect(noticeKindOf({ resourceType: 'Communication', status: 'in-progress' })).to.equal(undefined);
  });
});

describe('A mail', () => {
  const SITE = 'https://imaging.example.org';
  const of = (kind: NoticeKind, language: Language): string => mailTextOf(kind, language, SITE).text;

  it('of each kind differs in every language, names the server, and its subject says nothing of why', () => {
    const texts = KINDS.flatMap((kind) => LANGUAGES.map((language) => of(kind, language)));
    expect(new Set(texts).size).to.equal(KINDS.length * LANGUAGES.length);
    for (const text of texts) expect(text).to.include(`\n${SITE}\n`);
    const subjects = KINDS.flatMap((kind) => LANGUAGES.map((language) => mailTextOf(kind, language, SITE).subject));
    expect(new Set(subjects).size).to.equal(LANGUAGES.length);
  });

  it('L06 holds no word of exams, reports, images or illness, nor a line that is too long for SMTP', () => {
    const clinical =
      /exam|untersuch|befund|compte rendu|report\b|image|bild|radio|scanner|diagnos|malad|krank|illness|result/i;
    for (const kind of KINDS)
      for (const language of LANGUAGES) {
        const text = of(kind, language).replace(SITE, '');
        expect(text).to.not.match(clinical);
        for (const line of text.split('\n')) expect(line.length).to.be.lessThan(500);
      }
  });
});
