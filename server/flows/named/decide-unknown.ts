/** A desk decides who is meant by a name that is on its list, or that nobody is: the Consent that waits follows. */
import type { Consent, Practitioner, Task } from '@medplum/fhirtypes';
import { actorOf } from '../../../profiles/consent/actors.ts';
import {
  CORRESPONDENT_VERDICTS,
  decidedUnknown,
  unknownActors,
  type CorrespondentVerdict,
} from '../../../profiles/consent/unknown-correspondent.ts';
import { Fault } from '../../../profiles/fault.ts';
import type { NarrowReading } from '../../access/grant.ts';
import { findById, type Found } from '../internal-reads.ts';
import { changed } from '../write/changed-put.ts';
import { aboutRow } from '../write/plain-parts.ts';
import type { PlanParts } from '../write/plan-parts.ts';
import { knownCorrespondentParts, type KnownDeps } from './known-parts.ts';

/** What is decided: `professional` (`Practitioner/id`) is who is meant; `officer` (a reference) decides. */
export type DecidedUnknown = {
  readonly verdict: string;
  readonly professional?: string | undefined;
  readonly comment: string;
  readonly officer: string;
  readonly now: number;
};

/**
 * Works out the parts. Whether the declaration gives something then is not told: what the patient said goes before it.
 * @throws {Fault} invalid - a verdict that Tasks of this kind do not have; nobody active of the directory
 * @throws {Fault} forbidden - the officer herself would be declared
 * @throws {Fault} conflict - it is decided; she shares nothing at present, and it waits on
 * @throws {Fault} not-supported - the Consent names several who are not known: it is sent again, or refused
 */
export async function unknownDecidedParts(
  deps: KnownDeps,
  reading: NarrowReading,
  { row, resource: task }: Found<Task>,
  decided: DecidedUnknown,
): Promise<readonly PlanParts[]> {
  const { comment, officer, now } = decided;
  const verdict = verdictOf(decided.verdict);
  const id = task.focus?.reference?.replace(/^Consent\//, '') ?? '';
  const consent = await findById<Consent>(deps.records, reading, 'Consent', id);
  if (task.status !== 'requested' || consent?.resource.status !== 'proposed')
    throw new Fault('conflict', 'It is decided already');
  if (verdict === 'refused') {
    const refused = { ...consent.resource, status: 'inactive' as const };
    return [
      changed(deps.indexer, row, decidedUnknown(task, { comment, officer, now }), now, aboutRow(row)),
      changed(deps.indexer, consent.row, refused, now, aboutRow(consent.row)),
    ];
  }
  const professional = await professionalMeant(deps, reading, decided);
  const done = decidedUnknown(task, { professional, comment, officer, now });
  const named = naming(consent.resource, professional);
  const parts = await knownCorrespondentParts(deps, reading, consent, named, now);
  if (parts === undefined) throw new Fault('conflict', 'A declaration gives nothing at present: decide it later');
  return [changed(deps.indexer, row, done, now, aboutRow(row)), ...parts];
}

function verdictOf(said: string): CorrespondentVerdict {
  const verdict = CORRESPONDENT_VERDICTS.find((one) => one === said);
  if (verdict !== undefined) return verdict;
  throw new Fault('invalid', `The verdict is one of ${CORRESPONDENT_VERDICTS.join(', ')}`, { expression: 'verdict' });
}

async function professionalMeant(
  { records }: KnownDeps,
  reading: NarrowReading,
  { professional, officer }: DecidedUnknown,
): Promise<string> {
  const actor = actorOf(professional ?? '');
  if (actor?.reference === officer) throw new Fault('forbidden', 'Nobody declares herself: a colleague does');
  const found =
    actor?.type === 'Practitioner' ? await findById<Practitioner>(records, reading, actor.type, actor.id) : undefined;
  if (actor === undefined || found === undefined || found.resource.active === false)
    throw new Fault('invalid', 'The professional is somebody of the directory', { expression: 'professional' });
  return actor.reference;
}

/** The Consent with a reference for the one who was not known. */
function naming(consent: Consent, reference: string): Consent {
  if (unknownActors(consent).length !== 1)
    throw new Fault('not-supported', 'Of several who are not known a desk decides none', {
      expression: 'professional',
    });
  const actor = (consent.provision?.actor ?? []).map((one) =>
    one.reference.reference === undefined ? { ...one, reference: { ...one.reference, reference } } : one,
  );
  return { ...consent, provision: { ...consent.provision, actor } };
}
