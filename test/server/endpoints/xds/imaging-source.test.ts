import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { expect } from 'chai';
import { NAMESPACE, XDS_ERROR } from '../../../../ihe/codes.ts';
import { DICOM_UID } from '../../../../profiles/codes.ts';
import { soapRequest, SOAP_TYPE } from '../../../support/clients/xds.ts';
import { openClinic, type Clinic, type ClinicStudy } from '../clinic.ts';
import type { ServedRouter } from '../served-router.ts';
import { DOOR, errorsOf, REPOSITORY, select, send, serveXds, statusOf } from './door.ts';

const RAW = DICOM_UID.explicitLittleEndian;

/** Instances as `study series instance` or `study series instance repository`. */
function imagingRequest(instances: readonly string[], syntaxes: readonly string[] = [RAW]): string {
  const studies = instances.map((instance) => {
    const [study, series, sop, repository = REPOSITORY] = instance.split(' ');
    return (
      `<r:StudyRequest studyInstanceUID="${study}"><r:SeriesRequest seriesInstanceUID="${series}"><x:DocumentRequest>` +
      `<x:RepositoryUniqueId>${repository}</x:RepositoryUniqueId><x:DocumentUniqueId>${sop}</x:DocumentUniqueId>` +
      '</x:DocumentRequest></r:SeriesRequest></r:StudyRequest>'
    );
  });
  const list = syntaxes.map((uid) => `<r:TransferSyntaxUID>${uid}</r:TransferSyntaxUID>`).join('');
  return (
    `<r:RetrieveImagingDocumentSetRequest xmlns:r="${NAMESPACE.rad}" xmlns:x="${NAMESPACE.xdsb}">${studies.join('')}` +
    `<r:TransferSyntaxUIDList>${list}</r:TransferSyntaxUIDList></r:RetrieveImagingDocumentSetRequest>`
  );
}

function nameOf({ instances }: ClinicStudy, at: number): string {
  const row = instances[at]?.row;
  return `${row?.studyInstanceUID} ${row?.seriesInstanceUID} ${row?.sopInstanceUID}`;
}

describe('RAD-69 Retrieve Imaging Document Set (RAD TF-2 4.69) over HTTP', () => {
  let clinic: Clinic;
  let door: ServedRouter;

  beforeEach(async () => {
    clinic = await openClinic();
    door = await serveXds(clinic);
  });

  afterEach(async () => {
    await door.close();
    await clinic.close();
  });

  it('sends instances of several studies as the files that were received', async () => {
    const { ct, mr } = clinic;
    const body = imagingRequest([nameOf(ct, 2), nameOf(mr, 0), nameOf(ct, 0)], ['1.2.840.10008.1.2.4.70', RAW]);
    const answer = await send(door, 'imagingSource', body);
    expect([answer.response.status, statusOf(answer), errorsOf(answer)]).to.deep.equal([200, 'Success', []]);
    const expected = [ct.instances[0], ct.instances[2], mr.instances[0]];
    expect(select(answer.envelope, '//xdsb:DocumentUniqueId')).to.deep.equal(
      expected.map((one) => one?.row.sopInstanceUID),
    );
    expect(answer.parts).to.deep.equal(expected.map((one) => one?.bytes));
    expect(new Set(select(answer.envelope, '//xdsb:mimeType'))).to.deep.equal(new Set(['application/dicom']));
  });

  it('writes one event for each study into the list that the patient reads', async () => {
    const { ct, mr, anne } = clinic;
    await send(
      door,
      'imagingSource',
      imagingRequest([nameOf(ct, 0), nameOf(ct, 2), nameOf(mr, 0)], [RAW, '1.2.840.10008.1.2.4.70']),
    );
    const events = await clinic.events(anne, 'RAD-69');
    const studies = events
      .flatMap(({ entity = [] }) => entity.flatMap(({ what }) => what?.identifier?.value ?? []))
      .filter((value) => value.startsWith('urn:oid:'));
    expect(studies).to.have.members([ct, mr].map(({ studyInstanceUID }) => `urn:oid:${studyInstanceUID}`));
  });

  it('answers each case of an instance that it cannot send', async () => {
    const { ct, mr, hidden } = clinic;
    const [study, series, sop] = nameOf(ct, 0).split(' ');
    const cases: [body: string, code: string, location: string][] = [
      [imagingRequest([`${study} ${series} ${sop} 2.25.77`]), XDS_ERROR.unknownRepositoryId, `${sop}`],
      [imagingRequest([`${study} ${series} 2.25.4`]), XDS_ERROR.documentUniqueIdError, '2.25.4'],
      [imagingRequest([`${study} ${series} none`]), XDS_ERROR.documentUniqueIdError, 'none'],
      [imagingRequest([`${study} ${study}.2 ${sop}`]), XDS_ERROR.documentUniqueIdError, `${sop}`],
      [imagingRequest([`${mr.studyInstanceUID} ${series} ${sop}`]), XDS_ERROR.documentUniqueIdError, `${sop}`],
      [
        imagingRequest([nameOf(hidden, 0)]),
        XDS_ERROR.documentUniqueIdError,
        `${hidden.instances[0]?.row.sopInstanceUID}`,
      ],
      [imagingRequest([` ${series} ${sop}`]), XDS_ERROR.imagingRequestError, 'studyInstanceUID'],
      [imagingRequest([nameOf(ct, 0)], ['1.2.840.10008.1.2.1.999']), XDS_ERROR.repositoryError, `${sop}`],
      [imagingRequest([nameOf(ct, 0)], ['']), XDS_ERROR.repositoryError, 'TransferSyntaxUID'],
    ];
    for (const [body, code, location] of cases) {
      const answer = await send(door, 'imagingSource', body);
      expect([answer.response.status, statusOf(answer), answer.parts, errorsOf(answer)]).to.deep.equal([
        200,
        'Failure',
        [],
        [[code, location]],
      ]);
    }
    const stranger = await send(door, 'imagingSource', imagingRequest([nameOf(ct, 0)]), { token: 'stranger' });
    expect([statusOf(stranger), errorsOf(stranger)]).to.deep.equal([
      'Failure',
      [[XDS_ERROR.documentUniqueIdError, sop]],
    ]);
    expect(await clinic.events(clinic.bruno, 'RAD-69')).to.deep.equal([]);
  });

  it('says of a hidden instance what it says of an unknown one', async () => {
    const { hidden } = clinic;
    const uid = hidden.instances[0]?.row.sopInstanceUID ?? '';
    const first = await send(door, 'imagingSource', imagingRequest([nameOf(hidden, 0)]));
    const second = await send(door, 'imagingSource', imagingRequest(['2.25.5 2.25.5.1 2.25.5.1.1']));
    expect(first.envelope.replaceAll(uid, 'UID')).to.equal(second.envelope.replaceAll('2.25.5.1.1', 'UID'));
  });

  it('sends what it can beside the errors', async () => {
    const { ct, hidden } = clinic;
    const answer = await send(door, 'imagingSource', imagingRequest([nameOf(hidden, 0), nameOf(ct, 1)]));
    expect(statusOf(answer)).to.equal('PartialSuccess');
    expect(answer.parts).to.deep.equal([ct.instances[1]?.bytes]);
    expect(errorsOf(answer)).to.deep.equal([
      [XDS_ERROR.documentUniqueIdError, hidden.instances[0]?.row.sopInstanceUID],
    ]);
  });

  it('breaks the connection when the study is withdrawn while it is sent', async () => {
    const many = await clinic.addStudy({
      started: '2026-02-01T10:00:00Z',
      modality: 'CT',
      accession: 'ACC-9',
      description: 'Long',
      series: [Array<string>(250).fill(RAW)],
    });
    const body = imagingRequest(many.instances.map((_, at) => nameOf(many, at)));
    const request = httpRequest(door.origin + DOOR.imagingSource.path, {
      method: 'POST',
      headers: { Authorization: 'Bearer lambert', 'Content-Type': SOAP_TYPE },
    });
    request.end(soapRequest(DOOR.imagingSource.action, body));
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    await clinic.withdraw();
    response.resume();
    const [error] = (await Promise.race([once(response, 'error'), once(response, 'end')])) as [Error | undefined];
    expect(error?.message).to.equal('aborted');
  });
});
