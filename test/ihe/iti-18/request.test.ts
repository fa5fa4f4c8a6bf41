import { expect } from 'chai';
import * as fc from 'fast-check';
import { STORED_QUERY } from '../../../ihe/codes.ts';
import { parseParameterValue } from '../../../ihe/iti-18/parameters.ts';
import { parseAdhocQueryRequest } from '../../../ihe/iti-18/request.ts';
import type { AdhocQueryRequest } from '../../../ihe/iti-18/query.ts';
import { concernsSoap } from '../../../ihe/soap/fault.ts';
import { withSoapRequest } from '../../../ihe/soap/message.ts';
import { CODE_SYSTEM } from '../../../profiles/codes.ts';
import { Fault } from '../../../profiles/fault.ts';
import {
  adhocQuery,
  PATIENT_SLOT,
  readBody,
  readSample,
  retrieveDocumentSet,
  SOAP_TYPE,
  STATUS_SLOT,
} from '../../support/clients/xds.ts';
import type { QuerySlots } from '../../support/clients/xds.ts';

function parse(slots: QuerySlots, id?: string): AdhocQueryRequest['query'] {
  return readBody(adhocQuery(slots, id), parseAdhocQueryRequest).query;
}

function refusal(run: () => unknown): Fault {
  try {
    run();
  } catch (error) {
    expect(error).to.be.instanceOf(Fault);
    return error as Fault;
  }
  throw new Error('The query was accepted');
}

/** The errorCode that a query with these slots is refused by. */
function codeOf(...slots: QuerySlots): string | undefined {
  return refusal(() => parse(slots)).protocolCode;
}

const required = [PATIENT_SLOT, STATUS_SLOT] as const;

describe('ITI-18 FindDocuments (ITI TF-2 3.18.4.1.2.3.7.1)', () => {
  it('reads patient and status; stable documents when no type is named', () => {
    expect(parse(required)).to.deep.equal({
      kind: 'FindDocuments',
      patientId: { value: 'pat-1', assigningAuthority: '1.2.3.4' },
      statuses: ['current'],
      objectType: ['stable'],
    });
  });

  it('reads every filter', () => {
    const query = parse([
      PATIENT_SLOT,
      [STATUS_SLOT[0], STATUS_SLOT[1], "('urn:oasis:names:tc:ebxml-regrep:StatusType:Deprecated')"],
      ['$XDSDocumentEntryClassCode', "('a^^1.2','b^^1.2')", "('c^^1.2')"],
      ['$XDSDocumentEntryTypeCode', "('18748-4^^2.16.840.1.113883.6.1')"],
      ['$XDSDocumentEntryPracticeSettingCode', "('d^^1.3')"],
      ['$XDSDocumentEntryHealthcareFacilityTypeCode', "('e^^1.3')"],
      ['$XDSDocumentEntryFormatCode', "('f^^1.3')"],
      ['$XDSDocumentEntryEventCodeList', "('CT^^DCM','MR^^DCM')"],
      ['$XDSDocumentEntryEventCodeList', "('g^^1.3')"],
      ['$XDSDocumentEntryConfidentialityCode', "('N^^2.16.840.1.113883.5.25')"],
      ['$XDSDocumentEntryCreationTimeFrom', "'2004'"],
      ['$XDSDocumentEntryCreationTimeTo', '20050101'],
      ['$XDSDocumentEntryServiceStartTimeFrom', '200501'],
      ['$XDSDocumentEntryServiceStopTimeTo', "'20060102030405'"],
      ['$XDSDocumentEntryAuthorPerson', "('%Image^P_ul%','O''Neil')"],
      [
        '$XDSDocumentEntryType',
        "('urn:uuid:7edca82f-054d-47f2-a032-9b2a5b5186c1','urn:uuid:34268e47-fdf5-41a6-ba33-82133c465248')",
      ],
    ]);
    const code = (value: string, system: string) => ({ code: value, system });
    expect(query).to.deep.equal({
      kind: 'FindDocuments',
      patientId: { value: 'pat-1', assigningAuthority: '1.2.3.4' },
      statuses: ['current', 'superseded'],
      classCode: [code('a', 'urn:oid:1.2'), code('b', 'urn:oid:1.2'), code('c', 'urn:oid:1.2')],
      typeCode: [code('18748-4', CODE_SYSTEM.loinc)],
      practiceSettingCode: [code('d', 'urn:oid:1.3')],
      healthcareFacilityTypeCode: [code('e', 'urn:oid:1.3')],
      formatCode: [code('f', 'urn:oid:1.3')],
      eventCodeList: [[code('CT', CODE_SYSTEM.dcm), code('MR', CODE_SYSTEM.dcm)], [code('g', 'urn:oid:1.3')]],
      confidentialityCode: [[code('N', CODE_SYSTEM.confidentiality)]],
      creationTime: { from: '2004-01-01T00:00:00.000Z', to: '2005-01-01T00:00:00.000Z' },
      serviceStartTime: { from: '2005-01-01T00:00:00.000Z' },
      serviceStopTime: { to: '2006-01-02T03:04:05.000Z' },
      authorPerson: ['%Image^P_ul%', "O'Neil"],
      objectType: ['stable', 'on-demand'],
    });
  });

  it('trims parameter names, and ignores parameters of other queries', () => {
    const query = parse([[` ${PATIENT_SLOT[0]} `, PATIENT_SLOT[1]], STATUS_SLOT, ['$MetadataLevel', '1']]);
    expect(query).to.have.property('kind', 'FindDocuments');
  });

  it('answers XDSStoredQueryMissingParam without patient or status', () => {
    expect(codeOf(STATUS_SLOT)).to.equal('XDSStoredQueryMissingParam');
    expect(codeOf(PATIENT_SLOT)).to.equal('XDSStoredQueryMissingParam');
    expect(codeOf(PATIENT_SLOT, [STATUS_SLOT[0]])).to.equal('XDSStoredQueryMissingParam');
  });

  it('answers XDSStoredQueryParamNumber for a single value given twice, and for AND where it is not allowed', () => {
    expect(codeOf(PATIENT_SLOT, PATIENT_SLOT, STATUS_SLOT)).to.equal('XDSStoredQueryParamNumber');
    expect(codeOf(['$XDSDocumentEntryPatientId', "('a^^^&1.2&ISO','b^^^&1.2&ISO')"], STATUS_SLOT)).to.equal(
      'XDSStoredQueryParamNumber',
    );
    const classCode = ['$XDSDocumentEntryClassCode', "('a^^1.2')"] as const;
    expect(codeOf(...required, classCode, classCode)).to.equal('XDSStoredQueryParamNumber');
  });

  it('answers XDSRegistryError for a value that is not of its type, and never repeats it', () => {
    const bad: QuerySlots = [
      ['$XDSDocumentEntryClassCode', "('secret')"],
      ['$XDSDocumentEntryCreationTimeFrom', "'secret'"],
      ['$XDSDocumentEntryType', "('secret')"],
      ['$XDSDocumentEntryTypeCode', 'secret^^1.2'],
    ];
    for (const slot of bad) {
      const fault = refusal(() => parse([...required, slot]));
      expect(fault.protocolCode, slot[0]).to.equal('XDSRegistryError');
      expect(fault.message).not.to.contain('secret');
      expect(fault.expression).to.equal(slot[0]);
    }
    expect(codeOf(['$XDSDocumentEntryPatientId', "'secret'"], STATUS_SLOT)).to.equal('XDSRegistryError');
    expect(codeOf(PATIENT_SLOT, [STATUS_SLOT[0], "('constructor')"])).to.equal('XDSRegistryError');
  });

  it('caps the number of values', () => {
    const many = `(${Array.from({ length: 1001 }, () => "'a^^1.2'").join(',')})`;
    expect(refusal(() => parse([...required, ['$XDSDocumentEntryClassCode', many]])).kind).to.equal('too-costly');
  });
});

describe('ITI-18 parameter values (ITI TF-2 3.18.4.1.2.3.4)', () => {
  it('reads literals, numbers and lists, a doubled quote as one', () => {
    expect(parseParameterValue("'a''b'", 'p')).to.deep.equal(["a'b"]);
    expect(parseParameterValue('2004', 'p')).to.deep.equal(['2004']);
    expect(parseParameterValue("( 'a' , 'b,c',3)", 'p')).to.deep.equal(['a', 'b,c', '3']);
    expect(parseParameterValue("('')", 'p')).to.deep.equal(['']);
  });

  it('refuses bad quoting', () => {
    for (const value of [
      '',
      'a',
      "'a",
      "a'",
      "'a'b'",
      "('a'",
      "'a')",
      '()',
      "('a',)",
      "(,'a')",
      "('a' 'b')",
      "('a''b)",
      "('a'),('b')",
    ]) {
      expect(() => parseParameterValue(value, 'p'), value).to.throw(Fault);
    }
  });

  it('gives back any list that is quoted by the rule', () => {
    fc.assert(
      fc.property(fc.array(fc.string(), { minLength: 1, maxLength: 5 }), (values) => {
        const list = `(${values.map((value) => `'${value.replaceAll("'", "''")}'`).join(',')})`;
        expect(parseParameterValue(list, 'p')).to.deep.equal(values);
      }),
      { numRuns: 300 },
    );
  });

  it('stays quick on long hostile values', () => {
    for (const value of [`'${"''".repeat(200_000)}x`, `('${'a'.repeat(200_000)}`, `(${"'a',".repeat(100_000)}x)`]) {
      expect(() => parseParameterValue(value, 'p')).to.throw(Fault);
    }
  });
});

describe('ITI-18 other stored queries', () => {
  it('reads FindDocumentsByReferenceId with its AND of OR', () => {
    const query = parse(
      [
        ...required,
        ['$XDSDocumentEntryReferenceIdList', "('2.25.1^^^^urn:ihe:iti:xds:2016:studyInstanceUID','x^^^&1.2&ISO^t')"],
        ['$XDSDocumentEntryReferenceIdList', "('A1^^^&1.2&ISO^urn:ihe:iti:xds:2013:accession')"],
      ],
      STORED_QUERY.findDocumentsByReferenceId,
    );
    expect(query).to.deep.include({
      kind: 'FindDocumentsByReferenceId',
      referenceIdList: [
        [
          { value: '2.25.1', typeCode: 'urn:ihe:iti:xds:2016:studyInstanceUID' },
          { value: 'x', assigningAuthority: '1.2', typeCode: 't' },
        ],
        [{ value: 'A1', assigningAuthority: '1.2', typeCode: 'urn:ihe:iti:xds:2013:accession' }],
      ],
    });
    const bare = refusal(() => parse(required, STORED_QUERY.findDocumentsByReferenceId));
    expect(bare.protocolCode).to.equal('XDSStoredQueryMissingParam');
  });

  it('reads GetDocuments by entryUUID or by uniqueId, not by both and not by none', () => {
    const byUuid = ['$XDSDocumentEntryEntryUUID', "('urn:uuid:1')"] as const;
    const byUid = ['$XDSDocumentEntryUniqueId', "('2.25.1','2.25.2')"] as const;
    expect(parse([byUuid], STORED_QUERY.getDocuments)).to.deep.equal({
      kind: 'GetDocuments',
      entryUUIDs: ['urn:uuid:1'],
    });
    expect(parse([byUid], STORED_QUERY.getDocuments)).to.deep.equal({
      kind: 'GetDocuments',
      uniqueIds: ['2.25.1', '2.25.2'],
    });
    const codes = [[byUuid, byUid], []].map(
      (slots) => refusal(() => parse(slots, STORED_QUERY.getDocuments)).protocolCode,
    );
    expect(codes).to.deep.equal(['XDSStoredQueryParamNumber', 'XDSStoredQueryMissingParam']);
  });

  it('reads GetAssociations, whose parameter is $uuid in one Slot of several Values', () => {
    const slots = [['$uuid', "('urn:uuid:1')", "('urn:uuid:2','urn:uuid:3')"]] as const;
    expect(parse(slots, STORED_QUERY.getAssociations)).to.deep.equal({
      kind: 'GetAssociations',
      entryUUIDs: ['urn:uuid:1', 'urn:uuid:2', 'urn:uuid:3'],
    });
    for (const wrong of [[], [['$XDSDocumentEntryEntryUUID', "('urn:uuid:1')"]]] as QuerySlots[]) {
      expect(refusal(() => parse(wrong, STORED_QUERY.getAssociations)).protocolCode).to.equal(
        'XDSStoredQueryMissingParam',
      );
    }
  });

  it('reads GetDocumentsAndAssociations as GetDocuments', () => {
    expect(
      parse([['$XDSDocumentEntryUniqueId', "('2.25.1')"]], STORED_QUERY.getDocumentsAndAssociations),
    ).to.deep.equal({ kind: 'GetDocumentsAndAssociations', uniqueIds: ['2.25.1'] });
    const bare = refusal(() => parse([], STORED_QUERY.getDocumentsAndAssociations));
    expect(bare.protocolCode).to.equal('XDSStoredQueryMissingParam');
  });

  describe('GetRelatedDocuments (3.18.4.1.2.3.7.13)', () => {
    const byUuid = ['$XDSDocumentEntryEntryUUID', "'urn:uuid:1'"] as const;
    const types = [
      '$AssociationTypes',
      "('urn:ihe:iti:2007:AssociationType:RPLC','urn:ihe:iti:2007:AssociationType:APND')",
    ] as const;
    const read = (...slots: QuerySlots): AdhocQueryRequest['query'] => parse(slots, STORED_QUERY.getRelatedDocuments);
    const code = (...slots: QuerySlots): string | undefined => refusal(() => read(...slots)).protocolCode;

    it('reads one document and the types of association', () => {
      expect(read(byUuid, types)).to.deep.equal({
        kind: 'GetRelatedDocuments',
        entryUUIDs: ['urn:uuid:1'],
        associationTypes: ['urn:ihe:iti:2007:AssociationType:RPLC', 'urn:ihe:iti:2007:AssociationType:APND'],
        objectType: ['stable'],
      });
      const onDemand = ['$XDSDocumentEntryType', "('urn:uuid:34268e47-fdf5-41a6-ba33-82133c465248')"] as const;
      expect(read(['$XDSDocumentEntryUniqueId', "'2.25.1'"], types, onDemand)).to.deep.include({
        uniqueIds: ['2.25.1'],
        objectType: ['on-demand'],
      });
    });

    it('refuses what lacks a parameter, names several documents, or a type that is no URN', () => {
      expect(code(byUuid)).to.equal('XDSStoredQueryMissingParam');
      expect(code(types)).to.equal('XDSStoredQueryMissingParam');
      const several = ['$XDSDocumentEntryEntryUUID', "('urn:uuid:1','urn:uuid:2')"] as const;
      expect(code(several, types)).to.equal('XDSStoredQueryParamNumber');
      expect(code(byUuid, ['$XDSDocumentEntryUniqueId', "'2.25.1'"], types)).to.equal('XDSStoredQueryParamNumber');
      expect(code(byUuid, types, types)).to.equal('XDSStoredQueryParamNumber');
      expect(code(byUuid, ['$AssociationTypes', "('RPLC')"])).to.equal('XDSRegistryError');
    });
  });

  it('answers XDSUnknownStoredQuery for what it does not answer', () => {
    for (const id of ['urn:uuid:f26abbcb-ac74-4422-8a30-edb644bbc1a9', 'toString', '']) {
      const fault = refusal(() => parse(required, id));
      expect([fault.kind, fault.protocolCode]).to.deep.equal(['not-supported', 'XDSUnknownStoredQuery']);
    }
  });

  it('refuses another returnType', () => {
    const body = adhocQuery(required, undefined, 'LeafClassWithRepositoryItem');
    expect(refusal(() => readBody(body, parseAdhocQueryRequest)).kind).to.equal('not-supported');
  });

  it('refuses another body than the action announces, by a SOAP fault', () => {
    const fault = refusal(() => readBody(retrieveDocumentSet([['a', 'b']]), parseAdhocQueryRequest));
    expect(concernsSoap(fault)).to.equal(true);
  });
});

describe('ITI-18 published requests', () => {
  const samples = [
    ['epr-by-example/soap/ITI-18_request_raw.xml', 'ObjectRef', true],
    ['xca-document-source/IntegrationTests/IT_iti-18_request.xml', 'LeafClass', false],
    ['xca-document-source/SoapRequests/iti18-iti40-request.xml', 'LeafClass', true],
  ] as const;
  for (const [path, returnType, hasAssertion] of samples) {
    it(`reads ${path}`, function () {
      const sample = readSample(path);
      if (sample === undefined) return this.skip();
      const seen = withSoapRequest(SOAP_TYPE, sample, ({ action, assertion, body }) => ({
        action,
        hasAssertion: assertion !== undefined,
        request: parseAdhocQueryRequest(body),
      }));
      expect(seen.action).to.equal('urn:ihe:iti:2007:RegistryStoredQuery');
      expect(seen.hasAssertion).to.equal(hasAssertion);
      expect(seen.request.returnType).to.equal(returnType);
      expect(seen.request.query).to.include({ kind: 'FindDocuments' });
    });
  }

  it('reads five Value elements of one Slot as one OR', function () {
    const sample = readSample('xca-document-source/IntegrationTests/IT_iti-18_request.xml');
    if (sample === undefined) return this.skip();
    const { query } = withSoapRequest(SOAP_TYPE, sample, ({ body }) => parseAdhocQueryRequest(body));
    expect(query.kind === 'FindDocuments' && query.confidentialityCode?.map((group) => group.length)).to.deep.equal([
      5,
    ]);
  });
});
