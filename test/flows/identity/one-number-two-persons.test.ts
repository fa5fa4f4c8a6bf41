/** A feed gives somebody else the number of a patient: it signs in whom the provider describes, and opens nothing. */
import type { AuditEvent, Communication, Consent, ImagingStudy } from '@medplum/fhirtypes';
import { expect } from 'chai';
import type { EstablishmentKey } from '../../../fixtures/people.ts';
import type { PersonClaims } from '../../../server/config/region-model.ts';
import { aLocalId, anINS, feed, somebody, type Somebody } from './people.ts';
import { openPortal, publish, signInAtPortal, tellOnEachStore, uidsOf } from './story.ts';

const number = anINS();
const one = somebody({ given: 'Maëlys', numbers: [number] });
const other = somebody({ given: 'Zéphyrine', birthDate: '1961-11-30', numbers: [number] });
const claimsOf = ({ family, given, birthDate, gender }: Somebody): PersonClaims => ({
  family_name: family.toUpperCase(),
  given_name: `${given} Aurore`,
  birthdate: birthDate,
  gender,
});
const persons = { 'born-one': number, 'born-other': number, 'born-neither': number, 'born-unsaid': number };
const claims = {
  'born-one': claimsOf(one),
  'born-other': claimsOf(other),
  'born-neither': claimsOf({ ...one, birthDate: '1961-11-30' }),
};

tellOnEachStore('One number, two persons (identity.md section 2, rule 6)', { persons, claims }, (story) => {
  const exams: Record<string, readonly string[]> = {};

  const known = async (at: EstablishmentKey, localId: string, who: Somebody): Promise<void> => {
    const fed = await feed(story()[at], at, localId, who);
    expect(fed.status, fed.text).to.equal(201);
    exams[who.given] = uidsOf(await publish(story(), { key: `borne/${at}/${story().server.url}`, at, localId }));
  };

  before(async () => {
    await known('strasbourg', aLocalId(), one);
    expect((await openPortal(story(), 'born-unsaid')).exams, 'nobody else bears it').to.deep.equal(exams[one.given]);
    await known('nancy', aLocalId(), other);
  });

  it('signs in the one with whom the provider’s traits agree', async () => {
    expect((await openPortal(story(), 'born-one')).exams).to.deep.equal(exams[one.given]);
    expect((await openPortal(story(), 'born-other')).exams).to.deep.equal(exams[other.given]);
  });

  for (const person of ['born-neither', 'born-unsaid'])
    it(`signs nobody in whose traits agree with neither, or of whom nothing is vouched for: ${person}`, async () => {
      const refused = await signInAtPortal(story(), person).catch((error: unknown) => error);
      expect(String(refused)).to.match(/Sign-in stopped \(403\)/);
    });

  it('opens no emergency', async () => {
    const { stranger } = story();
    const declared = await stranger.send('POST', 'Patient/$break-glass', {
      resourceType: 'Parameters',
      parameter: [
        { name: 'identifier', valueIdentifier: number },
        { name: 'reason', valueCode: 'ETREAT' },
        { name: 'justification', valueString: 'Patiente inconsciente aux urgences' },
      ],
    });
    expect(declared.status, 'the answer tells nothing').to.equal(201);
    expect(await stranger.find<ImagingStudy>('ImagingStudy')).to.deep.equal([]);
    for (const person of ['born-one', 'born-other']) {
      const { caller } = await signInAtPortal(story(), person);
      expect(await caller.find<Consent>('Consent'), person).to.deep.equal([]);
      const notices = await caller.find<Communication>('Communication');
      const kinds = notices.map(({ category }) => category?.[0]?.coding?.[0]?.code);
      expect(kinds, person).to.not.include('emergency');
      const events = await caller.find<AuditEvent>('AuditEvent?_count=100');
      expect(JSON.stringify(events)).not.to.contain('Practitioner/stranger');
    }
  });
});
