/** Whom somebody represents, over time and by several rows (access.md 10.3). */
import { expect } from 'chai';
import type { AuditEvent, Communication, Identifier, Patient, Period, RelatedPerson } from '@medplum/fhirtypes';
import type { PersonKey } from '../../../../server/access/requester.ts';
import { findRepresented } from '../../../../server/flows/care/representatives.ts';
import { indexHolders } from '../../../../server/flows/directory/holders.ts';
import { accountStands } from '../../../../server/flows/identity/resolve-requester.ts';
import { newsId } from '../../../../server/flows/notices/news-id.ts';
import { tellNews } from '../../../../server/flows/notices/tell-news.ts';
import { filedBy, putOf } from '../../../../server/flows/write/plan-parts.ts';
import { openedResource } from '../../../../server/ports/internal-row.ts';
import type { TakenJob } from '../../../../server/ports/job-queue.ts';
import { loadDefinitions } from '../../../../server/runtime/definitions.ts';
import { registerIdentity } from '../../../support/identities.ts';
import { aPlan, aQuery, NOW, SYSTEM } from '../../../support/plans.ts';
import { commitPlan } from '../../../support/warrants.ts';
import { CLINIC, openClinic, type Clinic } from '../../endpoints/clinic.ts';

type Number = Required<Pick<Identifier, 'system' | 'value'>>;

const HOUR_MS = 3_600_000;
const DOMAIN = 'urn:oid:2.25.77';
const OTHER_DOMAIN = 'urn:oid:2.25.78';

describe('Who represents others', () => {
  let clinic: Clinic;
  let now = NOW;
  const clock = { now: () => now };
  const shown: AuditEvent[] = [];
  before(async () => {
    clinic = await openClinic();
  });
  after(async () => await clinic?.close());

  /** A child, and who she is. */
  async function child(id: string): Promise<{ readonly id: string; readonly person: PersonKey }> {
    const { records } = clinic.stores;
    const { indexer } = await loadDefinitions();
    const said: Patient & { readonly id: string } = {
      resourceType: 'Patient',
      id,
      name: [{ family: 'Enfant', given: [id] }],
      birthDate: '2020-02-03',
    };
    const own = { system: 'urn:oid:1.2.3.4', value: id };
    const deps = { records, clock, indexer, region: clinic.region };
    return { id, person: await registerIdentity(deps, { source: CLINIC, own, said }) };
  }

  async function named(
    id: string,
    of: Awaited<ReturnType<typeof child>>,
    identifier: Number,
    start?: number,
    end?: number,
  ): Promise<void> {
    const { indexer } = await loadDefinitions();
    const related: RelatedPerson = {
      resourceType: 'RelatedPerson',
      id,
      identifier: [identifier],
      patient: { reference: `Patient/${of.id}` },
      relationship: [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-RoleCode', code: 'GUARD' }] }],
      name: [{ family: 'Tutrice' }],
      ...(start === undefined ? {} : { period: periodOf(start, end) }),
    };
    const origin = { ...filedBy(CLINIC), represents: true as const, zone: 'UTC' };
    const put = putOf(indexer, related, now, { person: of.person, subject: `Patient/${of.id}`, origin });
    await commitPlan(clinic.stores.records, aPlan({ puts: [put] }));
  }

  const found = async (...numbers: readonly Number[]): Promise<readonly string[]> => {
    shown.length = 0;
    const { records } = clinic.stores;
    const trail = {
      record: async (all: readonly { readonly event: AuditEvent }[]) => {
        shown.push(...all.map(({ event }) => event));
      },
    };
    const find = findRepresented({ records, clock, timeZone: 'UTC', trail });
    const accounts = await find(numbers, { clientId: 'app', address: '192.0.2.1' });
    return accounts.map(({ reference }) => reference);
  };
  const told = async (item: string): Promise<number> => {
    const { records } = clinic.stores;
    const { indexer } = await loadDefinitions();
    const tell = tellNews({ records, clock, indexer, timeZone: 'UTC', holders: () => indexHolders([]) });
    for (const _twice of [1, 2]) await tell({ subject: item } as TakenJob<'tell-news'>);
    const { rows } = await records.peek(SYSTEM, { kind: 'search', query: aQuery('Communication') });
    const about = rows.flatMap((row) => openedResource<Communication>(row).about ?? []);
    return about.filter(({ reference }) => reference === item).length;
  };

  it('one whose time begins later is found, and told of once, from then on', async () => {
    const number = { system: DOMAIN, value: 'later' };
    const begin = now + HOUR_MS;
    await named('later', await child('later-child'), number, begin);
    expect([await found(number), await told('RelatedPerson/later')]).to.deep.equal([[], 0]);
    const asked = await clinic.stores.jobs.list({ kind: 'tell-news', limit: 100 }, now);
    expect(asked.map(({ subject, at }) => [subject, at])).to.deep.equal([['RelatedPerson/later', begin]]);
    now = begin;
    expect([await found(number), await told('RelatedPerson/later')]).to.deep.equal([['RelatedPerson/later'], 1]);
    expect(await told('RelatedPerson/later'), 'once').to.equal(1);
  });

  it('of one child is asked once, by however many numbers and rows she is named', async () => {
    const [one, other] = [
      { system: DOMAIN, value: 'double' },
      { system: OTHER_DOMAIN, value: 'double' },
    ];
    const twice = await child('double-child');
    await named('double-1', twice, one);
    await named('double-2', twice, other);
    expect(await found(one, other)).to.deep.equal(['RelatedPerson/double-1']);
    expect(shown.length, 'shown once').to.equal(1);
    expect(await found(other)).to.deep.equal(['RelatedPerson/double-2']);
    expect(await found()).to.deep.equal([]);
  });

  it('no account stands while her erasure is pending, and it does again once that is cancelled', async () => {
    const { records } = clinic.stores;
    const erased = await child('erased-child');
    await named('erased', erased, { system: DOMAIN, value: 'erased' });
    const stands = accountStands({ records, clock, timeZone: 'UTC' });
    const seen: boolean[] = [];
    for (const erasurePending of [false, true, false]) {
      await commitPlan(records, aPlan({ states: [{ person: erased.person, change: { erasurePending } }] }));
      seen.push(await stands('RelatedPerson/erased'));
    }
    expect(seen).to.deep.equal([true, false, true]);
  });

  it('who comes of age is invited once, on the day; not where nobody represented her until then', async () => {
    const { records, jobs } = clinic.stores;
    const { indexer } = await loadDefinitions();
    const tell = tellNews({ records, clock, indexer, timeZone: 'UTC', holders: () => indexHolders([]) });
    const day = Date.UTC(2038, 1, 3);
    const number = { system: DOMAIN, value: 'until-age' };
    const invited = async (of: string): Promise<number> => {
      const { rows } = await records.peek(SYSTEM, { kind: 'search', query: aQuery('Communication') });
      const told = rows.map((row) => openedResource<Communication>(row));
      return told.filter(
        ({ subject, category }) =>
          subject?.reference === `Patient/${of}` && category?.[0]?.coding?.[0]?.code === 'majority',
      ).length;
    };
    const asked = async (item: string): Promise<readonly number[]> =>
      (await jobs.list({ kind: 'tell-news', limit: 1_000 }, now))
        .filter(({ subject }) => subject === `${item}/majority`)
        .map(({ at }) => at);
    const run = async (subject: string): Promise<void> => await tell({ subject } as TakenJob<'tell-news'>);
    const grown = await child('grown');
    for (const id of ['mother', 'father']) await named(id, grown, { ...number, value: id });
    const begun = now;
    for (const id of ['mother', 'father']) {
      await run(`RelatedPerson/${id}`);
      expect(await asked(`RelatedPerson/${id}`)).to.deep.equal([day]);
    }
    const early = await child('early');
    await named('ended', early, { ...number, value: 'ended' }, begun, day - HOUR_MS);
    await named('adult', early, { ...number, value: 'adult' }, day);
    const late = await child('late-grown');
    await named('late-parent', late, { ...number, value: 'late-parent' });
    const erased = await child('erased-grown');
    await named('erased-parent', erased, { ...number, value: 'erased-parent' });
    await commitPlan(records, aPlan({ states: [{ person: erased.person, change: { erasurePending: true } }] }));
    for (const at of [day - 1, day]) {
      now = at;
      for (const id of ['mother', 'father', 'ended', 'adult', 'erased-parent'])
        await run(`RelatedPerson/${id}/majority`);
      const counts = [await invited('grown'), await invited('early'), await invited('erased-grown')];
      expect(counts).to.deep.equal([at === day ? 1 : 0, 0, 0]);
    }
    const id = newsId('majority', 'Patient/grown', '2038-02-03');
    const notice = await records.peek(SYSTEM, { kind: 'resource', type: 'Communication', id });
    expect(notice, 'of that day: where her birth date was wrong she is invited again').to.not.equal(undefined);
    now = Date.UTC(2039, 1, 3);
    await run('RelatedPerson/late-parent/majority');
    expect(await invited('late-grown'), 'a year later').to.equal(0);
    now -= 1;
    await run('RelatedPerson/late-parent/majority');
    expect(await invited('late-grown'), 'while she is 18').to.equal(1);
    now = begun;
  });

  it('of many are all offered: a guardian by profession has more than fifty', async () => {
    const number = { system: DOMAIN, value: 'profession' };
    for (let at = 0; at < 52; at += 1) await named(`of-${at}`, await child(`child-${at}`), number);
    expect(await found(number)).to.have.length(52);
    expect(shown).to.have.length(52);
  });
});

function periodOf(start: number, end: number | undefined): Period {
  const ends = end === undefined ? {} : { end: new Date(end).toISOString() };
  return { start: new Date(start).toISOString(), ...ends };
}
