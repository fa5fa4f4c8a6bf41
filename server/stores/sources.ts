/** Who sent an instance, and of whom: what both stores keep of further sources. */
import type { CommitPlan, FiledInstance, FurtherSource, InstanceRow } from '../ports/commit-plan.ts';

/** The sources of an instance that stands. */
export type Sources = Pick<InstanceRow, 'source' | 'furtherSources'>;

/** The further sources of an instance once it is sent again; undefined where its sender is one of them already. */
export function withSource(
  { source, furtherSources = [] }: Sources,
  sent: InstanceRow,
): readonly FurtherSource[] | undefined {
  if ([source, ...furtherSources.map((one) => one.source)].includes(sent.source)) return undefined;
  return [...furtherSources, furtherSource(sent)];
}

function furtherSource({ source, subject, movedFrom }: Omit<FurtherSource, 'subject'> & Pick<InstanceRow, 'subject'>) {
  return { source, subject, ...(movedFrom === undefined ? {} : { movedFrom }) };
}

type MovedStudy = NonNullable<CommitPlan['studies']>[number];

/** Further sources once their study is another person's; undefined where it changes none. */
export function movedSources(
  all: readonly FurtherSource[],
  { identity, subject, isMovedOnly = false }: MovedStudy,
): readonly FurtherSource[] | undefined {
  const isGoing = (one: FurtherSource): boolean =>
    one.subject === identity && (!isMovedOnly || one.movedFrom !== undefined);
  if (!all.some(isGoing)) return undefined;
  return all.map((one) => {
    if (!isGoing(one)) return one;
    const { source, movedFrom = identity } = one;
    return furtherSource({ source, subject, ...(movedFrom === subject ? {} : { movedFrom }) });
  });
}

/** Whether an instance stands as a plan says that it was read. */
export function isAsFiled(
  { subject, blob, furtherSources = [] }: FiledInstance,
  standing: Omit<FiledInstance, 'sopInstanceUID'> | undefined,
): boolean {
  return (
    standing?.subject === subject &&
    standing.blob.name === blob.name &&
    keyOf(standing.furtherSources) === keyOf(furtherSources)
  );
}

function keyOf(all: readonly FurtherSource[] = []): string {
  return JSON.stringify(all.map(({ source, subject, movedFrom }) => [source, subject, movedFrom]));
}
