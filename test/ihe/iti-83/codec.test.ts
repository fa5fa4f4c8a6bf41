import { expect } from 'chai';
import type { Parameters } from '@medplum/fhirtypes';
import { parseCrossReferenceBody, parseCrossReferenceUrl } from '../../../ihe/iti-83/request.ts';
import { buildCrossReferenceAnswer, PIXM_DIAGNOSTICS } from '../../../ihe/iti-83/response.ts';
import { Fault } from '../../../profiles/fault.ts';
import { readSample } from '../../support/clients/xds.ts';
import { kindOf } from '../../support/faults.ts';

const RED = 'urn:oid:1.3.6.1.4.1.21367.13.20.1000';
const BLUE = 'urn:oid:1.3.6.1.4.1.21367.13.20.3000';

function ofUrl(text: string) {
  return parseCrossReferenceUrl(new URLSearchParams(text));
}

describe('ITI-83 $ihe-pix, request (PIXm 2:3.83.4.1.2)', () => {
  it('reads an identifier with its domain, and the domains to answer, each once', () => {
    const asked = ofUrl(
      `sourceIdentifier=${RED}|IHERED-994&targetSystem=${BLUE}&targetSystem=urn:a&targetSystem=${BLUE}`,
    );
    expect(asked).to.deep.equal({ source: { system: RED, value: 'IHERED-994' }, targets: [BLUE, 'urn:a'] });
    expect(ofUrl(`sourceIdentifier=${RED}%7Ca%5C%7Cb%5C%2C1&_format=json&_pretty=true`)).to.deep.equal({
      source: { system: RED, value: 'a|b,1' },
      targets: [],
    });
  });

  it('reads the same from Parameters, as strings or URIs', () => {
    const body: Parameters = {
      resourceType: 'Parameters',
      parameter: [
        { name: 'sourceIdentifier', valueString: `${RED}|IHERED-994` },
        { name: 'targetSystem', valueString: BLUE },
        { name: 'targetSystem', valueUri: 'http://fhir.example' },
        { name: '_format', valueString: 'json' },
      ],
    };
    expect(parseCrossReferenceBody(body)).to.deep.equal({
      source: { system: RED, value: 'IHERED-994' },
      targets: [BLUE, 'http://fhir.example'],
    });
  });

  it('refuses an identifier that is missing, comes twice or lacks a half', () => {
    expect(kindOf(() => ofUrl(`targetSystem=${BLUE}`))).to.equal('required');
    expect(kindOf(() => parseCrossReferenceBody({ resourceType: 'Parameters' }))).to.equal('required');
    expect(kindOf(() => ofUrl('sourceIdentifier=urn:a|1&sourceIdentifier=urn:a|2'))).to.equal('invalid');
    for (const text of ['1', '|1', 'urn:a|', 'urn:a', '', 'urn:a|1|2', 'urn:a|1\\'])
      expect(
        kindOf(() => parseCrossReferenceUrl(new URLSearchParams({ sourceIdentifier: text }))),
        text,
      ).to.equal('invalid');
  });

  it('refuses other parameters, empty domains, and more than a query needs', () => {
    expect(kindOf(() => ofUrl('sourceIdentifier=urn:a|1&patient=2'))).to.equal('invalid');
    expect(kindOf(() => ofUrl('sourceIdentifier=urn:a|1&targetSystem='))).to.equal('invalid');
    const domains = Array.from({ length: 51 }, (_, at) => `targetSystem=urn:a:${at}`).join('&');
    expect(kindOf(() => ofUrl(`sourceIdentifier=urn:a|1&${domains}`))).to.equal('too-costly');
    expect(kindOf(() => ofUrl(`sourceIdentifier=urn:a|${'1'.repeat(2_048)}`))).to.equal('too-costly');
  });

  it('never repeats a value in a refusal', () => {
    try {
      ofUrl('sourceIdentifier=secret');
    } catch (error) {
      expect((error as Fault).message).to.not.include('secret');
    }
  });
});

describe('ITI-83 $ihe-pix, response (PIXm 2:3.83.4.2.2)', () => {
  it('has one targetIdentifier for each identifier, one targetId for each Patient', () => {
    const identifier = { use: 'official', system: BLUE, value: 'IHEBLUE-994' } as const;
    expect(buildCrossReferenceAnswer({ identifiers: [identifier], patients: ['Patient/blue'] })).to.deep.equal({
      resourceType: 'Parameters',
      parameter: [
        { name: 'targetIdentifier', valueIdentifier: identifier },
        { name: 'targetId', valueReference: { reference: 'Patient/blue' } },
      ],
    });
    expect(buildCrossReferenceAnswer({ identifiers: [], patients: [] })).to.deep.equal({ resourceType: 'Parameters' });
  });

  it('says what the published example says of an unknown identifier', function () {
    const sample = readSample('ihe/pixm/OperationOutcome-pixm-response-error-not-found.json');
    if (sample === undefined) return this.skip();
    expect(sample.toString()).to.include(PIXM_DIAGNOSTICS.unknownIdentifier);
  });
});
