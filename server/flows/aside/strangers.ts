/**
 * What is in a study and was sent of another person is kept aside from its sender. Of an instance that several sent
 * alike each has sent its own: it stays with those who sent it of the person of the study.
 */
import { setImmediate as turnOfOthers } from 'node:timers/promises';
import { systemWarrant } from '../../access/system-warrant.ts';
import type { CommitReceipt, InstanceRow, QuarantinedInstance } from '../../ports/commit-plan.ts';
import type { BlobRef } from '../../ports/image-store.ts';
import { filedAs } from '../intake/standing-instance.ts';
import { commitFresh, joinParts } from '../write/plan-parts.ts';
import type { AsideDeps, AsideReading } from './aside-deps.ts';
import { copyBlob } from './copy-blob.ts';
import { deriveAnew } from './derive-anew.ts';
import { personsBySubject, sentOf, type Sent } from './sent-by.ts';
import { settlingEvents, standingStudy, type StandingStudy } from './standing-study.ts';

/** Instances that are read at a time, and the most that was sent which one plan writes. */
const BATCH = 200;
/** Instances that one plan writes anew, with their metadata. */
const MOST_KEPT = 20;

/** An instance that somebody sent of another person than its study is of. */
type Stranger = { readonly row: InstanceRow; readonly staying: readonly Sent[]; readonly leaving: readonly Sent[] };

/** Puts strangers aside, as they are when they go, until there are none. */
export async function putStrangersAside(
  deps: AsideDeps,
  reading: AsideReading,
  studyInstanceUID: string,
): Promise<void> {
  while ((await strangersOf(deps, reading, studyInstanceUID)).strangers.length > 0)
    await putSomeAside(deps, reading, studyInstanceUID);
}

/** What a plan names of bytes: rows of it, and copies that were made for them. */
type Written = { readonly kept: readonly InstanceRow[]; readonly aside: readonly QuarantinedInstance[] };

async function putSomeAside(deps: AsideDeps, reading: AsideReading, studyInstanceUID: string): Promise<void> {
  const copies: string[] = [];
  const copied = async (blob: BlobRef): Promise<BlobRef> => {
    const copy = await copyBlob(deps.images, blob);
    copies.push(copy.name);
    return copy;
  };
  const { receipt, result } = await commitFresh(deps.records, async () => {
    const { strangers, still } = await strangersOf(deps, reading, studyInstanceUID);
    const kept = await keptRows(deps, reading, studyInstanceUID, strangers);
    const aside: QuarantinedInstance[] = [];
    for (const one of strangers) aside.push(...(await asidesOf(deps, one, copied)));
    const plan = joinParts(still, {
      preconditions: strangers.map(({ row }) => filedAs(row)),
      erased: [{ instances: strangers.map(({ row }) => row.sopInstanceUID) }],
      instances: kept,
      quarantined: aside,
      jobs: deriveAnew(studyInstanceUID, deps.clock.now()),
      audit: settlingEvents(deps.clock, [...kept, ...aside], 'quarantined: other-patient'),
    });
    return { warrant: systemWarrant('put-aside', studyInstanceUID), plan, result: { kept, aside } };
  });
  await removeUnnamed(deps, copies, result, receipt);
}

/** Removes bytes that nothing names: of what was kept aside before, and copies of a plan that came too late. */
async function removeUnnamed(
  { images }: AsideDeps,
  copies: readonly string[],
  { kept, aside }: Written,
  { quarantined, erasedBlobs }: CommitReceipt,
): Promise<void> {
  const stored = [...kept, ...aside.filter((_, at) => quarantined[at] === 'stored')];
  const named = new Set(stored.map(({ blob }) => blob.name));
  for (const name of [...copies, ...erasedBlobs]) if (!named.has(name)) await images.remove(name);
}

/** Finds some strangers: as many as one plan takes. */
async function strangersOf(
  deps: AsideDeps,
  reading: AsideReading,
  studyInstanceUID: string,
): Promise<StandingStudy & { readonly strangers: readonly Stranger[] }> {
  const standing = await standingStudy(deps, reading, studyInstanceUID);
  const { owner } = standing;
  if (owner === undefined) return { ...standing, strangers: [] };
  const found: Stranger[] = [];
  const personOf = personsBySubject(deps.records, reading);
  const place = { kind: 'instances', studyInstanceUID, omitMetadata: true, limit: BATCH } as const;
  for (let offset = 0, isMore = true; isMore && found.length < BATCH; offset += BATCH) {
    const { instances } = await deps.records.peek(reading({ study: studyInstanceUID }), { ...place, offset });
    for (const row of instances) {
      const sent = await sentOf(row, owner, personOf);
      const [staying, leaving] = [true, false].map((stays) =>
        sent.filter(({ person }) => (person === owner.person) === stays),
      );
      if (leaving?.length) found.push({ row, staying: staying ?? [], leaving });
    }
    isMore = instances.length === BATCH;
    if (isMore) await turnOfOthers();
  }
  return { ...standing, strangers: portionOf(found) };
}

function portionOf(all: readonly Stranger[]): readonly Stranger[] {
  let [sent, kept] = [0, 0];
  return all.filter(({ staying, leaving }, at) => {
    sent += staying.length + leaving.length;
    kept += staying.length === 0 ? 0 : 1;
    return at === 0 || (sent <= BATCH && kept <= MOST_KEPT);
  });
}

/** Instances that stay, as if they alone had sent them who stay: each is in the plan once for each of these. */
async function keptRows(
  { records }: AsideDeps,
  reading: AsideReading,
  studyInstanceUID: string,
  strangers: readonly Stranger[],
): Promise<InstanceRow[]> {
  const staying = strangers.filter((one) => one.staying.length > 0);
  const sopInstanceUIDs = staying.map(({ row }) => row.sopInstanceUID);
  if (sopInstanceUIDs.length === 0) return [];
  const place = { kind: 'instances', studyInstanceUID, sopInstanceUIDs, offset: 0, limit: staying.length } as const;
  const { instances } = await records.peek(reading({ study: studyInstanceUID }), place);
  const metadata = new Map(instances.map((one) => [one.sopInstanceUID, one.metadata]));
  return staying.flatMap(({ row, staying: all }) => {
    const { furtherSources: _others, movedFrom: _moved, ...rest } = row;
    return all.map(({ source, subject, person, movedFrom }) => ({
      ...rest,
      metadata: metadata.get(row.sopInstanceUID) ?? '',
      source,
      subject,
      person,
      ...(movedFrom === undefined ? {} : { movedFrom }),
    }));
  });
}

/** Each who leaves has bytes of its own: those that are free, or a copy. */
async function asidesOf(
  { clock }: AsideDeps,
  { row, staying, leaving }: Stranger,
  copied: (blob: BlobRef) => Promise<BlobRef>,
): Promise<QuarantinedInstance[]> {
  const { studyInstanceUID, sopInstanceUID, dataSetDigest } = row;
  const asides: QuarantinedInstance[] = [];
  for (const { source, person, subject } of leaving) {
    const blob = staying.length === 0 && asides.length === 0 ? row.blob : await copied(row.blob);
    const named = { studyInstanceUID, sopInstanceUID, blob, dataSetDigest, source, person, subject };
    asides.push({ ...named, reason: 'other-patient', receivedAt: clock.now() });
  }
  return asides;
}
