/** An instance that is kept aside becomes one of a study, of the person of whom it is said to be now. */
import type { PersonKey } from '../../access/requester.ts';
import { claimKey } from '../../ports/claim-key.ts';
import type { InstanceRow, QuarantinedInstance } from '../../ports/commit-plan.ts';
import { claimOf } from '../internal-reads.ts';
import { decodedDigest } from '../intake/decoded-digest.ts';
import { compareWithStanding, type Compared } from '../intake/standing-instance.ts';
import { joinParts, type PlanParts } from '../write/plan-parts.ts';
import type { AsideDeps, AsideReading } from './aside-deps.ts';
import { readAside } from './stored-aside.ts';

/** An identity: its Patient (`Patient/id`), and the person. */
export type Identity = { readonly patient: string; readonly person: PersonKey };

/**
 * Whose an instance is to be. `keptUnder`: under which identity it stays aside where it cannot be filed, by default its
 * own. `isJoined`: it is filed under its own, so that a separation takes it out of the study again.
 */
export type Filing = Identity & { readonly keptUnder?: Identity; readonly isJoined?: true };

/** What is to be written, and whether the instance is kept aside no more. */
export type FiledAside = { readonly parts: PlanParts; readonly isFiled: boolean };

/**
 * Works out how an instance is filed: in the study that stands, or as the first of a study that does not. What stands
 * with another data set under its UID keeps it aside, and so does what cannot be read.
 */
export async function fileAside(
  deps: AsideDeps,
  reading: AsideReading,
  aside: QuarantinedInstance,
  { patient, person, keptUnder, isJoined }: Filing,
): Promise<FiledAside> {
  const stored = await readAside(deps.images, deps.region, aside);
  if (stored === undefined) return { parts: keptFor(aside, 'unreadable', keptUnder), isFiled: false };
  const { row } = stored;
  const standing = await deps.records.instanceOf(reading({ item: row.sopInstanceUID }), row.sopInstanceUID);
  const compared = await compareWithStanding(
    standing,
    row,
    async (instance) => await decodedDigest(deps.images, instance),
  );
  const subject = isJoined === true ? (aside.subject ?? patient) : patient;
  const filed: InstanceRow = { ...row, person, subject };
  switch (compared.is) {
    case 'new':
      return { parts: joinParts(goneParts([aside]), await studyParts(deps, reading, filed, patient)), isFiled: true };
    case 'same':
    case 'same-data-set':
    case 'other-transfer-syntax':
      return { parts: joinParts(goneParts([aside]), { instances: [againOf(filed, compared)] }), isFiled: true };
    default:
      return { parts: keptFor(aside, 'other-data-set', keptUnder), isFiled: false };
  }
}

/** Instances are kept aside no more: whoever cleared one meanwhile was first. */
export function goneParts(asides: readonly QuarantinedInstance[]): PlanParts {
  return {
    preconditions: asides.map(({ sopInstanceUID, dataSetDigest, source }) => ({
      kind: 'kept-aside',
      sopInstanceUID,
      dataSetDigest,
      source,
    })),
    erased: [{ quarantined: asides }],
  };
}

/** Keeps an instance aside for another reason, or under another identity. */
export function keptFor(
  aside: QuarantinedInstance,
  reason: QuarantinedInstance['reason'],
  under: Partial<Identity> | undefined,
): PlanParts {
  const { subject, person } = under === undefined ? aside : { subject: under.patient, person: under.person };
  const isSame = aside.reason === reason && aside.subject === subject && aside.person === person;
  if (isSame) return {};
  const kept: QuarantinedInstance = {
    ...aside,
    reason,
    ...(subject === undefined ? {} : { subject }),
    ...(person === undefined ? {} : { person }),
  };
  return { ...goneParts([aside]), quarantined: [kept] };
}

/** The one that stands is kept, and this sender is a source of it, too. */
function againOf(row: InstanceRow, { standing }: Extract<Compared, { readonly standing: unknown }>): InstanceRow {
  return { ...row, dataSetDigest: standing.dataSetDigest };
}

async function studyParts(
  { records }: AsideDeps,
  reading: AsideReading,
  row: InstanceRow,
  patient: string,
): Promise<PlanParts> {
  const key = claimKey.study(row.studyInstanceUID);
  const owner = await claimOf(records, reading, key);
  if (owner !== undefined) return { preconditions: [{ kind: 'claimed', key, value: owner }], instances: [row] };
  const source = { key: claimKey.studySource(row.studyInstanceUID), value: row.source };
  return { claims: [{ key, value: patient }, source], instances: [row] };
}
