/**
 * The day of a request to erase a record has come: her exams are erased as if they had never been, one study after the
 * other, then what else was filed of her, what is for those whom it names alone, what was given to her, and who she is;
 * a run that was cut short goes on with what is left. What became hers by a join since the request is not of it: two
 * may have been joined by a mistake.
 */
import { systemReading } from '../../access/grant.ts';
import type { TakenJob } from '../../ports/job-queue.ts';
import type { TokenStore } from '../../ports/token-store.ts';
import { destroyGiven } from '../directory/end-tokens.ts';
import { rowById } from '../internal-reads.ts';
import type { JobRun } from '../jobs/job-runner.ts';
import { beginErasure } from './begin-erasure.ts';
import { endErasure, type EndErasureDeps } from './end-erasure.ts';
import { eraseAside } from './erase-aside.ts';
import { eraseItems } from './erase-items.ts';
import { erasedPerson, eraseFromTrail } from './erase-from-trail.ts';
import { eraseIdentities, eraseOwn } from './erase-person.ts';
import { eraseStudiesOf } from './erase-studies.ts';
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
    const patients = new Set(begun.identities.map(({ id }) => `Patient/${id}`));
    const taking = { task: subject, person, subject: begun.subject, identities: patients };
    await eraseStudiesOf(deps, taking, run);
    await eraseAside(deps, taking, run);
    await eraseItems(deps, taking, run);
    await eraseOwn(deps, taking, run);
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
