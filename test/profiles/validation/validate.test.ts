import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { Fault } from '../../../profiles/fault.ts';
import type { Validate } from '../../../profiles/validation/validate.ts';
import { loadDefinitions } from '../../../server/runtime/definitions.ts';
import { TESTDATA } from '../../support/testdata.ts';

const study = () => ({
  resourceType: 'ImagingStudy',
  status: 'available',
  subject: { reference: 'Patient/1' },
  started: '2024-02-29T10:00:00Z',
  series: [
    { uid: '1.2.3', modality: { code: 'CT' }, instance: [{ uid: '1.2.3.1', sopClass: { code: 'urn:oid:1.2' } }] },
  ],
});

function faultOf(work: () => unknown): Fault {
  try {
    work();
  } catch (error) {
    if (error instanceof Fault) return error;
    throw error;
  }
  throw new Error('Nothing was refused');
}

function nested(depth: number): object {
  let extension: object = { url: 'urn:x', valueString: 'x' };
  for (let level = 0; level < depth; level += 1) extension = { url: 'urn:x', extension: [extension] };
  return { ...study(), extension: [extension] };
}

describe('Validation of R4 resources', () => {
  let validate: Validate;
  const refusal = (resource: unknown) => {
    const { kind, expression, message } = faultOf(() => validate(resource));
    return { kind, expression, message };
  };

  before(async () => {
    ({ validate } = await loadDefinitions());
  });

  it('returns a resource that satisfies R4', () => {
    const resource = study();
    expect(validate(resource)).to.equal(resource);
  });

  it('returns URIs of OIDs in lower case (RFC 8141 section 3.1), and words of people as they are', () => {
    const identifier = [{ system: 'URN:OID:1.2.3', value: 'URN:OID:A' }];
    const returned = validate({ ...study(), identifier, description: 'URN:OID:1.2.3 and more' });
    expect(returned).to.deep.equal({
      ...study(),
      identifier: [{ system: 'urn:oid:1.2.3', value: 'URN:OID:A' }],
      description: 'URN:OID:1.2.3 and more',
    });
  });

  const broken: readonly [name: string, change: object, expression: string, expectation: RegExp][] = [
    ['an unknown element', { colour: 'red' }, 'ImagingStudy.colour', /not an element/],
    [
      'a required complex element that is absent',
      { subject: undefined },
      'ImagingStudy.subject',
      /type object|required/,
    ],
    ['a code outside its required binding', { status: 'bogus' }, 'ImagingStudy.status', /one of registered, available/],
    ['a day that does not exist', { started: '2023-02-29' }, 'ImagingStudy.started', /form of dateTime/],
    ['a time without a zone', { started: '2023-02-28T10:00:00' }, 'ImagingStudy.started', /form of dateTime/],
    ['a fraction where a whole number stands', { numberOfSeries: 1.5 }, 'ImagingStudy.numberOfSeries', /integer/],
    ['a negative count', { numberOfSeries: -1 }, 'ImagingStudy.numberOfSeries', />= 0/],
    ['an empty array', { series: [] }, 'ImagingStudy.series', /empty/],
    [
      'an empty object (ele-1)',
      { series: [{ uid: '1', modality: {} }] },
      'ImagingStudy.series[0].modality',
      /empty|required/,
    ],
    ['one value where a list stands', { series: {} }, 'ImagingStudy.series', /array/],
    ['a null', { description: null }, 'ImagingStudy.description', /null/],
    [
      'an element deep inside',
      { series: [{ uid: '1', modality: { code: 'CT' }, instance: [{ uid: '1' }] }] },
      'ImagingStudy.series[0].instance[0].sopClass',
      /required/,
    ],
    [
      'a contained type that is unknown',
      { contained: [{ resourceType: 'Foo', id: 'a' }] },
      'ImagingStudy.contained[0]',
      /served here/,
    ],
    [
      'two contained resources with one id',
      {
        contained: [
          { resourceType: 'Patient', id: 'a', active: true },
          { resourceType: 'Patient', id: 'a', active: true },
        ],
      },
      'ImagingStudy',
      /one id/,
    ],
    ['a dangling local reference (ref-1)', { subject: { reference: '#nobody' } }, 'ImagingStudy.subject', /ref-1/],
    [
      'an extension with a value and extensions (ext-1)',
      { extension: [{ url: 'urn:x', valueCode: 'a', extension: [{ url: 'urn:y', valueCode: 'b' }] }] },
      'ImagingStudy.extension[0]',
      /ext-1/,
    ],
    [
      'two values of one choice',
      { extension: [{ url: 'urn:x', valueCode: 'a', valueString: 'b' }] },
      'ImagingStudy.extension[0]',
      /one value/,
    ],
    [
      'a script in the narrative (txt-1)',
      { text: { status: 'generated', div: '<div><script>x</script></div>' } },
      'ImagingStudy.text',
      /txt-1/,
    ],
    [
      'an event attribute in the narrative (txt-1)',
      { text: { status: 'generated', div: '<div onclick="x()">a</div>' } },
      'ImagingStudy.text',
      /txt-1/,
    ],
    [
      'a script link in the narrative (txt-1)',
      { text: { status: 'generated', div: '<div><a href="java&#115;cript:x()">a</a></div>' } },
      'ImagingStudy.text',
      /txt-1/,
    ],
    [
      'an element of the library that R4 lacks',
      { meta: { project: 'x' } },
      'ImagingStudy.meta.project',
      /not an element/,
    ],
  ];
  for (const [name, change, expression, expectation] of broken) {
    it(`refuses ${name}`, () => {
      const found = refusal({ ...study(), ...change });
      expect(found.kind).to.equal('invalid');
      expect(found.expression).to.equal(expression);
      expect(found.message).to.match(expectation);
    });
  }

  it('refuses a required primitive that is absent, which the published JSON schema lets pass', () => {
    const { status: _status, ...rest } = study();
    expect(refusal(rest).expression).to.equal('ImagingStudy.status');
  });

  it('takes an extension in the place of a required primitive', () => {
    const { status: _status, ...rest } = study();
    const absent = { url: 'http://hl7.org/fhir/StructureDefinition/data-absent-reason', valueCode: 'unknown' };
    expect(() => validate({ ...rest, _status: { extension: [absent] } })).not.to.throw();
  });

  it('takes nulls that pad a list of primitives beside their extensions, and no others', () => {
    const extension = [{ url: 'urn:x', valueCode: 'a' }];
    const patient = { resourceType: 'Patient', name: [{ given: [null, 'Ada'], _given: [{ extension }, null] }] };
    expect(() => validate(patient)).not.to.throw();
    expect(refusal({ resourceType: 'Patient', name: [{ given: [null, 'Ada'] }] }).expression).to.equal(
      'Patient.name[0].given[0]',
    );
  });

  it('refuses both values of Patient.deceased[x]', () => {
    const found = refusal({ resourceType: 'Patient', deceasedBoolean: true, deceasedDateTime: '2020' });
    expect(found.expression).to.equal('Patient.deceasedBoolean');
  });

  it('refuses a period that ends before it starts (per-1) and takes one of a single day', () => {
    const role = (start: string, end: string) => ({ resourceType: 'PractitionerRole', period: { start, end } });
    expect(() => validate(role('2024-03-01', '2024-03-01'))).not.to.throw();
    expect(() => validate(role('2024-03-01', '2024-03'))).not.to.throw();
    expect(refusal(role('2024-03-02', '2024-03-01')).expression).to.equal('PractitionerRole.period');
  });

  it('refuses an Organization with neither name nor identifier (org-1)', () => {
    expect(refusal({ resourceType: 'Organization', active: true }).kind).to.equal('invalid');
  });

  it('refuses what is no resource, and types that are not served', () => {
    for (const value of [undefined, null, 3, 'x', [], {}, { resourceType: 'Foo' }, { resourceType: 'toString' }]) {
      expect(refusal(value).expression).to.equal('resourceType');
    }
  });

  it('takes nesting up to 64 levels and refuses deeper', () => {
    expect(() => validate(nested(30))).not.to.throw();
    expect(refusal(nested(32)).message).to.match(/nested deeper/);
    expect(refusal(nested(100_000)).message).to.match(/nested deeper/);
  });

  it('never echoes a value', () => {
    const secret = 'SECRET-VALUE';
    const broken = [{ status: secret }, { started: secret }, { numberOfSeries: secret }, { [`${secret} x`]: 1 }];
    for (const change of broken) {
      expect(JSON.stringify(refusal({ ...study(), ...change }))).not.to.contain(secret);
    }
    expect(refusal({ resourceType: secret }).message).not.to.contain(secret);
  });

  it('checks the resources of a Bundle at their place, and its own invariants', () => {
    const entry = { fullUrl: 'urn:uuid:1', resource: { ...study(), status: 'bogus' } };
    expect(refusal({ resourceType: 'Bundle', type: 'collection', entry: [entry] }).expression).to.equal(
      'Bundle.entry[0].resource.status',
    );
    const sound = { fullUrl: 'urn:uuid:1', resource: study() };
    expect(refusal({ resourceType: 'Bundle', type: 'collection', entry: [sound, sound] }).message).to.match(/bdl-7/);
    expect(refusal({ resourceType: 'Bundle', type: 'transaction', entry: [sound] }).message).to.match(/bdl-3/);
    expect(refusal({ resourceType: 'Bundle', type: 'collection', total: 1 }).message).to.match(/bdl-1/);
  });

  for (const profile of ['mhd', 'balp']) {
    it(`takes every published example of ${profile.toUpperCase()} of our types`, function () {
      const folder = join(TESTDATA, 'ihe', profile);
      if (!existsSync(folder)) return this.skip();
      const names = readdirSync(folder).filter((name) =>
        /^(AuditEvent|Binary|Bundle|Consent|DocumentReference|List|Organization|Patient|Practitioner)-.*\.json$/.test(
          name,
        ),
      );
      expect(names.length).to.be.greaterThan(10);
      // FHIR documents may hold any resource type; these hold one that is not served.
      const documents = ['Bundle-ex-comprehensiveProvideDocumentBundleDocument', 'Bundle-ex-fhir-document-bundle'];
      for (const name of names) {
        if (documents.some((document) => name.startsWith(document))) continue;
        const resource: unknown = JSON.parse(readFileSync(join(folder, name), 'utf8'));
        expect(() => validate(resource), name).not.to.throw();
      }
      return undefined;
    });
  }
});
