/** What is kept aside of a person, erased with the Tasks that list it: whatever study it came under, another's too. */
import { systemGrant, systemReading, type Reading } from '../../access/grant.ts';
import type { PersonKey } from '../../access/requester.ts';
import { asideErasureWarrant, systemWarrant } from '../../access/system-warrant.ts';
import type { ClaimKey } from '../../ports/claim-key.ts';
import type { Erasure, QuarantinedInstance } from '../../ports/commit-plan.ts';
import type { RecordStore } from '../../ports/record-store.ts';
import { goneParts, keptFor } from '../aside/file-aside.ts';
import { taskKeyOf } from '../aside/list-kept-aside.ts';
import { readAside } from '../aside/stored-aside.ts';
import { identitiesOf, identityAt, readAs } from '../identity/identities.ts';
import { claimOf } from '../internal-reads.ts';
import { jobOf } from '../jobs/job-of.ts';
import type { JobRun } from '../jobs/job-runner.ts';
import { joinParts, oneOf } from '../write/plan-parts.ts';
import { eraseWithBytes, removeErasedBytes } from './erased-bytes.ts';
import { eraseNamed, namedParts } from './erased-names.ts';
import type { EraseStudyDeps } from './erase-study.ts';
import { countingParts, countRows, type Taking } from './taken.ts';

/** Instances of one plan. */
const AT_ONCE = 500;

/** Instances that are looked at between two signs of life. */
const LOOKED_AT = 100;

/**
 * Erases what is filed under some of her identities, and what others sent under a number of hers; of that the trail
 * tells nothing then.
 */
export async function eraseAside(deps: EraseStudyDeps, taking: Taking, run: JobRun): Promise<void> {
  const { records, clock } = deps;
  const { person, identities } = taking;
  const reading = systemReading('erase-study', clock.now());
  await adoptForeign(deps, reading, taking, run);
  const hers: QuarantinedInstance[] = [];
  for await (const one of records.quarantined(reading({ person })))
    if (identities.has(one.subject ?? '')) hers.push(one);
  await removeErasedBytes(deps, person);
  for (const [key, listed] of Map.groupBy(hers, taskKeyOf))
    await eraseListed(deps, { reading, taking }, key, listed, run);
  await removeErasedBytes(deps, person);
  await eraseNamed(deps, taking, run);
}

/** Of one list, which is of one study and one identity: none of it once that identity is another's. */
async function eraseListed(
  deps: EraseStudyDeps,
  { reading, taking }: { readonly reading: Reading; readonly taking: Taking },
  key: ClaimKey,
  listed: readonly QuarantinedInstance[],
  run: JobRun,
): Promise<void> {
  const { task, person, still } = taking;
  const list = await listOf(deps.records, reading, key);
  const { studyInstanceUID = '', subject = '' } = listed[0] ?? {};
  for (let at = 0; at < listed.length; at += AT_ONCE) {
    if ((await identityAt(deps.records, reading, subject))?.person !== person) return;
    const quarantined = listed.slice(at, at + AT_ONCE);
    const isLast = at + AT_ONCE >= listed.length;
    const erased = isLast ? list : [];
    const names = quarantined.map(({ blob }) => blob.name);
    const foreign = quarantined.filter(isForeign).map(({ sopInstanceUID }) => sopInstanceUID);
    const warrant = asideErasureWarrant(studyInstanceUID, subject, person);
    await eraseWithBytes(deps, person, async () => {
      const counts = { ...(await countRows(deps.records, reading, rowsOf(erased))), instances: quarantined.length };
      const counted = await countingParts(deps, task, counts);
      const told = foreign.length === 0 ? {} : await namedParts(deps, taking, foreign);
      const parts = oneOf([goneParts(quarantined), { erased }, counted, told, (await still?.()) ?? {}]);
      return { warrant, parts, names };
    });
    await run.goOn();
  }
}

/** The Task of a key, as it is erased with its claim. */
async function listOf(records: RecordStore, reading: Reading, key: ClaimKey): Promise<readonly Erasure[]> {
  const task = await claimOf(records, reading, key);
  return task === undefined ? [] : [{ rows: [{ type: 'Task', id: task }], claims: [key] }];
}

function rowsOf(erased: readonly Erasure[]): NonNullable<Erasure['rows']> {
  return erased.flatMap(({ rows = [] }) => rows);
}

function isForeign({ reason }: QuarantinedInstance): boolean {
  return reason === 'foreign-issuer';
}

/**
 * What names her by a number that another establishment than its sender gave her is filed under nobody: first it is
 * filed under her, for without its bytes it names nobody. Its list goes; what that lists of others gets a new one.
 */
async function adoptForeign(
  deps: EraseStudyDeps,
  reading: Reading,
  { person, identities, still }: Taking,
  run: JobRun,
): Promise<void> {
  const { records, clock } = deps;
  const [patient] = identities;
  if (patient === undefined) return;
  for (const [key, found] of Map.groupBy(await underHerNumbers(deps, person, identities, run), taskKeyOf)) {
    const study = found[0]?.studyInstanceUID ?? '';
    for (let at = 0; at < found.length; at += AT_ONCE) {
      const kept = found.slice(at, at + AT_ONCE).map((one) => keptFor(one, one.reason, { patient, person }));
      const list = { erased: await listOf(records, reading, key) };
      const job = { jobs: [jobOf('refresh-study', study, clock.now())] };
      const plan = joinParts(...kept, list, job, (await still?.()) ?? {});
      await records.commit(systemWarrant('erase-study', study), plan);
      await run.goOn();
    }
  }
}

async function underHerNumbers(
  { records, images, region, clock }: EraseStudyDeps,
  person: PersonKey,
  identities: ReadonlySet<string>,
  run: JobRun,
): Promise<readonly QuarantinedInstance[]> {
  const now = clock.now();
  const standing = (await identitiesOf(records, person, now)).filter(({ content }) =>
    identities.has(`Patient/${content.id}`),
  );
  // A number that nobody vouches for may be another's.
  const qualified = standing.flatMap(({ content }) => readAs(region, content).numbers.filter((one) => one.isQualified));
  const numbers = [...standing.map(({ content: { own } }) => own), ...qualified];
  const named = new Set(numbers.map(({ system, value }) => `${system}|${value}`));
  const found: QuarantinedInstance[] = [];
  let looked = 0;
  for await (const one of records.quarantined(systemGrant('erase-study', 'whole', now))) {
    if (!isForeign(one) || identities.has(one.subject ?? '')) continue;
    const { system = '', value = '' } = (await readAside(images, region, one))?.named.identity ?? {};
    if (named.has(`${system}|${value}`)) found.push(one);
    looked += 1;
    if (looked % LOOKED_AT === 0) await run.goOn();
  }
  return found;
}
