/**
 * The day of a request to erase a record has come: her exams are erased as if they had never been, one study after the
 * other, then what else was filed of her, what is for those whom it names alone, what was given to her, and who she is;
 * a run that was cut short goes on with what is left. What became hers by a join since the request is not of it: two
 * may have been joined by a mistake.
 */
import type { ImagingStudy } from '@medplum/fhirtypes';
import { Fault } from '../../../profiles/fault.ts';
import { studyInstanceUIDIn } from '../../../profiles/imaging/identifiers.ts';
import { systemReading, type SystemGrant } from '../../access/grant.ts';
import type { TakenJob } from '../../ports/job-queue.ts';
import type { RecordStore } from '../../ports/record-store.ts';
import type { TokenStore } from '../../ports/token-store.ts';
import { destroyGiven } from '../directory/end-tokens.ts';
import { pagesOfAll, rowById } from '../internal-reads.ts';
import type { JobRun } from '../jobs/job-runner.ts';
import { beginErasure } from './begin-erasure.ts';
import { endErasure, type EndErasureDeps } from './end-erasure.ts';
import { eraseAside } from './erase-aside.ts';
import { eraseItems } from './erase-items.ts';
import { erasedPerson, eraseFromTrail } from './erase-from-trail.ts';
import { eraseIdentities, eraseOwn } from './erase-person.ts';
import { eraseStudyOf } from './erase-study.ts';
import { tellPerson, tellRecipients, type TellErasedDeps } from './tell-erased.ts';

/** What the work needs. */
export type EraseRecordDeps = TellErasedDeps &
  EndErasureDeps & {
    readonly tokens: Pick<TokenStore, 'given' | 'destroy'>;
  };

/** Makes the work of `erase-record`. A request that was cancelled is left alone. */
export function eraseRecord(deps: EraseRecordDeps) {
  return async (
    { subject, attempts }: Pick<TakenJob<'erase-record'>, 'subject' | 'attempts'>,
    run: JobRun,
  ): Promise<{ readonly againAt: number } | void> => {
    const begun = await beginErasure(deps, subject);
    if (typeof begun === 'number') return { againAt: begun };
    if (begun === undefined) return;
    const { person } = begun;
    const reading = systemReading('erase-record', deps.clock.now());
    const patients = new Set(begun.identities.map(({ id }) => `Patient/${id}`));
    for (const studyInstanceUID of await studiesOf(deps.records, reading({ person }), patients)) {
      await eraseStudyOf(deps, studyInstanceUID, person, run).catch(unlessGone);
      await run.goOn();
    }
    await eraseAside(deps, person, patients, run);
    await eraseItems(deps, begun, patients, run);
    await eraseOwn(deps, person, patients, run);
    const ended = await representativesGone(deps);
    await destroyGiven(deps.tokens, ({ account = '' }) => patients.has(account) || ended.has(account));
    await run.goOn();
    const mailed = await tellPerson(deps, begun, attempts);
    const told = mailed && (await tellRecipients(deps, mailed));
    // Another server went on with it meanwhile.
    if (told === undefined) return;
    const who = await erasedPerson(deps, begun);
    await eraseFromTrail(deps, `Task/${subject}`, who, run);
    await run.goOn();
    const { identities } = await eraseIdentities(deps, begun);
    // Whoever asked for her meanwhile has left events.
    await eraseFromTrail(deps, `Task/${subject}`, who, run);
    await run.goOn();
    await endErasure(deps, { ...told, identities });
  };
}

/** Study Instance UIDs of what is filed under these identities. */
async function studiesOf(
  records: RecordStore,
  hers: SystemGrant,
  identities: ReadonlySet<string>,
): Promise<readonly string[]> {
  const uids: string[] = [];
  for await (const page of pagesOfAll<ImagingStudy>(records, hers, 'ImagingStudy'))
    for (const { row, resource } of page)
      if (identities.has(row.subject ?? '')) uids.push(studyInstanceUIDIn(resource));
  return uids;
}

/** Accounts (`RelatedPerson/id`) that something was given to, and whose row is gone: of hers no row tells any more. */
async function representativesGone({ records, tokens, clock }: EraseRecordDeps): Promise<ReadonlySet<string>> {
  const reading = systemReading('erase-record', clock.now());
  const gone = new Set<string>();
  for await (const { account = '' } of tokens.given()) {
    const [type, id = ''] = account.split('/');
    if (type !== 'RelatedPerson' || gone.has(account)) continue;
    if ((await rowById(records, reading, type, id)) === undefined) gone.add(account);
  }
  return gone;
}

/** What an operator has erased meanwhile is gone. */
function unlessGone(error: unknown): void {
  if (!(error instanceof Fault) || error.kind !== 'not-found') throw error;
}
