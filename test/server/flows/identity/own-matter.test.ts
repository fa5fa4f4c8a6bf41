/** Who works at a desk decides nothing about herself, nor about whom she represents. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import type { Resource } from '@medplum/fhirtypes';
import { OFFICERS } from '../../../../fixtures/people.ts';
import { personKey, type PractitionerRequester, type Requester } from '../../../../server/access/requester.ts';
import { refuseOwnMatter } from '../../../../server/flows/identity/own-matter.ts';
import { openSqliteStores } from '../../../../server/stores/sqlite/open.ts';
import { errorOf } from '../../../support/faults.ts';
import { aPersonKey, aPlan, aPut, NOW } from '../../../support/plans.ts';
import { commitPlan } from '../../../support/warrants.ts';

describe('A decision at a desk (identity.md 7)', () => {
  const { login, name, organization, office } = OFFICERS.strasbourgDesk;
  const [given = '', family = ''] = name.split(' ');
  const desk: PractitionerRequester = {
    kind: 'practitioner',
    practitioner: `Practitioner/${login}`,
    roles: [{ reference: 'PractitionerRole/1', organization, within: [], radiologist: false, offices: [office] }],
    clientId: 'demo-app',
    scopes: [],
    purpose: 'TREAT',
    display: name,
  };

  it('is refused about oneself and whom one represents, and left to colleagues about homonyms', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'passerelle-desk-'));
    const stores = await openSqliteStores({ dataDir });
    try {
      const [herself, child, other] = [aPersonKey(), aPersonKey(), aPersonKey()];
      const row = (type: 'Patient' | 'RelatedPerson' | 'Practitioner', resource: object, person?: string) =>
        aPut({
          type,
          id: person === undefined ? login : `${type}-${person}`.slice(0, 64),
          resource: { resourceType: type, ...resource } as Resource,
          ...(person === undefined ? {} : { person: personKey(person) }),
        });
      const named = { name: [{ family, given: [given] }] };
      const puts = [
        row('Practitioner', named),
        row('Patient', { ...named, birthDate: '1980-01-01' }, herself),
        row('Patient', { name: [{ family, given: ['Zoé'] }] }, child),
        row('RelatedPerson', { ...named, patient: { reference: 'Patient/x' } }, child),
        row('Patient', { name: [{ family: 'Autre', given: [given] }] }, other),
      ];
      await commitPlan(stores.records, aPlan({ puts }));
      const refuse = refuseOwnMatter({ records: stores.records, clock: { now: () => NOW } });
      for (const persons of [[herself], [child], [other, child]])
        expect(await errorOf(refuse(desk, persons))).to.include({ kind: 'forbidden' });
      await refuse(desk, [other]);
      await refuse({ ...desk, kind: 'establishment', organization } as unknown as Requester, [herself]);
      expect(await errorOf(refuse({ ...desk, practitioner: 'Practitioner/gone' }, [other]))).to.include({
        kind: 'forbidden',
      });
    } finally {
      await stores.close();
      await rm(dataDir, { recursive: true, force: true });
    }
  });
});
