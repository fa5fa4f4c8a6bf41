/** What a region file takes away that a slip of the pen could: it is not loaded unless a person confirms it. */
import type { Resource } from '@medplum/fhirtypes';
import { Fault } from '../../../profiles/fault.ts';
import { systemGrant } from '../../access/grant.ts';
import { principal } from '../../access/right.ts';
import type { RecordStore } from '../../ports/record-store.ts';
import { isEnded, type DirectoryChange } from './directory-changes.ts';

/** One in so many people may go without a question. */
const FEW = 10;
const MAX_NAMED = 20;

/** What asks for a confirmation, one line each; empty when nothing does. `now` is epoch milliseconds. */
export async function reasonsToConfirm(
  records: RecordStore,
  standing: readonly Resource[],
  changes: readonly DirectoryChange[],
  now: number,
): Promise<readonly string[]> {
  const removed = changes.filter(({ isRemoved }) => isRemoved);
  const grant = systemGrant('load-region', 'whole', now);
  const reasons: string[] = [];
  for (const change of removed.filter(({ reference }) => reference.startsWith('Organization/'))) {
    const { reference } = change;
    const holders = [principal.establishment(reference), principal.radiologists(reference)];
    const items = await records.shownTo(grant, holders);
    if (items > 0) reasons.push(`it removes ${called(change)}, which has ${items} records`);
  }
  return [...reasons, ...peopleRemoved(standing, removed)];
}

/**
 * Refuses what nobody has confirmed for this serial.
 * @throws {Fault} conflict - the message names what goes, and how to confirm it
 */
export function requireConfirmed(reasons: readonly string[], serial: number, confirmed: number | undefined): void {
  if (reasons.length === 0 || confirmed === serial) return;
  throw new Fault(
    'conflict',
    `The region file with serial ${serial} is not loaded, for\n${reasons.join('\n')}\nIf that is meant, confirm it: ` +
      `npm run region -- reload --confirm ${serial}, or at a start npm start -- --confirm-region ${serial}`,
  );
}

function peopleRemoved(standing: readonly Resource[], removed: readonly DirectoryChange[]): string[] {
  const people = standing.filter((resource) => resource.resourceType === 'Practitioner' && !isEnded(resource));
  const gone = removed.filter(({ reference }) => reference.startsWith('Practitioner/'));
  if (gone.length * FEW <= people.length) return [];
  const names = gone.slice(0, MAX_NAMED).map(called).join(', ');
  const more = gone.length > MAX_NAMED ? ` and ${gone.length - MAX_NAMED} more` : '';
  return [`it removes ${gone.length} of ${people.length} people: ${names}${more}`];
}

function called({ reference, name }: DirectoryChange): string {
  return name === undefined ? reference : `${reference} (${name})`;
}
