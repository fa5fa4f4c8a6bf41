/**
 * The published examples of IHE PCF 1.1, each sent over the wire by the patient: as it is published, for treatment
 * alone, and for treatment to a correspondent where it names nobody. What is enforced is taken, and shows what it says;
 * all else is refused, and the element that is not supported is named.
 */
import type {
  Communication,
  Consent,
  ConsentProvision,
  ImagingStudy,
  Parameters,
  Period,
  Reference,
} from '@medplum/fhirtypes';
import { expect } from 'chai';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { demoConsent } from '../../fixtures/consent.ts';
import { ESTABLISHMENTS } from '../../fixtures/people.ts';
import { CODE_SYSTEM } from '../../profiles/codes.ts';
import { hasProgram } from '../profiles/dicom/samples.ts';
import {
  eventually,
  expectOutcome,
  fhirCaller,
  type FhirAnswer,
  type FhirCaller,
} from '../support/clients/fhir-caller.ts';
import { TESTDATA } from '../support/testdata.ts';
import { expectHidden, expectShown } from './support/cell.ts';
import { DOORS } from './support/doors/doors.ts';
import { count } from './support/emergencies.ts';
import { canAsk, type PersonKey } from './support/people.ts';
import { openWorld, type World } from './support/world.ts';

const EXAMPLES = join(TESTDATA, 'ihe', 'pcf');

/**
 * How much of hers, of an exam, an observation and a visit, the correspondent and the author count while the Consent
 * stands, or why it is refused.
 */
type Answer = { readonly declared: number; readonly author: number } | { readonly refused: string };

/** What is sent of an example: as it is, for treatment, and for treatment to a correspondent, where it is another. */
type Answers = { readonly published: Answer; readonly treatment: Answer; readonly correspondent?: Answer };

const forbidden = { refused: '403 forbidden purpose' } as const;
const lacks = (element: string): Answer => ({ refused: `501 not-supported ${element}` });
/** Who wrote it sees it; nobody else is let see it, or the correspondent is. */
const NOBODY_ELSE: Answer = { declared: 0, author: 3 };
const DECLARED: Answer = { declared: 3, author: 3 };
/** Nobody but the patient sees it. */
const CLOSED: Answer = { declared: 0, author: 0 };

/** By the name of the example. */
const TABLE: Readonly<Record<string, Answers>> = {
  // Payment and operations are no purposes here: a permit for them is refused whole.
  'consent-basic-treat': { published: forbidden, treatment: NOBODY_ELSE, correspondent: DECLARED },
  'consent-basic-ink': { published: forbidden, treatment: NOBODY_ELSE, correspondent: DECLARED },
  'consent-basic-treat-infant': { published: forbidden, treatment: NOBODY_ELSE, correspondent: DECLARED },
  'consent-basic-research': { published: forbidden, treatment: NOBODY_ELSE, correspondent: DECLARED },
  'consent-basic-reject': { published: CLOSED, treatment: CLOSED },
  // What is shared for a time alone is declared.
  'consent-expired-treat': { published: forbidden, treatment: lacks('period'), correspondent: NOBODY_ELSE },
  'consent-intermediate-purpose': { published: lacks('purpose'), treatment: DECLARED },
  'consent-intermediate-authoredby': { published: forbidden, treatment: lacks('data'), correspondent: lacks('data') },
  'consent-intermediate-encounter': { published: forbidden, treatment: lacks('data'), correspondent: lacks('data') },
  // The observation and the visit, and no exam.
  'consent-intermediate-data': {
    published: forbidden,
    treatment: lacks('actor'),
    correspondent: { declared: 2, author: 3 },
  },
  // What is of a time is declared to somebody; hers is of another one.
  'consent-intermediate-timeframe': { published: forbidden, treatment: lacks('actor'), correspondent: NOBODY_ELSE },
  ...Object.fromEntries(
    ['not-authoredby', 'not-encounter', 'not-data', 'not-timeframe'].map((name) => [
      `consent-intermediate-${name}`,
      { published: forbidden, treatment: lacks('provision'), correspondent: lacks('provision') },
    ]),
  ),
  'dissent-intermediate-break-glass': { published: lacks('policy'), treatment: lacks('policy') },
  // N is up to where whoever is declared sees anyway; of nobody a Consent raises it, or lowers it for others.
  'consent-advanced-normal': { published: forbidden, treatment: lacks('actor'), correspondent: DECLARED },
  'consent-advanced-normal-restricted': {
    published: forbidden,
    treatment: lacks('securityLabel'),
    correspondent: lacks('securityLabel'),
  },
  ...Object.fromEntries(
    ['not-restricted', 'focused-restricted', 'break-glass-restricted', 'focused-psy', 'focused-psy-or-sdv'].map(
      (name) => [
        `consent-advanced-normal-${name}`,
        { published: forbidden, treatment: lacks('provision'), correspondent: lacks('provision') },
      ],
    ),
  ),
};

const [DEMO_ACTOR] = demoConsent('Patient/1').provision?.actor ?? [];

describe('The published examples of IHE PCF 1.1, over the wire (ITI-108)', function () {
  this.timeout(60_000);
  let world: World;
  let patient: FhirCaller;
  /** An observation and a visit of hers, by type. */
  const items = new Map<string, string>();
  const callerOf = (who: PersonKey): FhirCaller => fhirCaller(world.server.url, world.tokens.get(who));

  before(async function () {
    if (!existsSync(EXAMPLES) || !hasProgram('storescu')) this.skip();
    world = await openWorld({ store: 'sqlite', slices: 1 });
    patient = callerOf('patient');
    for (const { id } of await patient.find<Consent>('Consent?actor=Practitioner/demo-declared'))
      expect((await patient.send('DELETE', `Consent/${id}`)).status).to.be.oneOf([200, 204]);
    const subject = { reference: `Patient/${world.ids.patient}` };
    for (const item of [
      { resourceType: 'Observation', status: 'final', code: { text: 'Poids' }, subject },
      { resourceType: 'Encounter', status: 'finished', class: { system: CODE_SYSTEM.actCode, code: 'AMB' }, subject },
    ]) {
      const sent = await callerOf('author').send('POST', item.resourceType, item, { Prefer: 'return=representation' });
      expect(sent.status, sent.text).to.equal(201);
      items.set(item.resourceType, `${item.resourceType}/${sent.json<{ id: string }>().id}`);
    }
    expect(await countedBy(), 'before').to.deep.equal(NOBODY_ELSE);
  });
  after(async () => await world?.close());

  const counted = async (caller: FhirCaller): Promise<number> => {
    const counts = [];
    for (const type of ['ImagingStudy', 'Observation', 'Encounter']) counts.push((await count(caller, type)) ?? 0);
    return counts.reduce((one, other) => one + other);
  };
  const countedBy = async (): Promise<Answer> => ({
    declared: await counted(callerOf('declared')),
    author: await counted(callerOf('author')),
  });

  /** The observation or visit in place of one of the example. */
  const ofHers = ({ reference = '' }: Reference): string => items.get(reference.split('/')[0] ?? '') ?? reference;

  /** An example about people who are here, and what is theirs. */
  const example = (name: string): Consent & { readonly provision: ConsentProvision } => {
    const {
      id: _,
      text: __,
      ...published
    } = JSON.parse(readFileSync(join(EXAMPLES, `Consent-ex-${name}.json`), 'utf8')) as Consent;
    const reference = `Patient/${world.ids.patient}`;
    const organization = [{ reference: ESTABLISHMENTS.strasbourg.organization }];
    const sourceReference = { reference: `DocumentReference/${world.ids.reportDocument.id}` };
    const here = { ...published, patient: { reference }, performer: [{ reference }], organization, sourceReference };
    const provision = published.provision ?? {};
    const actor = (provision.actor ?? []).map((one) => ({ ...one, ...DEMO_ACTOR }));
    const data = (provision.data ?? []).map((one) => ({ ...one, reference: { reference: ofHers(one.reference) } }));
    return {
      ...here,
      provision: {
        ...provision,
        ...(actor.length === 0 ? {} : { actor }),
        ...(data.length === 0 ? {} : { data }),
      },
    };
  };
  const purpose = [{ system: CODE_SYSTEM.actReason, code: 'TREAT' }];

  const answerTo = async (sent: Consent): Promise<Answer> => {
    const answer = await patient.send('POST', 'Consent', sent, { Prefer: 'return=representation' });
    if (answer.status >= 300) return refusalOf(answer);
    expect(answer.status, answer.text).to.be.oneOf([200, 201]);
    const counted = await countedBy();
    const { id } = answer.json<Consent>();
    const ended = await patient.send('DELETE', `Consent/${id}`);
    expect(ended.status, ended.text).to.be.oneOf([200, 204]);
    // Whoever ends a consent to share shares nothing.
    if (sent.provision?.actor === undefined)
      expect((await patient.send('POST', 'Patient/$reconsent')).status).to.be.oneOf([200, 201]);
    expect(await countedBy(), 'afterwards').to.deep.equal(NOBODY_ELSE);
    return counted;
  };

  it('are all of them in the table', () => {
    const names = readdirSync(EXAMPLES).flatMap((name) => /^Consent-ex-(.*)\.json$/.exec(name)?.[1] ?? []);
    expect(names.toSorted()).to.deep.equal(Object.keys(TABLE).toSorted());
  });

  for (const [name, answers] of Object.entries(TABLE))
    it(`${name}: what the server answers, and what is visible then`, async () => {
      const consent = example(name);
      const ofTreatment = { ...consent, provision: { ...consent.provision, purpose } };
      const { actor, type } = consent.provision;
      const isToNobody = actor === undefined && type === 'permit' && DEMO_ACTOR !== undefined;
      const answered = {
        published: await answerTo(consent),
        treatment: await answerTo(ofTreatment),
        ...(isToNobody
          ? {
              correspondent: await answerTo({
                ...ofTreatment,
                provision: { ...ofTreatment.provision, actor: [DEMO_ACTOR] },
              }),
            }
          : {}),
      };
      expect(answered).to.deep.equal(answers);
    });

  it('Basic: to a CareTeam of hers, for whom is in it; a Group is no actor', async () => {
    const participant = [{ member: DEMO_ACTOR?.reference }];
    const subject = { reference: `Patient/${world.ids.patient}` };
    const team = { resourceType: 'CareTeam', status: 'active', subject, participant };
    const filed = await patient.send('POST', 'CareTeam', team, { Prefer: 'return=representation' });
    expect(filed.status, filed.text).to.equal(201);
    const answers = [];
    for (const reference of [`CareTeam/${filed.json<{ id: string }>().id}`, 'Group/1']) {
      const { provision, ...consent } = example('consent-basic-treat');
      const actor = [{ role: DEMO_ACTOR?.role ?? {}, reference: { reference } }];
      answers.push(await answerTo({ ...consent, provision: { ...provision, purpose, actor } }));
    }
    expect(answers).to.deep.equal([DECLARED, lacks('actor')]);
  });

  it('Intermediate: of several items one that is unknown refuses the Consent, whichever it is', async () => {
    const { provision, ...consent } = example('consent-intermediate-data');
    const [first] = provision.data ?? [];
    const unknown = { meaning: 'instance', reference: { reference: 'Observation/unknown' } } as const;
    if (first === undefined || DEMO_ACTOR === undefined) throw new Error('The example has data');
    for (const data of [
      [first, unknown],
      [unknown, first],
    ])
      expectOutcome(
        await patient.send('POST', 'Consent', {
          ...consent,
          provision: { ...provision, purpose, actor: [DEMO_ACTOR], data },
        }),
        422,
        'business-rule',
      );
    expect(await countedBy()).to.deep.equal(NOBODY_ELSE);
  });

  describe('Consent Intermediate, provision.dataPeriod', () => {
    const sendFor = async (dataPeriod: Period) => {
      const { provision, ...consent } = example('consent-intermediate-timeframe');
      const sent = { ...provision, purpose, dataPeriod, actor: [DEMO_ACTOR] };
      return await patient.send(
        'POST',
        'Consent',
        { ...consent, provision: sent },
        { Prefer: 'return=representation' },
      );
    };

    it('shows what is of it at every door, and no more; she is told; C12 said again is one', async () => {
      const [{ started = '' } = {}] = await patient.find<ImagingStudy>('ImagingStudy');
      const day = started.slice(0, 10);
      const sent = await sendFor({ start: day, end: day });
      expect(sent.status, sent.text).to.equal(201);
      for (const door of DOORS.filter((one) => canAsk('declared', one))) await expectShown(world, door, 'declared');
      expect(await count(callerOf('declared'), 'Patient')).to.equal(1);
      expect(await counted(callerOf('declared')), 'what has no date is of no time').to.equal(1);
      expect((await sendFor({ start: day, end: day })).status).to.equal(200);
      const before = await sendFor({ end: '2022-12-31' });
      expect(before.status, before.text).to.equal(201);
      const told = (await patient.get('Patient/$who-can-access')).json<Parameters>().parameter ?? [];
      const reaches = told.flatMap(({ part = [] }) => part.filter(({ name }) => name === 'reach'));
      expect(reaches.filter(({ valueCode }) => valueCode === 'period')).to.have.length(2);
      await eventually(async () => {
        const notices = await patient.find<Communication>('Communication?_count=100');
        return notices.find(({ payload }) =>
          payload?.[0]?.contentString?.includes('une seule période de votre dossier'),
        );
      });
      expect((await patient.send('DELETE', `Consent/${sent.json<Consent>().id}`)).status).to.equal(204);
      for (const door of DOORS.filter((one) => canAsk('declared', one))) await expectHidden(world, door, 'declared');
    });

    it('is refused where it has no real dates', async () => {
      expectOutcome(await sendFor({ start: '2022-02-30' }), 400, 'invalid');
    });
  });
});

/** The status, the code, and the element of the provision that the refusal names. */
function refusalOf(answer: FhirAnswer): Answer {
  const [code = ''] = answer.json<{ issue: { code: string }[] }>().issue.map((issue) => issue.code);
  const [, element = ''] = /^Consent(?:\.provision)?\.([A-Za-z]+)/.exec(expectOutcome(answer, answer.status)) ?? [];
  return { refused: `${answer.status} ${code} ${element}` };
}
