/** ITI-18, ITI-43 and RAD-69. */
import { expect } from 'chai';
import { ESTABLISHMENTS } from '../../../../fixtures/people.ts';
import { ACTION, NAMESPACE, STORED_QUERY } from '../../../../ihe/codes.ts';
import { DICOM_UID } from '../../../../profiles/codes.ts';
import { adhocQuery, retrieveDocumentSet, STATUS_SLOT } from '../../../support/clients/xds.ts';
import { ofReport, type Door, type Sent } from '../door.ts';
import { dataSetDigest, type DocumentIds, type ExamIds } from '../exam.ts';
import { expectManifest, expectReport } from './fhir-doors.ts';
import { documentsOf, post, responseOf, select, type Message } from '../soap.ts';

/** The repository of the demonstration region. */
const REPOSITORY = '2.25.206875368712831322602221010714274556034';
const UNIQUE_ID = 'urn:uuid:2e82c1f6-a085-4c72-9da3-8640a32e42ab';

/** The doors. */
export const XDS_DOORS: readonly Door[] = [
  query('ITI-18 FindDocuments', findDocuments),
  query('ITI-18 FindDocumentsByReferenceId', findByStudy),
  query('ITI-18 GetDocuments', getDocuments),
  retrieve('ITI-43 manifest (KOS)', (ids) => ids.manifest, expectManifest),
  ofReport(retrieve('ITI-43 report (PDF)', (ids) => ids.reportDocument, expectReport)),
  {
    name: 'RAD-69',
    event: {
      type: '110104',
      subtype: ['RAD-69'],
      action: 'R',
      touched: ({ imagingStudy }) => `ImagingStudy/${imagingStudy}`,
    },
    ask: async (call) =>
      await post(call, {
        path: '/xds/imaging-source',
        action: ACTION.retrieveImagingDocumentSet,
        body: imagingRequest(call.ids),
      }),
    expectShown: (reply, { exam }) => {
      expect(responseOf(reply)).to.deep.equal({ http: 200, status: 'Success', errors: [] });
      const digests = [...documentsOf(reply)].map(([uid, bytes]) => [uid, dataSetDigest(bytes)]);
      expect(digests).to.have.deep.members([...exam.dataSets]);
    },
    expectHidden: (reply, { sopInstanceUIDs }) => {
      const { http, status, errors } = responseOf(reply);
      expect([http, status]).to.deep.equal([200, 'Failure']);
      expect(errors).to.have.members(sopInstanceUIDs.map((uid) => `XDSDocumentUniqueIdError ${uid}`));
      expect(documentsOf(reply).size).to.equal(0);
    },
  },
];

/** The request of FindDocuments for the exam's patient. */
export function findDocuments({ patientNumber }: Pick<ExamIds, 'patientNumber'>): Message {
  return queryMessage(STORED_QUERY.findDocuments, [patientSlot(patientNumber), STATUS_SLOT]);
}

function findByStudy({ patientNumber, studyInstanceUID }: ExamIds): Message {
  const reference = `('${studyInstanceUID}^^^^urn:ihe:iti:xds:2016:studyInstanceUID')`;
  return queryMessage(STORED_QUERY.findDocumentsByReferenceId, [
    patientSlot(patientNumber),
    STATUS_SLOT,
    ['$XDSDocumentEntryReferenceIdList', reference],
  ]);
}

function getDocuments({ manifest, reportDocument }: ExamIds): Message {
  return queryMessage(STORED_QUERY.getDocuments, [
    ['$XDSDocumentEntryUniqueId', `('${manifest.uniqueId}','${reportDocument.uniqueId}')`],
  ]);
}

function patientSlot(number: string): readonly [string, string] {
  return ['$XDSDocumentEntryPatientId', `'${number}^^^&${ESTABLISHMENTS.strasbourg.patientIdDomain}&ISO'`];
}

function queryMessage(id: string, slots: Parameters<typeof adhocQuery>[0]): Message {
  return { path: '/xds/registry', action: ACTION.registryStoredQuery, body: adhocQuery(slots, id) };
}

function query(name: string, message: (ids: ExamIds) => Message): Door {
  return {
    name,
    event: { type: '110112', subtype: ['ITI-18'], action: 'E' },
    ask: async (call) => await post(call, message(call.ids)),
    expectShown: (reply, { ids }) => {
      expect(responseOf(reply)).to.deep.equal({ http: 200, status: 'Success', errors: [] });
      const uniqueIds = select(
        reply,
        `//rim:ExtrinsicObject/rim:ExternalIdentifier[@identificationScheme="${UNIQUE_ID}"]`,
        'value',
      );
      expect(uniqueIds).to.have.members([ids.manifest.uniqueId, ids.reportDocument.uniqueId]);
      const repositories = select(reply, '//rim:ExtrinsicObject/rim:Slot[@name="repositoryUniqueId"]//rim:Value');
      expect(repositories).to.deep.equal([REPOSITORY, REPOSITORY]);
    },
    expectHidden: (reply) => {
      expect(responseOf(reply)).to.deep.equal({ http: 200, status: 'Success', errors: [] });
      expect(select(reply, '//rim:RegistryObjectList/*')).to.deep.equal([]);
    },
  };
}

function retrieve(
  name: string,
  document: (ids: ExamIds) => DocumentIds,
  check: (bytes: Buffer, sent: Sent) => void,
): Door {
  return {
    name,
    event: {
      type: '110106',
      subtype: ['ITI-43'],
      action: 'R',
      touched: (ids) => `DocumentReference/${document(ids).id}`,
    },
    ask: async (call) => {
      const body = retrieveDocumentSet([[REPOSITORY, document(call.ids).uniqueId]]);
      return await post(call, { path: '/xds/repository', action: ACTION.retrieveDocumentSet, body });
    },
    expectShown: (reply, sent) => {
      expect(responseOf(reply)).to.deep.equal({ http: 200, status: 'Success', errors: [] });
      const [only, ...others] = documentsOf(reply);
      expect([only?.[0], ...others]).to.deep.equal([document(sent.ids).uniqueId]);
      check(only?.[1] ?? Buffer.alloc(0), sent);
    },
    expectHidden: (reply, ids) => {
      const errors = [`XDSDocumentUniqueIdError ${document(ids).uniqueId}`];
      expect(responseOf(reply)).to.deep.equal({ http: 200, status: 'Failure', errors });
      expect(documentsOf(reply).size).to.equal(0);
    },
  };
}

function imagingRequest({ studyInstanceUID, seriesInstanceUID, sopInstanceUIDs }: ExamIds): string {
  const requests = sopInstanceUIDs.map(
    (uid) =>
      `<x:DocumentRequest><x:RepositoryUniqueId>${REPOSITORY}</x:RepositoryUniqueId>` +
      `<x:DocumentUniqueId>${uid}</x:DocumentUniqueId></x:DocumentRequest>`,
  );
  return (
    `<i:RetrieveImagingDocumentSetRequest xmlns:i="${NAMESPACE.rad}" xmlns:x="${NAMESPACE.xdsb}">` +
    `<i:StudyRequest studyInstanceUID="${studyInstanceUID}"><i:SeriesRequest ` +
    `seriesInstanceUID="${seriesInstanceUID}">${requests.join('')}` +
    '</i:SeriesRequest></i:StudyRequest><i:TransferSyntaxUIDList>' +
    `<i:TransferSyntaxUID>${DICOM_UID.explicitLittleEndian}</i:TransferSyntaxUID></i:TransferSyntaxUIDList>` +
    '</i:RetrieveImagingDocumentSetRequest>'
  );
}
