/**
 * A declaration has an identity: the Patient that it is filed under, who filed it, whom it names, and what it is to:
 * the record, some items, or a time of it. Said again, it is the one that stands; whom the patient does not want any
 * more is in none.
 * @see access.md C12
 */
import { createHash } from 'node:crypto';
import type { Consent, ConsentProvisionActor } from '@medplum/fhirtypes';
import { actorOf } from '../../../profiles/consent/actors.ts';
import { isBlock } from '../../../profiles/consent/block.ts';
import { permitOf } from '../../../profiles/consent/declaration.ts';
import { formsOfNumber } from '../../../profiles/professional-numbers.ts';
import type { Criterion } from '../../../profiles/search/query.ts';
import { claimKey, type ClaimKey } from '../../ports/claim-key.ts';
import type { InternalRow } from '../../ports/record-store.ts';
import { eventRecord, filerOf } from '../guard.ts';
import { claimOf, findAll, findById } from '../internal-reads.ts';
import { changed } from '../write/changed-put.ts';
import { aboutRow } from '../write/plain-parts.ts';
import type { PlanParts } from '../write/plan-parts.ts';
import type { Work } from '../write/work.ts';

/** One that is proposed waits for somebody whom the directory does not know. */
const OPEN: ReadonlySet<string> = new Set<Consent['status']>(['active', 'proposed']);
/** Finds what gives, and what waits and would give then. */
export const GIVES_OR_WAITS: Criterion = {
  kind: 'token',
  param: 'status',
  values: [...OPEN].map((code) => ({ code })),
};

/** An actor by the reference, or by the number in its first form, or by the name alone. */
function nameOf({ reference: { reference, identifier, display = '' } }: ConsentProvisionActor): string {
  if (reference !== undefined) return reference;
  const { system = '', value = '' } = identifier ?? {};
  if (value === '') return `name ${display}`;
  const [first] = formsOfNumber({ system, value })
    .map((number) => `${number.system}|${number.value}`)
    .toSorted();
  return first ?? '';
}

/** What a declaration is to alone: nothing where it is to the record. */
function scopeNamed({ provision: { data = [], dataPeriod } = {} }: Consent): readonly string[] {
  const exams = data.map(({ reference: { reference = '' } }) => `exam ${reference}`).toSorted();
  return dataPeriod === undefined ? exams : [...exams, `data ${dataPeriod.start ?? ''} ${dataPeriod.end ?? ''}`];
}

/** The claim of a declaration: of a Patient (`Patient/id`), by who files it (a reference), for the actors. */
export function declarationKey(subject: string, filer: string, consent: Consent): ClaimKey {
  const actors = (consent.provision?.actor ?? []).map(nameOf).toSorted();
  // Blocks of these are another one, and have other keys.
  const names = isBlock(consent) ? ['deny', ...actors] : [...actors, ...scopeNamed(consent)];
  // A hundred names would be too long for a key.
  const digest = createHash('sha256')
    .update([...new Set(names)].join())
    .digest('base64url');
  return claimKey.declaration(subject, filer, digest);
}

/** A declaration as it stands, and what makes it the one of its identity where none does. */
export type DeclarationPlace = {
  readonly standing: InternalRow | undefined;
  /** For the Consent of an id. Of two that are written at one time the second conflicts, and finds the first. */
  readonly take: (id: string) => PlanParts;
};

/** Reads it: of a Patient (`Patient/id`), by the requester, for the actors of a Consent. One that has ended is none. */
export async function declarationPlace(
  { deps, reading, visit }: Work,
  subject: string,
  consent: Consent,
): Promise<DeclarationPlace> {
  const key = declarationKey(subject, filerOf(visit.requester), consent);
  const last = await claimOf(deps.records, reading, key);
  const found = last === undefined ? undefined : await findById<Consent>(deps.records, reading, 'Consent', last);
  const take = (id: string): PlanParts => {
    const claims = [{ key, value: id }];
    if (last === undefined) return { claims };
    return { preconditions: [{ kind: 'claimed', key, value: last }], erased: [{ claims: [key] }], claims };
  };
  return { standing: found !== undefined && OPEN.has(found.resource.status) ? found.row : undefined, take };
}

/**
 * What the patient ends with one declaration of hers: the same actors in all others, whoever filed them, and in those
 * that wait; those that name nobody else are inactive. Each change has its event.
 */
export async function endedAlong(work: Work, ended: InternalRow, consent: Consent): Promise<readonly PlanParts[]> {
  const { deps, reading, visit, now } = work;
  const { person, id } = ended;
  const gone = new Set(permitOf(consent)?.actors.map(({ reference }) => reference));
  if (person === undefined || gone.size === 0) return [];
  const parts: PlanParts[] = [];
  for (const { row, resource } of await findAll<Consent>(deps.records, reading({ person }), 'Consent', [
    GIVES_OR_WAITS,
  ])) {
    const permit = permitOf({ ...resource, status: 'active' });
    if (row.id === id || permit === undefined || permit.kind === 'break-glass') continue;
    if (!permit.actors.some(({ reference }) => gone.has(reference))) continue;
    const { subject } = row;
    const about = { person, ...(subject === undefined ? {} : { patient: subject }), consent: `Consent/${row.id}` };
    parts.push(changed(deps.indexer, row, without(resource, gone), now, aboutRow(row)), {
      audit: [eventRecord(deps.clock, visit, 'update', about)],
    });
  }
  return parts;
}

/** A Consent without some actors (references): inactive where nobody is left, known or waited for. */
export function without(consent: Consent, gone: ReadonlySet<string>): Consent {
  const { provision = {}, status } = consent;
  const left = (provision.actor ?? []).filter(({ reference }) => !gone.has(reference.reference ?? ''));
  const isLeft = ({ reference: { reference } }: ConsentProvisionActor): boolean =>
    reference === undefined ? status === 'proposed' : actorOf(reference) !== undefined;
  return !left.some(isLeft)
    ? { ...consent, status: 'inactive' }
    : { ...consent, provision: { ...provision, actor: left } };
}
