import { expect } from 'chai';
import { aStudy } from '../../../../fixtures/dicom/a-study.ts';
import { TAG, itemsOf, textOf } from '../../../../profiles/dicom/attributes.ts';
import type { JsonAttribute } from '../../../../profiles/dicom/json/json.ts';
import { personKey } from '../../../../server/access/requester.ts';
import { buildStudyManifest } from '../../../../server/flows/study/build-study-manifest.ts';
import type { StoredStudy } from '../../../../server/flows/study/study-content.ts';
import { firstHeader, headerOf, withAttributes } from '../../../support/imaging.ts';

const PLACE = {
  repositoryUniqueId: '1.2',
  retrieveAETitle: 'PASSERELLE',
  dicomWeb: 'http://localhost/dicom-web',
  accessionSystem: 'urn:oid:1.2.7',
};

/** The issuer of the accession number in the manifest of a study whose image names one, or none. */
function issuerIn(oid: string | undefined): string | undefined {
  const source = aStudy({ key: 'manifest issuer', instances: 1 });
  const issuer: JsonAttribute = {
    vr: 'SQ',
    Value: [{ '00400032': { vr: 'UT', Value: [oid ?? ''] }, '00400033': { vr: 'CS', Value: ['ISO'] } }],
  };
  const attributes = withAttributes(firstHeader(source), {
    IssuerOfAccessionNumberSequence: oid === undefined ? undefined : issuer,
  });
  const [instance] = [...source.instances()];
  if (instance === undefined) throw new Error('no instance');
  const { seriesInstanceUID, sopInstanceUID, sopClassUID } = instance;
  const row = {
    sopInstanceUID,
    sopClassUID,
    seriesInstanceUID,
    studyInstanceUID: source.studyInstanceUID,
    transferSyntaxUID: '',
    seriesNumber: 1,
    instanceNumber: 1,
    metadata: '',
    source: 'Organization/clinic',
    person: personKey('p'),
    subject: 'Patient/p',
    dataSetOffset: 0,
    dataSetDigest: '',
    blob: { name: '', size: 0 },
  };
  const study: StoredStudy = {
    studyInstanceUID: source.studyInstanceUID,
    patient: {
      patient: 'Patient/p',
      present: 'Patient/p',
      person: personKey('p'),
      home: personKey('p'),
      own: { system: '', value: '' },
      resource: { resourceType: 'Patient' },
      version: 1,
    },
    series: [{ seriesInstanceUID, attributes, instances: [row] }],
    sources: ['Organization/clinic'],
  };
  const header = headerOf(buildStudyManifest(study, '1.2.3', PLACE, new Date(0)));
  const [request] = itemsOf(header, TAG.ReferencedRequestSequence);
  const [named] = request === undefined ? [] : itemsOf(request, TAG.IssuerOfAccessionNumberSequence);
  return named === undefined ? undefined : textOf(named, TAG.UniversalEntityID);
}

describe('Manifest of a stored study (PS3.3 table 10-9b, Referenced Request Sequence)', () => {
  it('names the issuer of the accession number that the image names, else the establishment’s', () => {
    expect(issuerIn('1.2.3.4')).to.equal('1.2.3.4');
    expect(issuerIn(undefined)).to.equal('1.2.7');
  });
});
