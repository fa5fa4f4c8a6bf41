import type { Identifier, Patient } from '@medplum/fhirtypes';
import { expect } from 'chai';
import { compositePatient, type SourcePatient } from '../../../profiles/identity/composite.ts';
import {
  isStillHers,
  sayersThatLeft,
  stampAsSeen,
  withSeenChanges,
  type StandingComposite,
} from '../../../profiles/identity/seen-changes.ts';
import { asSeenBy, type PatientReader } from '../../../profiles/identity/shown-patient.ts';

const SYSTEM = 'urn:oid:1.2.3';
const OTHER: Identifier = { system: 'urn:exemple:carte', value: '7' };

const NOBODY: PatientReader = { sees: () => false, isSourceOf: () => false, isSelf: false };
const READERS = {
  nobody: NOBODY,
  seesB: { ...NOBODY, sees: (id) => id === 'b' },
  sourceOfA: { ...NOBODY, isSourceOf: (id) => id === 'a' },
  sourceOfB: { ...NOBODY, isSourceOf: (id) => id === 'b' },
  herself: { ...NOBODY, isSelf: true },
} as const satisfies Record<string, PatientReader>;

/** What the source of an identity says; the traits are those of the one that changed later. */
function said(
  id: string,
  changed: number,
  more: Partial<Patient> = {},
  others: readonly Identifier[] = [],
): SourcePatient {
  const identifier = [{ system: `${SYSTEM}.${id}`, value: `local-${id}` }, ...others];
  const patient: Patient = { resourceType: 'Patient', identifier, name: [{ family: 'Ormélac' }], ...more };
  return { id, changed, patient, numbers: [], systems: [`${SYSTEM}.${id}`] };
}

/** The Patient of identity `a`, row after row: its version counts every change, its moment is ten times that. */
function written(
  members: readonly SourcePatient[],
  standing?: StandingComposite,
  more: Pick<StandingComposite, 'isBack'> = {},
): StandingComposite {
  const version = (standing?.version ?? 0) + 1;
  const ids = members.map(({ id }) => id);
  const before = standing === undefined ? undefined : { ...standing, ...more };
  return { patient: withSeenChanges(compositePatient('a', members), ids, before), version, updated: version * 10 };
}

/** A row of before changes were counted. */
function uncounted(members: readonly SourcePatient[], version: number): StandingComposite {
  return { patient: compositePatient('a', members), version, updated: version * 10 };
}

/** Version and moment by reader. */
function stamps(row: StandingComposite): Readonly<Record<keyof typeof READERS, readonly [number, number]>> {
  const all = Object.entries(READERS).map(([name, reader]) => {
    const { version, updated } = stampAsSeen(row.patient, row, reader);
    return [name, [version, updated]];
  });
  return Object.fromEntries(all) as Record<keyof typeof READERS, readonly [number, number]>;
}

const seen = ({ patient }: StandingComposite, reader: PatientReader): string =>
  JSON.stringify(asSeenBy(patient, reader));

const A = said('a', 5);
const B = said('b', 1);

describe('Versions of a Patient by who reads (identity.md section 1)', () => {
  it('do not count a join and its end for who sees nothing of them', () => {
    const alone = written([A]);
    const joined = written([A, B], alone);
    const parted = written([A], joined);
    expect(stamps(alone).nobody).to.deep.equal([1, 10]);
    expect(stamps(joined).nobody).to.deep.equal([1, 10]);
    expect(stamps(parted).nobody).to.deep.equal([1, 10]);
    expect(stamps(parted).sourceOfA).to.deep.equal([1, 10]);
    expect([alone, joined, parted].map((row) => stamps(row).herself)).to.deep.equal([
      [1, 10],
      [2, 20],
      [3, 30],
    ]);
    expect([joined, parted].map((row) => stamps(row).sourceOfB)).to.deep.equal([
      [2, 20],
      [3, 30],
    ]);
    expect(sayersThatLeft(parted.patient)).to.deep.equal(['b']);
  });

  it('change for each reader when what it sees does, and never go back', () => {
    const steps = [
      [A, B],
      [said('a', 6, { birthDate: '1979-05-14' }), B],
      [said('a', 6, { birthDate: '1979-05-14' }, [OTHER]), B],
      [said('a', 6, { birthDate: '1979-05-14' }, [OTHER]), said('b', 7, { birthDate: '1979-05-14' })],
      [said('a', 6), said('b', 8, { birthDate: '1979-05-15' }, [OTHER])],
    ];
    let row = written([A]);
    for (const members of steps) {
      const next = written(members, row);
      for (const [name, reader] of Object.entries(READERS)) {
        const [was, is] = [stampAsSeen(row.patient, row, reader), stampAsSeen(next.patient, next, reader)];
        const isChange = seen(row, reader) !== seen(next, reader);
        expect([is.version > was.version, is.updated > was.updated], name).to.deep.equal([isChange, isChange]);
      }
      row = next;
    }
  });

  it('stay when nothing did', () => {
    const row = written([A, B], written([A]));
    expect(withSeenChanges(compositePatient('a', [B, A]), ['b', 'a'], row)).to.deep.equal(row.patient);
  });

  it('go on when the Patient is back', () => {
    const row = written([A], written([A], written([A])), { isBack: true });
    expect(stamps(row).nobody).to.deep.equal([2, 30]);
  });

  it('are those of the row where changes were not counted, and go on from there', () => {
    const old = uncounted([A], 4);
    expect(stamps(old).herself).to.deep.equal([4, 40]);
    const joined = written([A, B], old);
    expect(stamps(joined).nobody).to.deep.equal([4, 40]);
    expect(stamps(joined).sourceOfB).to.deep.equal([5, 50]);
    expect(stamps(written([said('a', 9, { gender: 'female' })], joined)).nobody).to.deep.equal([5, 60]);
  });

  it('are told as long as all identities that they were made of are still hers', () => {
    const alone = written([A]);
    const joined = written([A, B], alone);
    const parted = written([A], joined);
    expect(isStillHers(alone.patient, joined.patient)).to.equal(true);
    expect(isStillHers(joined.patient, parted.patient)).to.equal(false);
    const [oldJoined, oldAlone] = [uncounted([A, B], 2), uncounted([A], 3)];
    expect(isStillHers(oldJoined.patient, oldAlone.patient)).to.equal(false);
    expect(isStillHers(oldAlone.patient, written([A, B], oldAlone).patient)).to.equal(true);
    expect(isStillHers(oldJoined.patient, written([A], oldJoined).patient)).to.equal(false);
  });

  it('are not shown as counted', () => {
    const row = written([A], written([A, B], written([A])));
    for (const reader of Object.values(READERS)) expect(seen(row, reader)).to.not.include('urn:passerelle');
  });
});
