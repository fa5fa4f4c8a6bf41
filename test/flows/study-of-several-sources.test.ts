/**
 * One exam that comes from two establishments, of one person or of two: what is united, what is kept aside, and what
 * each of them is told.
 */
import { DatabaseSync } from 'node:sqlite';
import { join } from 'node:path';
import { expect } from 'chai';
import { MongoClient } from 'mongodb';
import type { ImagingStudy, Patient } from '@medplum/fhirtypes';
import { aStudy, type StudyOverrides } from '../../fixtures/dicom/a-study.ts';
import type { DemoStudy } from '../../fixtures/dicom/studies.ts';
import { ESTABLISHMENTS, PATIENTS, type DemoPatient, type EstablishmentKey } from '../../fixtures/people.ts';
import { formatFileMeta, parseFileMeta } from '../../profiles/dicom/file/file-meta.ts';
import type { DicomJson } from '../../profiles/dicom/json/json.ts';
import { dataSetOf, sendInstances } from '../hostile/kill/store-sender.ts';
import { stow } from '../hostile/stow.ts';
import { eventually, type FhirCaller } from '../support/clients/fhir-caller.ts';
import { byStudyUid, establishmentCaller, personCaller } from '../support/demonstration.ts';
import { ENCODINGS, encodedAs } from '../support/dicom/other-encoding.ts';
import { feed } from './support/feed.ts';
import { onEachStore, type Running } from './support/each-store.ts';
import { openTrail } from './support/trail.ts';

const STAYS_OPEN = { env: { STUDY_QUIET_SECONDS: '3600' } };

onEachStore('An exam of two establishments', STAYS_OPEN, (running) => {
  let strasbourg: FhirCaller;
  let nancy: FhirCaller;
  before(async () => {
    strasbourg = await establishmentCaller(running().server, 'strasbourg');
    nancy = await establishmentCaller(running().server, 'nancy');
    // Both know her by a qualified identifier: she is one person.
    for (const [caller, key] of [
      [strasbourg, 'strasbourg'],
      [nancy, 'nancy'],
    ] as const)
      await feed(caller, PATIENTS.helene, key);
  });

  const send = async (study: DemoStudy, sopInstanceUID?: string): Promise<void> => {
    const statuses: number[] = [];
    const sent = [...study.instances()].map((one) => ({
      ...one,
      sopInstanceUID: sopInstanceUID ?? one.sopInstanceUID,
    }));
    const { aeTitle } = study.establishment;
    await sendInstances(running().server.dimse, aeTitle, sent, (_, status) => void statuses.push(status));
    expect(statuses).to.deep.equal(sent.map(() => 0));
  };
  /** The same exam as another establishment sends it: under its own number of the patient. */
  const exam = (key: string, establishment: EstablishmentKey, parts: StudyOverrides = {}): DemoStudy =>
    aStudy({ key, establishment, patient: PATIENTS.helene, instances: 1, ...parts });
  const seen = async (caller: FhirCaller, study: DemoStudy): Promise<ImagingStudy[]> =>
    await caller.find<ImagingStudy>(`ImagingStudy?${byStudyUid(study)}`);
  const seesOf = async (caller: FhirCaller, study: DemoStudy, instances: number): Promise<ImagingStudy> =>
    await eventually(async () =>
      (await seen(caller, study)).find(({ numberOfInstances }) => numberOfInstances === instances),
    );
  const metadata = async ({ token }: FhirCaller, study: DemoStudy): Promise<string[]> => {
    const headers = { Authorization: `Bearer ${token}`, Accept: 'application/dicom+json' };
    const path = `/dicom-web/studies/${study.studyInstanceUID}/metadata`;
    const response = await fetch(`${running().server.url}${path}`, { headers });
    if (response.status === 404) return [];
    expect(response.status).to.equal(200);
    return ((await response.json()) as DicomJson[]).map((one) => String(one['00080018']?.Value?.[0])).sort();
  };
  const toldOf = async ({ studyInstanceUID }: DemoStudy): Promise<readonly string[]> => {
    const { store, server } = running();
    const trail = await openTrail(store, server.dataDir);
    try {
      return (await trail.eventsNaming(studyInstanceUID)).flatMap(({ event: { outcomeDesc = '' } }) =>
        outcomeDesc === '' ? [] : [outcomeDesc],
      );
    } finally {
      await trail.close();
    }
  };

  it('is one study of the person, which each of them and both imaging services see whole', async () => {
    const first = exam('two/united', 'strasbourg');
    const further = exam('two/united', 'nancy', sop('2.25.4242'));
    await send(first);
    await seesOf(strasbourg, first, 1);
    expect(await seen(nancy, first)).to.deep.equal([]);
    await send(further, '2.25.4242');
    const united = await seesOf(nancy, first, 2);
    expect(await seesOf(strasbourg, first, 2)).to.have.property('id', united.id);
    for (const caller of [strasbourg, nancy]) expect(await metadata(caller, first)).to.have.length(2);
    const radiologist = await personCaller(running().server, 'demo-radiologist');
    expect((await seen(radiologist, first)).map(({ id }) => id)).to.deep.equal([united.id]);
    expect(await seen(await personCaller(running().server, 'demo-stranger'), first)).to.deep.equal([]);
    expect(await toldOf(first)).to.deep.equal([]);
  });

  it('bears what each of them says of its label: none takes back what another said', async () => {
    const first = exam('two/labelled', 'strasbourg');
    await send(first);
    const { id } = await seesOf(strasbourg, first, 1);
    const say = async (caller: FhirCaller, ...codes: readonly string[]): Promise<string> => {
      const system = 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality';
      const parameter = codes.map((code) => ({ name: 'confidentiality', valueCoding: { system, code } }));
      const body = { resourceType: 'Parameters', ...(codes.length > 0 ? { parameter } : {}) };
      const answer = await caller.send('POST', `ImagingStudy/${id}/$set-confidentiality`, body);
      expect(answer.status, answer.text).to.equal(200);
      const { meta } = (await caller.get(`ImagingStudy/${id}`)).json<ImagingStudy>();
      return (meta?.security ?? []).map(({ code }) => code).join();
    };
    // While it is alone, all that is said of the source is its own.
    expect(await say(strasbourg, 'V')).to.equal('V');
    await send(exam('two/labelled', 'nancy', sop('2.25.4249')), '2.25.4249');
    await seesOf(nancy, first, 2);
    expect(await say(nancy, 'N')).to.equal('V,N');
    expect(await say(nancy)).to.equal('V');
    expect(await say(nancy, 'R')).to.equal('V,R');
    expect(await say(strasbourg, 'N')).to.equal('R,N');
    expect(await say(strasbourg)).to.equal('R');
  });

  it('is seen by its maker, who sends what another sent before: the same bytes, or others like them', async () => {
    // Both number her alike, and the images name no issuer.
    const patient = { ...PATIENTS.gaetan, localId: { strasbourg: 'ALIKE-1', nancy: 'ALIKE-1' } };
    await feed(strasbourg, patient, 'strasbourg');
    await feed(nancy, patient, 'nancy');
    const { server } = running();
    for (const name of Object.keys(ENCODINGS) as (keyof typeof ENCODINGS)[]) {
      const attributes = { IssuerOfPatientIDQualifiersSequence: [] };
      const study = exam(`two/maker/${name}`, 'strasbourg', { patient, attributes });
      const [first] = [...study.instances()];
      if (first === undefined) throw new Error('No instance');
      expect(await stow({ url: server.url, token: nancy.token }, [first.bytes])).to.deep.include({ reasons: [] });
      await seesOf(nancy, study, 1);
      expect(await seen(strasbourg, study)).to.deep.equal([]);
      const [transferSyntaxUID, encoding] = ENCODINGS[name];
      const { sopClassUID = '' } = parseFileMeta(first.bytes);
      const meta = formatFileMeta({ sopClassUID, sopInstanceUID: first.sopInstanceUID, transferSyntaxUID });
      const again = Buffer.concat([meta, encodedAs(dataSetOf(first.bytes), encoding)]);
      expect(await stow({ url: server.url, token: strasbourg.token }, [again])).to.deep.include({ reasons: [] });
      const united = await seesOf(strasbourg, study, 1);
      expect(await metadata(strasbourg, study)).to.deep.equal([first.sopInstanceUID]);
      expect(await seesOf(nancy, study, 1)).to.have.property('id', united.id);
      expect(await toldOf(study), name).to.deep.equal([]);
    }
  });

  it('is kept aside where the later one names another person, and neither is told', async () => {
    const first = exam('two/apart', 'strasbourg');
    const other = exam('two/apart', 'nancy', {
      ...sop('2.25.4243'),
      patient: { ...PATIENTS.gaetan, localId: { nancy: 'NC-apart' } },
    });
    await send(first);
    const before = await seesOf(strasbourg, first, 1);
    await send(other, '2.25.4243');
    expect(await seen(strasbourg, first)).to.deep.equal([before]);
    expect(await seen(nancy, first)).to.deep.equal([]);
    expect(await metadata(nancy, first)).to.deep.equal([]);
    expect(await toldOf(first)).to.deep.equal(['quarantined: other-patient']);
    expect(await nancy.findOne<Patient>('Patient?identifier=NC-apart')).to.have.property('resourceType', 'Patient');
    expect(await strasbourg.find<Patient>('Patient?identifier=NC-apart')).to.deep.equal([]);
  });

  const foreign: Readonly<Record<string, (study: EstablishmentKey) => StudyOverrides>> = {
    'the OID of another establishment in the qualifiers': (other) => ({
      attributes: { IssuerOfPatientIDQualifiersSequence: [oid(ESTABLISHMENTS[other].patientIdDomain)] },
    }),
    'that OID without its type': (other) => ({
      attributes: {
        IssuerOfPatientIDQualifiersSequence: [{ UniversalEntityID: ESTABLISHMENTS[other].patientIdDomain }],
      },
    }),
    'that OID in IssuerOfPatientID': (other) => ({
      attributes: {
        IssuerOfPatientIDQualifiersSequence: [],
        IssuerOfPatientID: ESTABLISHMENTS[other].patientIdDomain,
      },
    }),
    'a designator of HL7 v2 with it': (other) => ({
      attributes: {
        IssuerOfPatientIDQualifiersSequence: [],
        IssuerOfPatientID: `CHU&${ESTABLISHMENTS[other].patientIdDomain}&ISO`,
      },
    }),
    'an OID that nobody in the region has': () => ({
      attributes: { IssuerOfPatientIDQualifiersSequence: [oid('1.2.3.4.5')] },
    }),
    'the OID under which the region itself names patients': () => ({
      attributes: { IssuerOfPatientIDQualifiersSequence: [oid('2.25.186985072874225505166103600283483536615')] },
    }),
  };
  for (const [name, overrides] of Object.entries(foreign)) {
    it(`is kept aside where the number is issued by somebody else: ${name}`, async () => {
      const number = `unused-${name.length}`;
      const patient: Partial<DemoPatient> = { ...PATIENTS.noemie, localId: { nancy: number } };
      const study = exam(`two/foreign/${name}`, 'nancy', { ...overrides('strasbourg'), patient });
      await send(study);
      await eventually(async () => ((await toldOf(study)).includes('quarantined: foreign-issuer') ? true : undefined));
      for (const caller of [strasbourg, nancy]) {
        expect(await seen(caller, study)).to.deep.equal([]);
        expect(await caller.find<Patient>(`Patient?identifier=${number}`)).to.deep.equal([]);
      }
    });
  }

  it('is filed under the sender’s own number where a national system issues it, or a name nobody knows', async () => {
    const { system, value } = PATIENTS.noemie.national;
    const national = exam('two/national', 'nancy', {
      attributes: { IssuerOfPatientIDQualifiersSequence: [oid(system.replace('urn:oid:', ''))] },
      patient: { ...PATIENTS.noemie, localId: { nancy: value } },
    });
    const named = exam('two/named', 'nancy', {
      attributes: { IssuerOfPatientIDQualifiersSequence: [], IssuerOfPatientID: 'SOMEBODY' },
      patient: { ...PATIENTS.noemie, localId: { nancy: 'NC-named' } },
    });
    for (const [study, number] of [
      [national, value],
      [named, 'NC-named'],
    ] as const) {
      await send(study);
      await seesOf(nancy, study, 1);
      const domain = `urn:oid:${ESTABLISHMENTS.nancy.patientIdDomain}`;
      const { identifier = [] } = await nancy.findOne<Patient>(`Patient?identifier=${domain}|${number}`);
      expect(identifier.map((one) => [one.system, one.value])).to.deep.include([domain, number]);
    }
  });

  it('shows each of them its own images alone where its label is above N', async () => {
    const uid = '2.25.4244';
    const [first, further] = [exam('two/label', 'strasbourg'), exam('two/label', 'nancy', sop(uid))];
    await send(first);
    await send(further, uid);
    await seesOf(nancy, first, 2);
    await labelStudy(running(), first);
    expect(await metadata(nancy, first)).to.deep.equal([uid]);
    expect(await metadata(strasbourg, first)).to.deep.equal([...first.instances()].map((one) => one.sopInstanceUID));
    expect(await seen(await personCaller(running().server, 'demo-radiologist'), first)).to.deep.equal([]);
  });
});

const sop = (SOPInstanceUID: string) => ({ attributes: { SOPInstanceUID } });

function oid(value: string) {
  return { UniversalEntityID: value, UniversalEntityIDType: 'ISO' };
}

/** Nobody can ask for a label yet: it is written where it is kept. */
async function labelStudy({ store, server }: Running, study: DemoStudy): Promise<void> {
  await (store === 'sqlite' ? labelRow(server.dataDir, study) : labelDocument(store, study));
}

function labelRow(dataDir: string, { studyInstanceUID }: DemoStudy): void {
  const db = new DatabaseSync(join(dataDir, 'records.sqlite'));
  try {
    const row = db
      .prepare("SELECT rid FROM resource WHERE type = 'ImagingStudy' AND id = (SELECT value FROM claim WHERE key = ?)")
      .get(`imaging-study|${studyInstanceUID}`) as { rid: number };
    db.prepare(
      "UPDATE resource SET level = 2, json = json_set(json, '$.meta.security[0].code', 'V') WHERE rid = ?",
    ).run(row.rid);
    db.prepare("DELETE FROM acl WHERE rid = ? AND relation NOT IN ('author', 'self')").run(row.rid);
  } finally {
    db.close();
  }
}

type Document = { readonly _id: string; readonly value?: string; readonly json?: string };

async function labelDocument(uri: string, { studyInstanceUID }: DemoStudy): Promise<void> {
  const client = await MongoClient.connect(uri);
  try {
    const db = client.db();
    const claim = await db.collection<Document>('claims').findOne({ _id: `imaging-study|${studyInstanceUID}` });
    const item = `ImagingStudy/${claim?.value}`;
    const rows = db.collection<Document>('rows');
    const json = (await rows.findOne({ _id: item }))?.json?.replace(/("code":)"N"/, '$1"V"') ?? '';
    await rows.updateOne({ _id: item }, { $set: { level: 2, json } });
    await db.collection('acl').deleteMany({ item, relation: { $nin: ['author', 'self'] } });
  } finally {
    await client.close();
  }
}
