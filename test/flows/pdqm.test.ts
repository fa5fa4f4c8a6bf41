/** PDQm over HTTP: Patients by what is known of them, and who is like a Patient, among those who may be seen. */
import { randomUUID } from 'node:crypto';
import type { AuditEvent, Bundle, CapabilityStatement, OperationOutcome, Patient } from '@medplum/fhirtypes';
import { expect } from 'chai';
import { toPatient } from '../../fixtures/patients.ts';
import { ESTABLISHMENTS, PATIENTS } from '../../fixtures/people.ts';
import { EXTENSION, oidUri } from '../../profiles/codes.ts';
import { loadDefinitions } from '../../server/runtime/definitions.ts';
import { readSample } from '../support/clients/xds.ts';
import { expectOutcome, type FhirAnswer, type FhirCaller } from '../support/clients/fhir-caller.ts';
import { personCaller, startDemonstration, type Demonstration } from '../support/demonstration.ts';
import { aPatient, conditionOf } from './support/fhir-write.ts';
import { BOTH_STORES, type FreshStore } from './support/stores.ts';
import { openTrail } from './support/trail.ts';

const { strasbourg, nancy } = ESTABLISHMENTS;
const NATIONAL = { system: PATIENTS.helene.national.system, value: '279036799900487' };
const LOCAL = { strasbourg: oidUri(strasbourg.patientIdDomain), nancy: oidUri(nancy.patientIdDomain) };

const QUALIFIED = aPatient(strasbourg, 'PDQ-1', NATIONAL);

/** A Patient of Strasbourg with all that ITI-78 finds her by. */
const YSALINE: Patient = {
  ...QUALIFIED,
  extension: [...(QUALIFIED.extension ?? []), { url: EXTENSION.mothersMaidenName, valueString: 'Fauconnier' }],
  name: [{ use: 'official', family: 'Orbélian', given: ['Ysaline', 'Jeanne'] }],
  telecom: [{ system: 'phone', value: '+33399000101' }],
  address: [
    { line: ['7 rue des Trois-Oies'], city: 'Ville-Inventée', postalCode: '67998', state: 'GE', country: 'FR' },
  ],
};
/** Her twin sister, and somebody who only has her name. */
const TWIN: Patient = {
  ...aPatient(strasbourg, 'PDQ-2', { ...NATIONAL, value: '279036799900586' }),
  name: [{ family: 'Orbélian', given: ['Isaure'] }],
};
const NAMESAKE: Patient = { ...aPatient(strasbourg, 'PDQ-3'), birthDate: '1955-12-31', gender: 'male' };

for (const { name, missing, open } of BOTH_STORES) {
  describe(`PDQm, on ${name}`, function () {
    this.timeout(120_000);
    let fresh: FreshStore;
    let region: Demonstration;
    const ids: Record<string, string> = {};

    before(async function () {
      if (missing() !== undefined) this.skip();
      fresh = await open();
      region = await startDemonstration({ store: fresh.store });
      for (const [key, patient] of Object.entries({ 'PDQ-1': YSALINE, 'PDQ-2': TWIN, 'PDQ-3': NAMESAKE })) {
        const answer = await region.strasbourg.send('PUT', `Patient?${conditionOf(strasbourg, key)}`, patient);
        expect(answer.status, answer.text).to.equal(201);
        ids[key] = answer.headers.get('location')?.split('/').at(-3) ?? '';
      }
    });
    after(async () => {
      await region?.server.stop();
      await fresh?.remove();
    });

    const found = async (query: string, who: FhirCaller = region.strasbourg): Promise<string[]> =>
      (await who.find<Patient>(`Patient?${query}`)).map(({ id = '' }) => keyOf(id));
    const keyOf = (id: string): string => Object.keys(ids).find((key) => ids[key] === id) ?? id;

    describe('ITI-78 Mobile Patient Demographics Query (PDQm 2:3.78)', () => {
      it('finds by each parameter, alone', async () => {
        for (const query of [
          'given=ysaline&family=orbel',
          'family:exact=Orb%C3%A9lian&given:exact=Jeanne',
          `identifier=${NATIONAL.system}|${NATIONAL.value}`,
          `identifier=${LOCAL.strasbourg}|PDQ-1&identifier=${NATIONAL.system}|${NATIONAL.value}`,
          'telecom=%2B33399000101',
          'telecom=phone|%2B33399000101',
          'address:contains=trois',
          'address=7 rue des trois',
          'address:exact=7 rue des Trois-Oies',
          'address-city=ville-inv',
          'address-city:exact=Ville-Inventée',
          'address-postalcode=67998',
          'address-state=GE',
          'address-country=FR',
          'mothersMaidenName=faucon',
          'mothersMaidenName:exact=Fauconnier',
          'active=true&birthdate=1979-03-05&family=orbelian&gender=female&given=jeanne',
        ])
          expect(await found(query), query)
            .to.include('PDQ-1')
            .and.to.not.include.members(['PDQ-2']);
      });

      it('finds nobody by what nobody has', async () => {
        for (const query of [
          'family:exact=orbelian',
          'telecom=mail|%2B33399000101',
          'address-city=elsewhere',
          'mothersMaidenName:exact=fauconnier',
          'birthdate=1979-03-05&gender=male',
          'active=false&family=orbelian',
        ])
          expect(await found(query), query).to.deep.equal([]);
      });

      it('combines family with gender, and birth date with family', async () => {
        expect(await found('family=Orb%C3%A9lian&gender=female')).to.have.members(['PDQ-1', 'PDQ-2']);
        expect(await found('family=Orb%C3%A9lian&birthdate=1955-12-31')).to.deep.equal(['PDQ-3']);
        expect(await found('family=Orb%C3%A9lian&birthdate=ge1950&birthdate=lt1960')).to.deep.equal(['PDQ-3']);
      });

      it('answers with the identifiers of the domains that are named, and says so', async () => {
        const path = `Patient?family=Orb%C3%A9lian&birthdate=1979-03-05&identifier=${NATIONAL.system}|,${LOCAL.nancy}|`;
        const patients = await region.strasbourg.find<Patient>(path);
        expect(patients.map(({ id = '' }) => keyOf(id))).to.have.members(['PDQ-1', 'PDQ-2']);
        for (const { identifier = [], meta } of patients) {
          expect(identifier.map(({ system }) => system)).to.deep.equal([NATIONAL.system]);
          expect(meta?.tag?.map(({ code }) => code)).to.include('SUBSETTED');
        }
        // A value names a Patient, and no domains.
        const [whole] = await region.strasbourg.find<Patient>(`Patient?identifier=${LOCAL.strasbourg}|PDQ-1`);
        expect(whole?.identifier).to.have.length(2);
        expect(await found(`family=Orb%C3%A9lian&identifier=${LOCAL.nancy}|`)).to.deep.equal([]);
      });

      it('says that a domain is none of the region, with what is found in the others (case 4)', async () => {
        const outcomesOf = async (domains: string) => {
          const answer = await region.strasbourg.get(`Patient?family=Orb%C3%A9lian&identifier=${domains}`);
          const { entry = [] } = answer.json<Bundle>();
          const outcome = entry.find(({ search }) => search?.mode === 'outcome')?.resource as
            OperationOutcome | undefined;
          return { found: entry.filter(({ search }) => search?.mode === 'match').length, issue: outcome?.issue };
        };
        const issue = [{ severity: 'warning', code: 'not-found', diagnostics: 'targetSystem not found' }];
        expect(await outcomesOf('urn:oid:1.2.3.4|')).to.deep.equal({ found: 0, issue });
        const { found: known, issue: none } = await outcomesOf(`${NATIONAL.system}|,${LOCAL.nancy}|`);
        expect(none).to.equal(undefined);
        expect(await outcomesOf(`${NATIONAL.system}|,urn:oid:1.2.3.4|`)).to.deep.equal({ found: known, issue });
      });

      it('answers a search that is posted, too', async () => {
        const answer = await region.strasbourg.send('POST', 'Patient/_search', 'mothersMaidenName=faucon', {
          'content-type': 'application/x-www-form-urlencoded',
        });
        expect(answer.json<Bundle>()).to.include({ type: 'searchset', total: 1 });
      });

      it('shows nobody who may not be seen, whatever she is asked by', async () => {
        const about = ['mothersMaidenName=faucon', 'telecom=%2B33399000101', `identifier=${NATIONAL.system}|`];
        for (const who of [region.nancy, region.stranger, region.declared])
          for (const query of about) expect(await found(query, who), query).to.not.include('PDQ-1');
      });

      it('has the event of the published example', async function () {
        const sample = readSample('ihe/pdqm/AuditEvent-ex-auditPdqmQuery-supplier.json');
        if (sample === undefined) return this.skip();
        const requestId = randomUUID();
        await region.strasbourg.get(`Patient?identifier=${LOCAL.strasbourg}|PDQ-1`, { 'x-request-id': requestId });
        const [event, ...others] = await eventsOf(requestId);
        expect(others).to.deep.equal([]);
        // FHIR R4 calls a search on a type search-type.
        const { subtypes, ...expected } = shapeOf(JSON.parse(sample.toString()) as AuditEvent);
        expect(shapeOf(event?.event)).to.deep.equal({
          ...expected,
          subtypes: subtypes.map((code) => (code === 'search' ? 'search-type' : code)),
        });
        expect(event?.persons).to.have.length(1);
      });
    });

    describe('ITI-119 Patient Demographics Match (PDQm 2:3.119)', () => {
      const sought = (changes: Partial<Patient> = {}): Patient => ({
        resourceType: 'Patient',
        name: [{ family: 'Orbelian', given: ['Ysaline'] }],
        birthDate: '1979-03-05',
        gender: 'female',
        ...changes,
      });
      const numbered = sought({ identifier: [NATIONAL] });

      it('is certain of the one who bears the number (case 1)', async () => {
        const answer = await match(region.strasbourg, numbered);
        expect(matchesOf(answer)).to.deep.equal([['PDQ-1', 'certain', 1]]);
        const { validate } = await loadDefinitions();
        expect(() => validate(answer.json())).to.not.throw();
        const { link, total, entry } = answer.json<Bundle>();
        expect([link?.[0]?.relation, total]).to.deep.equal(['self', 1]);
        expect(entry?.[0]?.fullUrl).to.equal(`${region.server.url}/fhir/Patient/${ids['PDQ-1']}`);
      });

      it('orders the likely, and grades a twin as possible (case 2)', async () => {
        expect(matchesOf(await match(region.strasbourg, sought()))).to.deep.equal([
          ['PDQ-1', 'probable', 0.9],
          ['PDQ-2', 'possible', 0.4],
        ]);
      });

      it('answers certain ones alone when asked for, and nobody where it is not certain (cases 3, 4)', async () => {
        expect(matchesOf(await match(region.strasbourg, numbered, { onlyCertainMatches: true }))).to.deep.equal([
          ['PDQ-1', 'certain', 1],
        ]);
        const uncertain = await match(region.strasbourg, sought(), { onlyCertainMatches: true });
        expect(uncertain.json<Bundle>()).to.include({ total: 0 }).and.to.not.have.property('entry');
        const born = { ...numbered, birthDate: '1979-03-06' };
        expect(matchesOf(await match(region.strasbourg, born))[0]).to.deep.equal(['PDQ-1', 'probable', 0.8]);
        expect(matchesOf(await match(region.strasbourg, born, { onlyCertainMatches: true }))).to.deep.equal([]);
      });

      it('answers nobody for whom it must be certain where two persons are (case 5)', async () => {
        const both = sought({
          identifier: [
            { system: LOCAL.strasbourg, value: 'PDQ-1' },
            { system: LOCAL.strasbourg, value: 'PDQ-2' },
          ],
          name: [{ family: 'Orbélian' }],
        });
        const certain = matchesOf(await match(region.strasbourg, both)).map(([, grade]) => grade);
        expect(certain).to.deep.equal(['certain', 'certain']);
        expect(matchesOf(await match(region.strasbourg, both, { onlyCertainMatches: true }))).to.deep.equal([]);
      });

      it('answers as many as asked for, the likeliest (case 6), and nobody (case 7)', async () => {
        expect(matchesOf(await match(region.strasbourg, sought(), { count: 1 }))).to.deep.equal([
          ['PDQ-1', 'probable', 0.9],
        ]);
        const nobody = sought({ name: [{ family: 'Inconnu', given: ['Zoé'] }] });
        expect(matchesOf(await match(region.strasbourg, nobody))).to.deep.equal([]);
      });

      it('takes the Patient without Parameters', async () => {
        const answer = await region.strasbourg.send('POST', 'Patient/$match', numbered);
        expect(matchesOf(answer)).to.deep.equal([['PDQ-1', 'certain', 1]]);
      });

      it('compares those alone who may be seen: the same answer as for who is nowhere', async () => {
        const nowhere = {
          ...numbered,
          identifier: [{ ...NATIONAL, value: '279036799900982' }],
          birthDate: '1901-01-01',
        };
        for (const who of [region.nancy, region.stranger, region.patient, region.declared]) {
          const hidden = await match(who, numbered);
          expect(matchesOf(hidden)).to.deep.equal([]);
          expect(hidden.text).to.equal((await match(who, nowhere)).text);
        }
        const helene = { ...toPatient(PATIENTS.helene, strasbourg), id: 'any' };
        expect(matchesOf(await match(region.declared, helene)).map(([, grade]) => grade)).to.include('certain');
        expect(matchesOf(await match(region.stranger, helene))).to.deep.equal([]);
      });

      it('refuses what says too little, or is no Patient, and needs the scopes to read and search', async () => {
        expectOutcome(await match(region.strasbourg, { resourceType: 'Patient', gender: 'female' }), 400, 'required');
        const another = await region.strasbourg.send('POST', 'Patient/$match', {
          resourceType: 'Organization',
          name: 'a',
        });
        expectOutcome(another, 400, 'invalid');
        expectOutcome(await match(region.strasbourg, numbered, { count: 0 }), 400, 'invalid');
        const got = await region.strasbourg.get('Patient/$match');
        expect([got.status, got.headers.get('allow')]).to.deep.equal([405, 'POST']);
        const weak = await personCaller(region.server, 'demo-declared', { scope: 'openid user/Patient.s' });
        expectOutcome(await match(weak, numbered), 403, 'forbidden');
      });

      it('is announced with the definition of IHE', async () => {
        const statement = (await region.patient.get('metadata')).json<CapabilityStatement>();
        const patient = statement.rest?.[0]?.resource?.find(({ type }) => type === 'Patient');
        expect(patient?.operation).to.deep.include({
          name: 'match',
          definition: 'https://profiles.ihe.net/ITI/PDQm/OperationDefinition/PDQmMatch',
        });
      });

      it('has an event for each Patient who was answered, which holds nothing of the other', async () => {
        const requestId = randomUUID();
        await match(region.strasbourg, sought(), {}, { 'x-request-id': requestId });
        const events = await eventsOf(requestId);
        expect(events).to.have.length(2);
        for (const { event, persons } of events) {
          expect(persons).to.have.length(1);
          expect(queryOf(event)).to.equal('Patient/$match by name, birthDate, gender');
        }
        const sample = readSample('ihe/pdqm/AuditEvent-ex-auditPdqmMatch-supplier.json');
        if (sample === undefined) return;
        const expected = shapeOf(JSON.parse(sample.toString()) as AuditEvent);
        // The example names no patient.
        expect(shapeOf(events[0]?.event)).to.deep.equal({ ...expected, entities: ['1', '24'] });
      });

      it('has events of no patient, with all that was asked, where nobody was answered', async () => {
        const requestId = randomUUID();
        await match(region.stranger, numbered, {}, { 'x-request-id': requestId });
        const events = await eventsOf(requestId);
        expect(events).to.have.length(2);
        expect(events.flatMap(({ persons }) => persons)).to.deep.equal([]);
        for (const { event } of events) expect(queryOf(event)).to.include(NATIONAL.value);
      });

      async function match(
        who: FhirCaller,
        resource: Patient,
        { onlyCertainMatches, count }: { readonly onlyCertainMatches?: boolean; readonly count?: number } = {},
        headers: Readonly<Record<string, string>> = {},
      ): Promise<FhirAnswer> {
        const parameter = [
          { name: 'resource', resource },
          ...(onlyCertainMatches === undefined
            ? []
            : [{ name: 'onlyCertainMatches', valueBoolean: onlyCertainMatches }]),
          ...(count === undefined ? [] : [{ name: 'count', valueInteger: count }]),
        ];
        return await who.send('POST', 'Patient/$match', { resourceType: 'Parameters', parameter }, headers);
      }

      function matchesOf(answer: FhirAnswer) {
        expect(answer.status, answer.text).to.equal(200);
        return (answer.json<Bundle>().entry ?? []).map(({ resource, search }) => [
          keyOf(resource?.id ?? ''),
          search?.extension?.find(({ url }) => url === EXTENSION.matchGrade)?.valueCode,
          search?.score,
        ]);
      }
    });

    async function eventsOf(requestId: string) {
      const trail = await openTrail(fresh.store, region.server.dataDir);
      try {
        return await trail.eventsOf(requestId);
      } finally {
        await trail.close();
      }
    }
  });
}

function queryOf({ entity = [] }: AuditEvent): string {
  const query = entity.find(({ role }) => role?.code === '24')?.query ?? '';
  return Buffer.from(query, 'base64').toString();
}

/** What an event says of any request of its kind; the user and the token are of IUA, beyond the examples. */
function shapeOf(event: AuditEvent | undefined) {
  const { type, subtype = [], action, outcome, agent = [], entity = [] } = event ?? ({} as Partial<AuditEvent>);
  const roles = agent.flatMap((one) => one.type?.coding?.[0]?.code ?? []).filter((code) => code.startsWith('1101'));
  return {
    type: type?.code,
    subtypes: subtype.map(({ code }) => code).toSorted(),
    action,
    outcome,
    roles,
    entities: entity.flatMap(({ role }) => role?.code ?? []).toSorted(),
  };
}
