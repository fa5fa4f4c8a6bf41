import { expect } from 'chai';
import * as fc from 'fast-check';
import { ACTION, RESPONSE_STATUS } from '../../../ihe/codes.ts';
import { formatAdhocQueryResponse } from '../../../ihe/iti-18/response.ts';
import type { AdhocQueryAnswer } from '../../../ihe/iti-18/response.ts';
import { formatEnvelope } from '../../../ihe/soap/envelope.ts';
import { selectElements } from '../../../ihe/xml/select.ts';
import { withXml } from '../../../ihe/xml/parse.ts';
import { aDocument, aPatient, hasSchemas, schemaErrors } from '../../support/clients/xds.ts';

const source = {
  document: aDocument(),
  patient: aPatient(),
  patientId: 'pat-1^^^&1.2.3.4&ISO',
  repositoryUniqueId: '2.25.2',
  homeCommunityId: 'urn:oid:2.25.3',
};
const error = {
  errorCode: 'XDSRegistryError',
  codeContext: 'One "source" <did> not answer',
  severity: 'error',
} as const;

function envelopeOf(answer: AdhocQueryAnswer): string {
  const body = formatAdhocQueryResponse(answer);
  return formatEnvelope({ action: ACTION.registryStoredQueryResponse, relatesTo: 'urn:uuid:1', body });
}

/** Status of the answer, and how many objects of each kind it lists. */
function seen(answer: AdhocQueryAnswer): unknown {
  return withXml(Buffer.from(envelopeOf(answer)), (document) => ({
    status: selectElements(document, '//query:AdhocQueryResponse')[0]?.attr('status')?.value,
    lists: selectElements(document, '//rim:RegistryObjectList').length,
    entries: selectElements(document, '//rim:ExtrinsicObject').length,
    references: selectElements(document, '//rim:ObjectRef').length,
    errors: selectElements(document, '//rs:RegistryError').length,
  }));
}

describe('ITI-18 answer (ITI TF-2 3.18.4.1.3)', () => {
  it('is a Success with an empty list when nothing is found', () => {
    expect(seen({ returnType: 'LeafClass', documents: [] })).to.deep.equal({
      status: RESPONSE_STATUS.success,
      lists: 1,
      entries: 0,
      references: 0,
      errors: 0,
    });
  });

  it('lists entries for LeafClass and references for ObjectRef', () => {
    expect(seen({ returnType: 'LeafClass', documents: [source] })).to.include({ entries: 1, references: 0 });
    expect(seen({ returnType: 'ObjectRef', documents: [source] })).to.include({ entries: 0, references: 1 });
  });

  it('is a PartialSuccess with documents beside an error, a Failure with an error alone', () => {
    const errors = [error];
    expect(seen({ returnType: 'ObjectRef', documents: [source], errors })).to.include({
      status: RESPONSE_STATUS.partialSuccess,
      references: 1,
      errors: 1,
    });
    expect(seen({ returnType: 'ObjectRef', documents: [], errors })).to.include({
      status: RESPONSE_STATUS.failure,
      lists: 1,
      errors: 1,
    });
  });

  it('is valid against the schemas, in every form', function () {
    if (!hasSchemas()) this.skip();
    for (const returnType of ['LeafClass', 'ObjectRef'] as const) {
      for (const documents of [[], [source], [source, source]]) {
        for (const errors of [[], [error], [error, { ...error, severity: 'warning' as const, location: 'x' }]]) {
          expect(schemaErrors(envelopeOf({ returnType, documents, errors }))).to.equal('');
        }
      }
    }
  });

  it('would be found out by the schemas if it broke them', function () {
    if (!hasSchemas()) this.skip();
    const xml = envelopeOf({ returnType: 'LeafClass', documents: [source] });
    expect(schemaErrors(xml.replace(/<rim:Value>[^<]*/, (found) => found + 'x'.repeat(257)))).to.contain('256');
    expect(schemaErrors(xml.replaceAll('rim:Slot', 'rim:Sloth'))).not.to.equal('');
  });

  it('is valid whatever texts a document holds', function () {
    if (!hasSchemas()) this.skip();
    const unit = fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 20 }),
      fc.constantFrom('\0', '\x1b', '\ud800', '\uffff', ']]>'),
    );
    const text = fc.array(unit, { minLength: 1, maxLength: 30 }).map((parts) => `x${parts.join('')}`);
    fc.assert(
      fc.property(text, text, text, (title, description, code) => {
        const document = aDocument({
          description,
          type: { coding: [{ system: title, code, display: description }] },
          author: [{ display: title }],
          content: [{ attachment: { title, language: code } }],
        });
        expect(schemaErrors(envelopeOf({ returnType: 'LeafClass', documents: [{ ...source, document }] }))).to.equal(
          '',
        );
      }),
      { numRuns: 100 },
    );
  });
});
