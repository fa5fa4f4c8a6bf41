/** Reports that nobody had validated, as earlier servers showed them, and who sees them from now on. */
import { expect } from 'chai';
import { principal, type Right } from '../../../server/access/right.ts';
import type { Put } from '../../../server/ports/commit-plan.ts';
import type { RecordStore } from '../../../server/ports/record-store.ts';
import { aGrant, anEstablishmentGrant, anId, aPersonKey, aPlan, aPut, aQuery, aRight } from '../../support/plans.ts';
import { read, searchIds } from '../../support/reads.ts';
import { commitPlan } from '../../support/warrants.ts';

const person = aPersonKey();
const AUTHOR = 'Organization/author';
const DECLARED = aGrant('Practitioner/lambert');
const author = anEstablishmentGrant(AUTHOR);

/** By which an earlier server showed her declared correspondent every row of hers. */
export const RIGHT: Right = aRight({ person });

const report = (id: string, released: boolean): Put => ({
  ...aPut({ type: 'DiagnosticReport', id, person, released }),
  origin: { sources: [AUTHOR], services: [] },
});

/** Not validated, and validated. */
export const [PRELIMINARY, FINAL] = [report(anId(), false), report(anId(), true)];
const STUDY: Put = { ...aPut({ type: 'ImagingStudy', person, released: false }) };
const BYTES: Put = aPut({
  type: 'Binary',
  person,
  released: false,
  parent: `DiagnosticReport/${PRELIMINARY.id}`,
});

/** The principal that an earlier server also showed the preliminary report. */
export const HOLDER = principal.practitioner('Practitioner/lambert');

/** Keeps a study and its reports. */
export async function keepReports(records: RecordStore): Promise<void> {
  await commitPlan(records, aPlan({ puts: [PRELIMINARY, FINAL, STUDY, BYTES], rights: [RIGHT] }));
}

/** Whether a declared correspondent is shown the preliminary report, as list and by its id, and its bytes. */
export async function isShownPreliminary(records: RecordStore): Promise<readonly boolean[]> {
  const listed = await searchIds(records, DECLARED, aQuery('DiagnosticReport'));
  const rows = [await read(records, DECLARED, PRELIMINARY), await read(records, DECLARED, BYTES)];
  return [listed.includes(PRELIMINARY.id), ...rows.map((row) => row !== undefined)];
}

/** Checks that it is hidden from her, and nothing else from anybody. */
export async function expectHidden(records: RecordStore): Promise<void> {
  expect(await isShownPreliminary(records)).to.deep.equal([false, false, false]);
  expect(await searchIds(records, DECLARED, aQuery('DiagnosticReport'))).to.deep.equal([FINAL.id]);
  expect(await searchIds(records, DECLARED, aQuery('ImagingStudy'))).to.deep.equal([STUDY.id]);
  expect(await searchIds(records, author, aQuery('DiagnosticReport'))).to.have.members([PRELIMINARY.id, FINAL.id]);
}
