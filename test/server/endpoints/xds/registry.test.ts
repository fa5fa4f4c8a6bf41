import type { DocumentReference, Patient, Practitioner } from '@medplum/fhirtypes';
import { expect } from 'chai';
import { ACTION, AVAILABILITY_STATUS, OBJECT_TYPE, STORED_QUERY, XDS_ERROR } from '../../../../ihe/codes.ts';
import { adhocQuery, type QuerySlots } from '../../../support/clients/xds.ts';
import type { Indexer } from '../../../../profiles/search/indexer.ts';
import { CLINIC, openClinic, PATIENT_DOMAIN, type Clinic } from '../clinic.ts';
import type { ServedRouter } from '../served-router.ts';
import { filedBy, putOf } from '../../../../server/flows/write/plan-parts.ts';
import { loadDefinitions } from '../../../../server/runtime/definitions.ts';
import { aPersonKey, aPlan, NOW } from '../../../support/plans.ts';
import { comparable, errorsOf, HOME, MESSAGE_ID, REPOSITORY, select, send, serveXds, statusOf } from './door.ts';
import { commitPlan } from '../../../support/warrants.ts';

const STATUS = ['$XDSDocumentEntryStatus', `('${AVAILABILITY_STATUS.approved}')`] as const;
const UNIQUE_ID = "//rim:ExternalIdentifier[@identificationScheme='urn:uuid:2e82c1f6-a085-4c72-9da3-8640a32e42ab']";
const PATIENT_ID = "//rim:ExternalIdentifier[@identificationScheme='urn:uuid:58a6f841-87b3-4a3e-92fd-a8ffeff98427']";
const SOURCE_PATIENT_ID = "//rim:Slot[@name='sourcePatientId']//rim:Value";

function patientSlot(number: string, domain = PATIENT_DOMAIN) {
  return ['$XDSDocumentEntryPatientId', `'${number}^^^&${domain}&ISO'`] as const;
}

describe('ITI-18 Registry Stored Query (ITI TF-2 3.18) over HTTP', () => {
  let clinic: Clinic;
  let door: ServedRouter;
  const claire = aPersonKey();

  before(async () => {
    clinic = await openClinic();
    door = await serveXds(clinic);
  });

  after(async () => {
    await door.close();
    await clinic.close();
  });

  async function found(
    slots: QuerySlots,
    { id = STORED_QUERY.findDocuments as string, token = 'lambert' } = {},
  ): Promise<string[]> {
    const answer = await send(door, 'registry', adhocQuery(slots, id), { token });
    expect([answer.response.status, statusOf(answer)], answer.envelope).to.deep.equal([200, 'Success']);
    return select(answer.envelope, UNIQUE_ID, 'value');
  }

  it('answers the documents of a patient', async () => {
    const answer = await send(door, 'registry', adhocQuery([patientSlot('pat-1'), STATUS]));
    expect(statusOf(answer)).to.equal('Success');
    expect(answer.response.headers.get('Content-Type')).to.match(/^application\/soap\+xml; charset=UTF-8/);
    expect(select(answer.envelope, '//wsa:Action')).to.deep.equal([ACTION.registryStoredQueryResponse]);
    expect(select(answer.envelope, '//wsa:RelatesTo')).to.deep.equal([MESSAGE_ID]);
    expect(select(answer.envelope, UNIQUE_ID, 'value')).to.have.members([clinic.ct.manifestUID, clinic.mr.manifestUID]);
    expect(select(answer.envelope, '//rim:ExtrinsicObject', 'home')).to.deep.equal([HOME, HOME]);
    expect(select(answer.envelope, "//rim:Slot[@name='repositoryUniqueId']//rim:Value")).to.deep.equal([
      REPOSITORY,
      REPOSITORY,
    ]);
    expect(new Set(select(answer.envelope, PATIENT_ID, 'value'))).to.deep.equal(
      new Set(['national-pat-1^^^&2.25.9&ISO']),
    );
  });

  it('names the patient in the affinity domain, whatever number the query named her by', async () => {
    for (const slot of [
      patientSlot('national-pat-1', '2.25.9'),
      patientSlot('pat-1'),
      patientSlot('anne', '2.25.10'),
    ]) {
      const answer = await send(door, 'registry', adhocQuery([slot, STATUS]));
      expect(new Set(select(answer.envelope, PATIENT_ID, 'value')), slot[1]).to.deep.equal(
        new Set(['national-pat-1^^^&2.25.9&ISO']),
      );
      expect(new Set(select(answer.envelope, SOURCE_PATIENT_ID))).to.deep.equal(
        new Set([`pat-1^^^&${PATIENT_DOMAIN}&ISO`]),
      );
    }
  });

  it('names whoever has no number of the domain by the id of her Patient, which finds her, too', async () => {
    const { indexer } = await loadDefinitions();
    await addClaire(indexer, CLINIC);
    const documents = async (slot: QuerySlots[number], token = 'clinic-reader'): Promise<string[]> => {
      const answer = await send(door, 'registry', adhocQuery([slot, STATUS]), { token });
      expect(statusOf(answer)).to.equal('Success');
      return select(answer.envelope, PATIENT_ID, 'value');
    };
    expect(await documents(patientSlot('pat-3'))).to.deep.equal(['claire^^^&2.25.10&ISO']);
    expect(await documents(patientSlot('claire', '2.25.10'))).to.deep.equal(['claire^^^&2.25.10&ISO']);
    expect(await documents(patientSlot('claire', '2.25.10'), 'lambert')).to.deep.equal([]);
    expect(await documents(patientSlot('claire', '2.25.9'))).to.deep.equal([]);
    // Who wrote the document sees it, and not the Patient: it says no more of her than FHIR does.
    await addClaire(indexer, 'Practitioner/lambert');
    const byUid = adhocQuery([['$XDSDocumentEntryUniqueId', "('2.25.777')"]], STORED_QUERY.getDocuments);
    const answer = await send(door, 'registry', byUid);
    expect(select(answer.envelope, "//rim:Slot[@name='sourcePatientInfo']")).to.have.length(1);
    expect(select(answer.envelope, PATIENT_ID, 'value')).to.deep.equal(['claire^^^&2.25.10&ISO']);
  });

  /** A patient whom only the clinic numbers, with one document of an author. */
  async function addClaire(indexer: Indexer, author: string): Promise<void> {
    const { ct, stores } = clinic;
    const patient: Patient = {
      resourceType: 'Patient',
      id: 'claire',
      identifier: [
        { system: 'urn:oid:2.25.9', value: 'former-number', use: 'old' },
        { system: `urn:oid:${PATIENT_DOMAIN}`, value: 'pat-3' },
        { system: 'urn:oid:2.25.10', value: 'what-she-is-not' },
      ],
    };
    const document: DocumentReference = {
      ...ct.manifest,
      id: '0197a000-0000-7000-8000-00000000c1a0',
      masterIdentifier: { system: 'urn:ietf:rfc:3986', value: 'urn:oid:2.25.777' },
      identifier: [{ system: 'urn:ietf:rfc:3986', value: 'urn:oid:2.25.777' }],
      subject: { reference: 'Patient/claire' },
    };
    const facts = { person: claire, subject: 'Patient/claire' };
    const puts = [
      putOf(indexer, patient, NOW, { ...facts, origin: filedBy(CLINIC) }),
      putOf(indexer, document, NOW, { ...facts, origin: filedBy(CLINIC, author) }),
    ];
    await commitPlan(stores.records, aPlan({ puts }));
  }

  it('answers references when the caller asks for them', async () => {
    const answer = await send(
      door,
      'registry',
      adhocQuery([patientSlot('pat-1'), STATUS], STORED_QUERY.findDocuments, 'ObjectRef'),
    );
    expect(select(answer.envelope, '//rim:ExtrinsicObject')).to.deep.equal([]);
    expect(select(answer.envelope, '//rim:ObjectRef', 'id')).to.have.members(
      [clinic.ct, clinic.mr].map(({ manifest }) => `urn:uuid:${manifest.id}`),
    );
  });

  it('filters by each parameter', async () => {
    const [ct, mr] = [clinic.ct.manifestUID, clinic.mr.manifestUID];
    const deprecated = ['$XDSDocumentEntryStatus', `('${AVAILABILITY_STATUS.deprecated}')`] as const;
    const cases: [string, string, string[]][] = [
      ['TypeCode', "('18748-4^^2.16.840.1.113883.6.1')", [ct, mr]],
      ['TypeCode', "('18748-4^^1.2.3')", []],
      ['ClassCode', "('31^^1.2.250.1.213.1.1.4.1')", [ct, mr]],
      ['FormatCode', "('1.2.840.10008.5.1.4.1.1.88.59^^1.2.840.10008.2.6.1')", [ct, mr]],
      ['PracticeSettingCode', "('394914008^^2.16.840.1.113883.6.96')", [ct, mr]],
      ['HealthcareFacilityTypeCode', "('1^^2.16.840.1.113883.6.96')", []],
      ['EventCodeList', "('MR^^1.2.840.10008.2.16.4')", [mr]],
      ['ConfidentialityCode', "('N^^2.16.840.1.113883.5.25')", [ct, mr]],
      ['ConfidentialityCode', "('V^^2.16.840.1.113883.5.25')", []],
      ['CreationTimeFrom', "'20260220120000'", [ct, mr]],
      ['CreationTimeFrom', "'20260220120001'", []],
      ['CreationTimeTo', "'20260220120000'", []],
      ['ServiceStartTimeFrom', "'202602132330'", [ct]],
      ['ServiceStartTimeTo', "'202602132330'", [mr]],
      ['ServiceStopTimeFrom', "'202602132330'", [ct]],
      ['ServiceStopTimeTo', "'202602132330'", [mr]],
      ['AuthorPerson', "('%')", []],
      ['Type', `('${OBJECT_TYPE.onDemand}')`, []],
      ['Type', `('${OBJECT_TYPE.onDemand}','${OBJECT_TYPE.stable}')`, [ct, mr]],
    ];
    for (const [name, value, expected] of cases) {
      const slots = [patientSlot('pat-1'), STATUS, [`$XDSDocumentEntry${name}`, value] as const];
      expect(await found(slots), `${name} ${value}`).to.have.members(expected);
    }
    expect(await found([patientSlot('pat-1'), deprecated])).to.deep.equal([]);
  });

  it('finds documents by the study and the accession number that they refer to', async () => {
    const query = async (reference: string): Promise<string[]> =>
      await found([patientSlot('pat-1'), STATUS, ['$XDSDocumentEntryReferenceIdList', `('${reference}')`]], {
        id: STORED_QUERY.findDocumentsByReferenceId,
      });
    const { ct } = clinic;
    expect(await query(`${ct.studyInstanceUID}^^^^urn:ihe:iti:xds:2016:studyInstanceUID`)).to.deep.equal([
      ct.manifestUID,
    ]);
    expect(await query('ACC-1^^^&1.2.7&ISO^urn:ihe:iti:xds:2013:accession')).to.deep.equal([ct.manifestUID]);
    expect(await query('ACC-1')).to.deep.equal([ct.manifestUID]);
    expect(await query('ACC-1^^^&1.2.7&ISO^urn:ihe:iti:xds:2013:order')).to.deep.equal([]);
    expect(await query('ACC-1^^^&1.2.8&ISO^urn:ihe:iti:xds:2013:accession')).to.deep.equal([]);
  });

  it('gets documents by uniqueId and by entryUUID', async () => {
    const get = async (name: string, value: string, token = 'lambert'): Promise<string[]> =>
      await found([[`$XDSDocumentEntry${name}`, `('${value}')`]], { id: STORED_QUERY.getDocuments, token });
    const { ct, hidden } = clinic;
    expect(await get('UniqueId', ct.manifestUID)).to.deep.equal([ct.manifestUID]);
    expect(await get('EntryUUID', `urn:uuid:${ct.manifest.id}`)).to.deep.equal([ct.manifestUID]);
    expect(await get('UniqueId', hidden.manifestUID)).to.deep.equal([]);
    expect(await get('EntryUUID', `urn:uuid:${hidden.manifest.id}`)).to.deep.equal([]);
    expect(await get('EntryUUID', `urn:uuid:${ct.manifest.id}`, 'stranger')).to.deep.equal([]);
  });

  it('answers for a patient who is hidden as for one who is unknown: Success and nothing', async () => {
    for (const token of ['lambert', 'stranger']) {
      const hidden = await send(door, 'registry', adhocQuery([patientSlot('pat-2'), STATUS]), { token });
      const unknown = await send(door, 'registry', adhocQuery([patientSlot('pat-9'), STATUS]), { token });
      expect(comparable(hidden, 'pat-2')).to.equal(comparable(unknown, 'pat-9'));
      expect(statusOf(hidden)).to.equal('Success');
    }
    expect(await found([patientSlot('pat-1'), STATUS], { token: 'stranger' })).to.deep.equal([]);
    expect(await clinic.events(clinic.bruno, 'ITI-18')).to.deep.equal([]);
  });

  it('writes the query into the list that the patient reads', async () => {
    await found([patientSlot('pat-1'), STATUS]);
    const [event] = await clinic.events(clinic.anne, 'ITI-18');
    expect(event?.agent.some(({ who }) => who?.reference === 'Practitioner/lambert')).to.equal(true);
    expect(event?.source.site).to.equal('https://passerelle.example/xds/registry');
    expect(event?.entity?.some(({ what }) => what?.identifier?.value === MESSAGE_ID)).to.equal(true);
  });

  it('reports errors of the query as registry errors', async () => {
    const cases: [string, string][] = [
      [adhocQuery([STATUS]), XDS_ERROR.storedQueryMissingParam],
      [adhocQuery([patientSlot('pat-1'), patientSlot('pat-2'), STATUS]), XDS_ERROR.storedQueryParamNumber],
      [adhocQuery([], 'urn:uuid:f26abbcb-ac74-4422-8a30-edb644bbc1a9'), XDS_ERROR.unknownStoredQuery],
    ];
    for (const [body, code] of cases) {
      const answer = await send(door, 'registry', body);
      expect([answer.response.status, statusOf(answer), errorsOf(answer)[0]?.[0]]).to.deep.equal([
        200,
        'Failure',
        code,
      ]);
    }
    const weak = await send(door, 'registry', adhocQuery([patientSlot('pat-1'), STATUS]), { token: 'weak' });
    expect([statusOf(weak), errorsOf(weak)[0]?.[0]]).to.deep.equal(['Failure', XDS_ERROR.registryError]);
    expect(door.errors).to.deep.equal([]);
  });

  it('finds authors by pattern and leaves out what has no identifiers of XDS', async () => {
    const { indexer } = await loadDefinitions();
    const { ct, anne, stores } = clinic;
    const { masterIdentifier, ...rest } = ct.manifest;
    const contained: Practitioner[] = [
      { resourceType: 'Practitioner', id: 'doctor', name: [{ family: 'Image', given: ['Paul'] }] },
    ];
    const written: DocumentReference = {
      ...rest,
      id: 'by-a-doctor',
      contained,
      author: [{ reference: '#doctor' }],
      masterIdentifier: { system: 'urn:ietf:rfc:3986', value: 'urn:oid:2.25.555' },
      identifier: [{ system: 'urn:ietf:rfc:3986', value: 'urn:uuid:1415538d-41bc-41b2-9ae6-8b785f7f3aa6' }],
    };
    const ofFhir: DocumentReference = { ...rest, id: 'of-fhir-alone', identifier: [] };
    const facts = { person: anne.person, subject: 'Patient/anne' };
    await commitPlan(
      stores.records,
      aPlan({ puts: [putOf(indexer, written, NOW, facts), putOf(indexer, ofFhir, NOW, facts)] }),
    );
    const by = async (pattern: string): Promise<string[]> =>
      await found([patientSlot('pat-1'), STATUS, ['$XDSDocumentEntryAuthorPerson', `('${pattern}')`]]);
    expect(masterIdentifier?.value).to.equal(`urn:oid:${ct.manifestUID}`);
    expect(await by('%Image%')).to.deep.equal(['2.25.555']);
    expect(await by('^Imag_^P%')).to.deep.equal(['2.25.555']);
    expect(await by('Image%')).to.deep.equal([]);
    expect(await found([patientSlot('pat-1'), STATUS])).to.have.length(3);
  });

  it('refuses to answer more than 500 documents', async () => {
    const { indexer } = await loadDefinitions();
    const { ct, anne, stores } = clinic;
    const puts = Array.from({ length: 501 }, (_, at) =>
      putOf(indexer, { ...ct.manifest, id: `many-${at}` }, NOW, { person: anne.person, subject: 'Patient/anne' }),
    );
    await commitPlan(stores.records, aPlan({ puts }));
    const answer = await send(door, 'registry', adhocQuery([patientSlot('pat-1'), STATUS]));
    expect([statusOf(answer), errorsOf(answer)[0]?.[0]]).to.deep.equal(['Failure', XDS_ERROR.tooManyResults]);
  });
});
