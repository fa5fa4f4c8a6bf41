import { expect } from 'chai';
import { Fault } from '../../../profiles/fault.ts';
import type { FaultKind } from '../../../profiles/fault.ts';
import { parseSearch } from '../../../profiles/search/query.ts';
import type { Criterion } from '../../../profiles/search/criterion.ts';
import { referrersOf } from '../../../profiles/search/referrers.ts';
import { faultOf } from '../../support/thrown-fault.ts';
import type { StoredType } from '../../../profiles/types/visibility.ts';

const LENIENT = { handling: 'lenient', maxCount: 100, defaultCount: 20, isServed: () => true } as const;

const parse = (type: StoredType, text: string, handling: 'lenient' | 'strict' = 'lenient') =>
  parseSearch(type, new URLSearchParams(text), { ...LENIENT, handling });
const where = (type: StoredType, text: string) => parse(type, text).query.where;

function kindOf(type: StoredType, text: string, handling: 'lenient' | 'strict' = 'lenient'): FaultKind | undefined {
  try {
    parse(type, text, handling);
    return undefined;
  } catch (error) {
    if (error instanceof Fault) return error.kind;
    throw error;
  }
}

describe('FHIR search parameters (R4 3.1.1)', () => {
  it('reads tokens: code, system|code, |code, system|, alternatives and escapes', () => {
    expect(where('Patient', 'identifier=a,urn:x|b,|c,urn:x|,urn:y|d\\,e\\|f')).to.deep.equal([
      {
        kind: 'token',
        param: 'identifier',
        values: [
          { code: 'a' },
          { system: 'urn:x', code: 'b' },
          { system: '', code: 'c' },
          { system: 'urn:x' },
          { system: 'urn:y', code: 'd,e|f' },
        ],
      },
    ]);
  });

  it('takes the system that a code element implies for none', () => {
    expect(where('ImagingStudy', 'status=http://hl7.org/fhir/imagingstudy-status|available')).to.deep.equal([
      { kind: 'token', param: 'status', values: [{ system: '', code: 'available' }] },
    ]);
  });

  it('reads :not, :missing, _id and repeated parameters as AND', () => {
    expect(where('DocumentReference', 'status:not=superseded&type:missing=false&_id=a,b')).to.deep.equal([
      { kind: 'token', param: 'status', values: [{ code: 'superseded' }], negated: true },
      { kind: 'missing', param: 'type', missing: false },
      { kind: 'id', values: ['a', 'b'] },
    ]);
  });

  it('reads references: bare id, Type/id, versioned, typed and absolute', () => {
    const values = (text: string) =>
      where('ImagingStudy', text).flatMap((each) => (each.kind === 'reference' ? each.values : []));
    expect(values('patient=123')).to.deep.equal(['Patient/123']);
    expect(values('patient=Patient/123/_history/2')).to.deep.equal(['Patient/123']);
    expect(values('subject:Patient=1,2')).to.deep.equal(['Patient/1', 'Patient/2']);
    expect(values('patient=http://a.example/fhir/Patient/1')).to.deep.equal(['http://a.example/fhir/Patient/1']);
    expect(where('DocumentReference', 'subject=7')).to.deep.equal([
      { kind: 'reference', param: 'subject', values: ['Patient/7', 'Practitioner/7', 'Device/7'] },
    ]);
  });

  it('reads reference:identifier as the logical reference or the target that has it', () => {
    const values = [{ system: 'urn:x', code: '1' }];
    expect(where('DocumentReference', 'patient:identifier=urn:x|1')).to.deep.equal([
      {
        kind: 'chain',
        param: 'patient',
        target: 'Patient',
        criterion: { kind: 'token', param: 'identifier', values },
        own: { kind: 'token', param: 'patient:identifier', values },
      },
    ]);
  });

  it('reads chains of one level, with and without the type (MHD patient.identifier, author.family)', () => {
    const chain = where('ImagingStudy', 'subject:Patient.identifier=urn:x|1');
    expect(chain).to.deep.equal(where('ImagingStudy', 'subject.identifier=urn:x|1'));
    expect(where('DocumentReference', 'author.family=Élan')).to.deep.equal([
      {
        kind: 'chain',
        param: 'author',
        target: 'Practitioner',
        criterion: { kind: 'string', param: 'family', values: ['elan'], match: 'starts' },
        own: { kind: 'string', param: 'author.family', values: ['elan'], match: 'starts' },
      },
    ]);
  });

  it('reads strings: starts, :contains normalised, :exact as written', () => {
    expect(where('Patient', 'family=Hélène&given:contains=NA&name:exact=Hélène')).to.deep.equal([
      { kind: 'string', param: 'family', values: ['helene'], match: 'starts' },
      { kind: 'string', param: 'given', values: ['na'], match: 'contains' },
      { kind: 'token', param: 'name:exact', values: [{ system: '', code: 'Hélène' }] },
    ]);
  });

  it('reads dates by their precision, in UTC when no zone is given', () => {
    const ranges = (text: string) =>
      where('ImagingStudy', text).flatMap((each) =>
        each.kind === 'date'
          ? each.values.map(({ prefix, lo, hi }) => [prefix, new Date(lo).toISOString(), new Date(hi).toISOString()])
          : [],
      );
    expect(ranges('started=2024-02')).to.deep.equal([['eq', '2024-02-01T00:00:00.000Z', '2024-03-01T00:00:00.000Z']]);
    expect(ranges('started=ge2024&started=lt2024-02-29')).to.deep.equal([
      ['ge', '2024-01-01T00:00:00.000Z', '2025-01-01T00:00:00.000Z'],
      ['lt', '2024-02-29T00:00:00.000Z', '2024-03-01T00:00:00.000Z'],
    ]);
    expect(ranges('started=lt2023,2024-02-29')).to.deep.equal([
      ['lt', '2023-01-01T00:00:00.000Z', '2024-01-01T00:00:00.000Z'],
      ['eq', '2024-02-29T00:00:00.000Z', '2024-03-01T00:00:00.000Z'],
    ]);
    expect(where('ImagingStudy', 'started=lt2023,2024').length).to.equal(1);
    expect(ranges('started=2024-02-01T10:00')).to.deep.equal([
      ['eq', '2024-02-01T10:00:00.000Z', '2024-02-01T10:01:00.000Z'],
    ]);
    expect(ranges('started=sa2024-02-01T10:00:00.5%2B02:00')).to.deep.equal([
      ['sa', '2024-02-01T08:00:00.500Z', '2024-02-01T08:00:00.600Z'],
    ]);
  });

  it('reads result parameters and caps the page', () => {
    const { query } = parse(
      'ImagingStudy',
      '_count=5000&_total=accurate&_include=ImagingStudy:patient' +
        '&_include=ImagingStudy:endpoint:Endpoint&_sort=-started&_cursor=x',
    );
    expect(query).to.deep.equal({
      type: 'ImagingStudy',
      where: [],
      count: 100,
      total: 'accurate',
      include: [{ param: 'patient' }, { param: 'endpoint', target: 'Endpoint' }],
      cursor: 'x',
    });
    expect(parse('Patient', '').query).to.deep.include({ count: 20, total: 'bounded' });
    expect(parse('Patient', '_summary=count').query.summary).to.equal('count');
    expect(parse('Patient', '_count=0').query.summary).to.equal('count');
  });

  it('reads an order of several keys, both directions, each once; the own order of the type is none', () => {
    const order = (type: StoredType, text: string) => parse(type, `_sort=${text}`).query.order;
    expect(order('ImagingStudy', 'status,-started,-_lastUpdated,patient,_id')).to.deep.equal([
      { by: 'token', param: 'status', descending: false },
      { by: 'moment', param: 'started', descending: true },
      { by: 'date', param: '_lastUpdated', descending: true },
      { by: 'reference', param: 'patient', descending: false },
      { by: 'id', param: '_id', descending: false },
    ]);
    expect(order('ImagingStudy', 'body-site,-bodysite')).to.deep.equal([
      { by: 'token', param: 'bodysite', descending: false },
    ]);
    expect(order('Patient', '-_lastUpdated')).to.equal(undefined);
    expect(order('Patient', 'family,birthdate')?.map(({ by }) => by)).to.deep.equal(['string', 'date']);
    expect(order('ImagingStudy', 'started')).to.deep.equal([{ by: 'moment', param: 'started', descending: false }]);
    expect(order('Endpoint', '')).to.equal(undefined);
    for (const text of ['-started,_id', '-started,_id,status'])
      expect(order('ImagingStudy', text), text).to.equal(undefined);
    expect(order('ImagingStudy', 'started,-_id')?.length).to.equal(1);
    for (const text of ['-started,-_id', 'started,_id', 'status,_id', '-started,status'])
      expect(order('ImagingStudy', text)?.length, text).to.equal(2);
  });

  it('ignores an order by what is not served when lenient, and refuses it when strict', () => {
    for (const text of ['_sort=colour', '_sort=status,colour', '_sort=', '_sort=--status', '_sort=status:missing']) {
      expect(parse('ImagingStudy', text).ignored, text).to.deep.equal(['_sort']);
      expect(kindOf('ImagingStudy', text, 'strict'), text).to.equal('invalid');
    }
    for (const param of ['agent', 'agent-name', 'site'])
      expect(kindOf('AuditEvent', `_sort=${param}`, 'strict'), param).to.equal('invalid');
    expect(parse('AuditEvent', '_sort=date,type').query.order?.map(({ by }) => by)).to.deep.equal(['moment', 'token']);
  });

  it('reads _has, nested, chained and with modifiers, up to three references', () => {
    const code: Criterion = { kind: 'token', param: 'code', values: [{ code: '1' }] };
    expect(where('Patient', '_has:Observation:patient:code=1')).to.deep.equal([
      { kind: 'has', source: 'Observation', param: 'patient', criterion: code },
    ]);
    expect(where('Patient', '_has:Observation:patient:code:not=1,2')).to.deep.equal([
      {
        kind: 'has',
        source: 'Observation',
        param: 'patient',
        criterion: { kind: 'token', param: 'code', values: [{ code: '1' }, { code: '2' }], negated: true },
      },
    ]);
    const study = { kind: 'has', source: 'Observation', param: 'derived-from', criterion: code } as const;
    expect(where('Patient', '_has:ImagingStudy:patient:_has:Observation:derived-from:code=1')).to.deep.equal([
      { kind: 'has', source: 'ImagingStudy', param: 'patient', criterion: study },
    ]);
    expect(where('DiagnosticReport', 'imaging-study._has:Observation:derived-from:code=1')).to.deep.equal([
      { kind: 'chain', param: 'imaging-study', target: 'ImagingStudy', criterion: study },
    ]);
    const [deep] = where('Observation', 'subject:Patient._has:ImagingStudy:patient:based-on.status=active');
    expect(deep).to.deep.include({ kind: 'chain', param: 'subject', target: 'Patient' });
    expect(parse('Patient', '_has:ImagingStudy:patient:based-on:identifier=1').ignored).to.deep.equal([]);
  });

  it('reads _revinclude of what may refer to the type, each once', () => {
    const revinclude = (text: string) => parse('ImagingStudy', text).query.revinclude;
    expect(
      revinclude(
        '_revinclude=DiagnosticReport:imaging-study&_revinclude=DiagnosticReport:imaging-study' +
          '&_revinclude=Observation:derived-from:ImagingStudy',
      ),
    ).to.deep.equal([
      { source: 'DiagnosticReport', param: 'imaging-study' },
      { source: 'Observation', param: 'derived-from' },
    ]);
    for (const text of [
      '*',
      'Observation:derived-from:Patient',
      'Observation:code',
      'AuditEvent:entity',
      'Nothing:a',
    ]) {
      expect(parse('ImagingStudy', `_revinclude=${text}`).ignored, text).to.deep.equal(['_revinclude']);
      expect(kindOf('ImagingStudy', `_revinclude=${text}`, 'strict'), text).to.equal('invalid');
    }
    for (const name of ['_include:iterate', '_revinclude:iterate'])
      expect(kindOf('ImagingStudy', `${name}=ImagingStudy:patient`, 'strict'), name).to.equal('invalid');
  });

  it('reads which part of the resources is asked for', () => {
    const subset = (text: string) => parse('Patient', text).subset;
    expect(subset('_elements=name,birthDate')).to.deep.equal({ kind: 'elements', names: ['name', 'birthDate'] });
    for (const kind of ['true', 'text', 'data'] as const) expect(subset(`_summary=${kind}`)).to.deep.equal({ kind });
    for (const text of ['', '_summary=false', '_summary=count']) expect(subset(text), text).to.equal(undefined);
    const both = parse('Patient', '_elements=name&_summary=true');
    expect([both.subset?.kind, both.ignored]).to.deep.equal(['elements', ['_summary']]);
    expect(kindOf('Patient', '_elements=name&_summary=true', 'strict')).to.equal('invalid');
    const texts = parse('ImagingStudy', '_summary=text&_include=ImagingStudy:patient&_revinclude=Task:focus');
    expect([texts.query.include, texts.query.revinclude]).to.deep.equal([[], undefined]);
    expect(texts.ignored).to.include('_include');
    expect(kindOf('ImagingStudy', '_summary=text&_include=ImagingStudy:patient', 'strict')).to.equal('invalid');
  });

  it('names unknown parameters when lenient and refuses them when strict', () => {
    expect(parse('Patient', 'colour=red&active=true&_format=json').ignored).to.deep.equal(['colour']);
    expect(kindOf('Patient', 'colour=red', 'strict')).to.equal('invalid');
    expect(kindOf('Patient', '_include=Patient:organization', 'strict')).to.equal('invalid');
  });

  const refused: readonly [type: StoredType, text: string, kind: FaultKind][] = [
    ['Patient', 'identifier:of-type=a|b|c', 'invalid'],
    ['DocumentReference', 'type:in=urn:x', 'invalid'],
    ['ImagingStudy', 'subject:Specimen=1', 'invalid'],
    ['Patient', 'identifier=', 'invalid'],
    ['Patient', 'identifier=a,,b', 'invalid'],
    ['Patient', 'identifier=a|b|c', 'invalid'],
    ['Patient', 'active:missing=maybe', 'invalid'],
    ['Patient', '_lastUpdated:missing=true', 'invalid'],
    ['ImagingStudy', 'started=ap2024', 'invalid'],
    ['ImagingStudy', 'started=2024-02-30', 'invalid'],
    ['ImagingStudy', 'started=yesterday', 'invalid'],
    ['ImagingStudy', 'started=2023,', 'invalid'],
    ['ImagingStudy', 'started=2023,ap2024', 'invalid'],
    ['ImagingStudy', 'patient=%23x', 'invalid'],
    ['ImagingStudy', 'patient.colour=1', 'invalid'],
    ['ImagingStudy', 'status.identifier=1', 'invalid'],
    ['DocumentReference', 'related.related.related.related.status=current', 'invalid'],
    ['Patient', '_has:ImagingStudy:patient:colour=1', 'invalid'],
    ['Patient', '_has:ImagingStudy:status:status=available', 'invalid'],
    ['Patient', '_has:ImagingStudy:patient=1', 'invalid'],
    ['Patient', '_has:AuditEvent:patient:action=R', 'invalid'],
    ['Patient', '_has:ImagingStudy:endpoint:status=available', 'invalid'],
    ['Patient', '_has:Specimen:subject:status=available', 'invalid'],
    ['Patient', '_has=ImagingStudy', 'invalid'],
    ['AuditEvent', '_has:Provenance:target:agent=1', 'invalid'],
    ['Observation', 'subject._has:List:subject:status=current', 'invalid'],
    ['Patient', '_has:List:item:_has:List:item:_has:List:item:_has:List:item:status=current', 'invalid'],
    ['Patient', '_has:ImagingStudy:patient:status=available&'.repeat(11), 'too-costly'],
    [
      'Patient',
      referrersOf('Patient')
        .map((each) => `_revinclude=${each.source}:${each.param}`)
        .join('&'),
      'too-costly',
    ],
    ['Patient', '_filter=active eq true', 'invalid'],
    ['Patient', '_count=-1', 'invalid'],
    ['Patient', '_count=1&_count=2', 'invalid'],
    ['Patient', '_total=some', 'invalid'],
    ['Patient', '_summary=some', 'invalid'],
    ['Patient', '_summary=true&_summary=text', 'invalid'],
    ['Patient', `_elements=${'name,'.repeat(101)}`, 'too-costly'],
    ['ImagingStudy', '_sort=started,status,modality,series,basedon,reason', 'too-costly'],
    ['ImagingStudy', '_sort=started&_sort=status', 'invalid'],
    ['Patient', 'active=true&'.repeat(51), 'too-costly'],
    ['Patient', `identifier=${'a,'.repeat(100)}a`, 'too-costly'],
    ['Patient', `identifier=${'a'.repeat(2049)}`, 'too-costly'],
  ];
  for (const [type, text, kind] of refused) {
    it(`refuses ${type}?${text.slice(0, 50)} as ${kind}`, () => {
      expect(kindOf(type, text)).to.equal(kind);
    });
  }
});

describe('A search by a parameter that does not find every row yet', () => {
  const [withheldType, withheld] = ['ServiceRequest', 'performer'];
  const isServed = (type: StoredType, code: string): boolean => type !== withheldType || code !== withheld;
  const parsed = (type: StoredType, text: string) =>
    parseSearch(type, new URLSearchParams(text), { ...LENIENT, isServed });

  it('leaves it out, wherever it is asked by, and says so', () => {
    for (const [type, text, ignored] of [
      ['ServiceRequest', 'performer=Practitioner/1&status=active', 'performer'],
      ['ServiceRequest', 'performer:missing=true', 'performer:missing'],
      ['ServiceRequest', 'performer:identifier=a|b', 'performer:identifier'],
      ['ServiceRequest', 'performer:Practitioner.name=x', 'performer:Practitioner.name'],
      ['ServiceRequest', 'based-on.performer=Practitioner/1', 'based-on.performer'],
      ['Practitioner', '_has:ServiceRequest:performer:status=active', '_has:ServiceRequest:performer:status'],
      ['Encounter', '_has:ServiceRequest:encounter:performer=Device/1', '_has:ServiceRequest:encounter:performer'],
      ['ServiceRequest', '_sort=status,performer', '_sort'],
      ['ServiceRequest', '_include=ServiceRequest:performer', '_include'],
      ['Practitioner', '_revinclude=ServiceRequest:performer', '_revinclude'],
    ] as const) {
      const { query, ignored: left } = parsed(type, text);
      expect(left, text).to.deep.equal([ignored]);
      expect(JSON.stringify(query), text).to.not.include(withheld);
      const strict = faultOf(() =>
        parseSearch(type, new URLSearchParams(text), { ...LENIENT, isServed, handling: 'strict' }),
      );
      expect(strict, text).to.include({ kind: 'invalid' });
      // The same search, when it is served.
      expect(parse(type, text).ignored, text).to.deep.equal([]);
    }
  });

  it('takes what other parameters ask for', () => {
    const text = 'status=active&requester=Device/1&_sort=-authored&_include=ServiceRequest:requester';
    expect(parsed('ServiceRequest', text).ignored).to.deep.equal([]);
    expect(parsed('DiagnosticReport', 'performer=Device/1').ignored).to.deep.equal(
      parse('DiagnosticReport', 'performer=Device/1').ignored,
    );
  });
});
