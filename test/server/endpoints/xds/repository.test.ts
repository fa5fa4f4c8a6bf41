import { expect } from 'chai';
import { ACTION, XDS_ERROR } from '../../../../ihe/codes.ts';
import { retrieveDocumentSet } from '../../../support/clients/xds.ts';
import { openClinic, type Clinic } from '../clinic.ts';
import type { ServedRouter } from '../served-router.ts';
import { comparable, errorsOf, MESSAGE_ID, REPOSITORY, select, send, serveXds, statusOf } from './door.ts';

describe('ITI-43 Retrieve Document Set (ITI TF-2 3.43) over HTTP', () => {
  let clinic: Clinic;
  let door: ServedRouter;

  before(async () => {
    clinic = await openClinic();
    door = await serveXds(clinic);
  });

  after(async () => {
    await door.close();
    await clinic.close();
  });

  it('sends documents as the parts of an MTOM package', async () => {
    const { ct, mr } = clinic;
    const answer = await send(
      door,
      'repository',
      retrieveDocumentSet([
        [REPOSITORY, mr.manifestUID],
        [REPOSITORY, ct.manifestUID],
      ]),
    );
    expect([answer.response.status, statusOf(answer)]).to.deep.equal([200, 'Success']);
    expect(answer.response.headers.get('Content-Type')).to.match(/^multipart\/related; type="application\/xop\+xml"/);
    expect(select(answer.envelope, '//wsa:Action')).to.deep.equal([ACTION.retrieveDocumentSetResponse]);
    expect(select(answer.envelope, '//wsa:RelatesTo')).to.deep.equal([MESSAGE_ID]);
    expect(select(answer.envelope, '//xdsb:DocumentUniqueId')).to.deep.equal([mr.manifestUID, ct.manifestUID]);
    expect(select(answer.envelope, '//xdsb:mimeType')).to.deep.equal(['application/dicom', 'application/dicom']);
    expect(answer.parts).to.deep.equal([mr.manifestBytes, ct.manifestBytes]);
  });

  it('writes one event for each document into the list that the patient reads', async () => {
    const before = (await clinic.events(clinic.anne, 'ITI-43')).length;
    const { ct, mr } = clinic;
    await send(
      door,
      'repository',
      retrieveDocumentSet([
        [REPOSITORY, mr.manifestUID],
        [REPOSITORY, ct.manifestUID],
      ]),
    );
    const events = await clinic.events(clinic.anne, 'ITI-43');
    expect(events).to.have.length(before + 2);
    const named = events.slice(0, 2).flatMap(({ entity = [] }) => entity.map(({ what }) => what?.reference));
    expect(named).to.include.members([`DocumentReference/${ct.manifest.id}`, `DocumentReference/${mr.manifest.id}`]);
  });

  it('sends what it may beside an error for what it may not', async () => {
    const { ct, hidden } = clinic;
    const answer = await send(
      door,
      'repository',
      retrieveDocumentSet([
        [REPOSITORY, hidden.manifestUID],
        [REPOSITORY, ct.manifestUID],
        ['2.25.4', ct.manifestUID],
      ]),
    );
    expect(statusOf(answer)).to.equal('PartialSuccess');
    expect(answer.parts).to.deep.equal([ct.manifestBytes]);
    expect(errorsOf(answer)).to.deep.equal([
      [XDS_ERROR.documentUniqueIdError, hidden.manifestUID],
      [XDS_ERROR.unknownRepositoryId, ct.manifestUID],
    ]);
  });

  it('answers for a hidden document as for one that is unknown', async () => {
    const uid = clinic.hidden.manifestUID;
    const hidden = await send(door, 'repository', retrieveDocumentSet([[REPOSITORY, uid]]));
    const unknown = await send(door, 'repository', retrieveDocumentSet([[REPOSITORY, '2.25.4']]));
    expect(statusOf(hidden)).to.equal('Failure');
    expect(errorsOf(hidden)).to.deep.equal([[XDS_ERROR.documentUniqueIdError, uid]]);
    const withoutBoundary = (text: string): string => text.replaceAll(/[0-9a-f-]{36}/g, '');
    expect(withoutBoundary(comparable(hidden, uid))).to.equal(withoutBoundary(comparable(unknown, '2.25.4')));
    const stranger = await send(door, 'repository', retrieveDocumentSet([[REPOSITORY, clinic.ct.manifestUID]]), {
      token: 'stranger',
    });
    expect([stranger.parts, errorsOf(stranger)]).to.deep.equal([
      [],
      [[XDS_ERROR.documentUniqueIdError, clinic.ct.manifestUID]],
    ]);
    expect(await clinic.events(clinic.bruno, 'ITI-43')).to.deep.equal([]);
  });

  it('does not take another identifier of a document for its uniqueId', async () => {
    const entryUUID = `urn:uuid:${clinic.ct.manifest.id}`;
    const answer = await send(door, 'repository', retrieveDocumentSet([[REPOSITORY, entryUUID]]));
    expect(errorsOf(answer)).to.deep.equal([[XDS_ERROR.documentUniqueIdError, entryUUID]]);
    expect(door.errors).to.deep.equal([]);
  });
});
