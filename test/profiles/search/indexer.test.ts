import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import type { AuditEvent, DocumentReference, ImagingStudy, Patient, Resource } from '@medplum/fhirtypes';
import { ALONE, matchesCriterion } from '../../../profiles/search/match.ts';
import { parseSearch } from '../../../profiles/search/query.ts';
import { searchParametersOf } from '../../../profiles/search/parameters.ts';
import { normalizeString } from '../../../profiles/search/values.ts';
import type { Indexer } from '../../../profiles/search/indexer.ts';
import type { Definitions } from '../../../profiles/validation/structure-definitions.ts';
import { isStoredType, VISIBILITY } from '../../../profiles/types/visibility.ts';
import type { StoredType } from '../../../profiles/types/visibility.ts';
import { loadDefinitions } from '../../../server/runtime/definitions.ts';
import { TESTDATA } from '../../support/testdata.ts';

describe('Search index entries', () => {
  let indexer: Indexer;
  let definitions: Definitions;

  before(async () => {
    ({ indexer, definitions } = await loadDefinitions());
  });

  const finds = (resource: Resource & { readonly id: string }, text: string): boolean => {
    const type = resource.resourceType as StoredType;
    const options = { handling: 'strict', maxCount: 10, defaultCount: 10, isServed: () => true } as const;
    const { where } = parseSearch(type, new URLSearchParams(text), options).query;
    const index = { ...indexer(resource), type, id: resource.id };
    return where.every((criterion) => matchesCriterion(index, criterion, ALONE));
  };

  it('has each R4 parameter of the table in the definitions, of the same type and code', () => {
    for (const type of Object.keys(VISIBILITY).filter(isStoredType)) {
      for (const entry of searchParametersOf(type)) {
        if (!entry.definition.startsWith('http://hl7.org/')) continue;
        // Those of extensions are no part of the definitions of R4 itself.
        if (entry.definition.includes('-extensions-')) continue;
        const parameter = definitions.searchParameters.find(({ url }) => url === entry.definition);
        expect(parameter, `${type} ${entry.code}`).to.include({ code: entry.code, type: entry.type });
        if (!entry.code.startsWith('_')) expect(parameter?.base, `${type} ${entry.code}`).to.include(type);
      }
    }
  });

  it('indexes an ImagingStudy: modality once, UIDs of series, endpoints of study and series, no instance', () => {
    const study: ImagingStudy = {
      resourceType: 'ImagingStudy',
      id: 's',
      meta: { lastUpdated: '2024-05-01T08:00:00.000Z' },
      identifier: [{ system: 'urn:dicom:uid', value: 'urn:oid:1.2' }],
      status: 'available',
      subject: { reference: 'Patient/1/_history/3' },
      started: '2024-02-29',
      endpoint: [{ reference: 'Endpoint/e1' }],
      series: ['1.1', '1.2'].map((uid) => ({
        uid,
        modality: { system: 'urn:dcm', code: 'CT' },
        endpoint: [{ reference: 'Endpoint/e2' }],
        instance: [{ uid: '9.9', sopClass: { code: 'urn:oid:9' } }],
      })),
    };
    const day = Date.UTC(2024, 1, 29);
    const updated = Date.UTC(2024, 4, 1, 8);
    const { definition, ...entries } = indexer(study);
    expect(definition).to.be.greaterThan(0);
    expect(entries).to.deep.equal({
      tokens: [
        { param: 'identifier', system: 'urn:dicom:uid', value: 'urn:oid:1.2' },
        { param: 'status', system: '', value: 'available' },
        { param: 'modality', system: 'urn:dcm', value: 'CT' },
        { param: 'series', system: '', value: '1.1' },
        { param: 'series', system: '', value: '1.2' },
        { param: 'dicom-class', system: '', value: 'urn:oid:9' },
      ],
      references: [
        { param: 'patient', target: 'Patient/1' },
        { param: 'subject', target: 'Patient/1' },
        { param: 'endpoint', target: 'Endpoint/e1' },
        { param: 'endpoint', target: 'Endpoint/e2' },
      ],
      dates: [
        { param: '_lastUpdated', lo: updated, hi: updated + 1 },
        { param: 'started', lo: day, hi: day + 86_400_000 },
      ],
      strings: [],
    });
  });

  it('finds an ImagingStudy by who, where, why and what, by identifier too, in both spellings', () => {
    const person = (value: string) =>
      ({ type: 'Practitioner', identifier: { system: 'urn:oid:1.2.250.1.71.4.2.1', value } }) as const;
    const study: ImagingStudy & { id: string } = {
      resourceType: 'ImagingStudy',
      id: 's',
      status: 'available',
      subject: { reference: 'Patient/1' },
      encounter: { type: 'Encounter', identifier: { value: 'V-1' } },
      basedOn: [{ type: 'ServiceRequest', identifier: { system: 'urn:oid:1.2.7', value: 'A-1' } }],
      referrer: person('8001'),
      interpreter: [person('8002')],
      reasonCode: [{ coding: [{ system: 'http://hl7.org/fhir/sid/icd-10', code: 'R91' }] }],
      series: [
        {
          uid: '1.1',
          modality: { code: 'CT' },
          bodySite: { system: 'http://snomed.info/sct', code: '39607008' },
          performer: [{ actor: person('8003') }, { actor: { reference: 'Organization/o' } }],
          instance: [
            { uid: '9.9', sopClass: { system: 'urn:ietf:rfc:3986', code: 'urn:oid:1.2.840.10008.5.1.4.1.1.2' } },
          ],
        },
      ],
    };
    const found = [
      'referrer:identifier=urn:oid:1.2.250.1.71.4.2.1|8001',
      'interpreter:identifier=8002',
      'performer:identifier=8003',
      'performer=Organization/o',
      'reason=R91',
      'bodysite=39607008',
      'body-site=http://snomed.info/sct|39607008',
      'basedon:identifier=urn:oid:1.2.7|A-1',
      'based-on:identifier=A-1',
      'encounter:identifier=V-1',
      'series=1.1',
      'dicom-class=urn:oid:1.2.840.10008.5.1.4.1.1.2',
    ];
    for (const text of found) expect(finds(study, text), text).to.equal(true);
    for (const text of [
      'referrer:identifier=8002',
      'performer=Organization/p',
      'body-site=1',
      'series=1.2',
      'based-on:missing=true',
    ])
      expect(finds(study, text), text).to.equal(false);
  });

  it('indexes names without case and accents, and as written for :exact', () => {
    const patient: Patient & { id: string } = {
      resourceType: 'Patient',
      id: 'p',
      active: true,
      gender: 'female',
      birthDate: '1980-05',
      name: [{ family: 'Élan  Noir', given: ['Zoë'], prefix: ['Dr'] }],
    };
    for (const text of [
      'family=elan',
      'family=ELAN%20n',
      'given:contains=o',
      'name=dr',
      'family:exact=Élan%20%20Noir',
    ]) {
      expect(finds(patient, text), text).to.equal(true);
    }
    for (const text of ['family=noir', 'family:exact=elan%20noir', 'given=dr'])
      expect(finds(patient, text), text).to.equal(false);
    for (const text of ['active=true', 'gender=female', 'birthdate=1980', 'birthdate:missing=false']) {
      expect(finds(patient, text), text).to.equal(true);
    }
    expect(finds(patient, 'birthdate=1980-05-01')).to.equal(false);
    expect(normalizeString('  HÉLÈNE \t Ç ')).to.equal('helene c');
  });

  const document: DocumentReference & { id: string } = {
    resourceType: 'DocumentReference',
    id: 'd',
    status: 'current',
    contained: [
      {
        resourceType: 'Practitioner',
        id: 'a',
        name: [{ family: 'Élan', given: ['Zoë'] }],
        identifier: [{ system: 'urn:p', value: '9' }],
      },
      { resourceType: 'PractitionerRole', id: 'r', practitioner: { reference: '#a' } },
    ],
    masterIdentifier: { system: 'urn:ietf:rfc:3986', value: 'urn:oid:1.2.3' },
    identifier: [{ system: 'urn:ietf:rfc:3986', value: 'urn:uuid:0' }],
    subject: { identifier: { system: 'urn:x', value: '1' } },
    author: [{ reference: '#r' }],
    content: [{ attachment: { creation: '2024-01-02' }, format: { system: 'urn:f', code: 'pdf' } }],
    context: {
      period: { start: '2024-01-01' },
      related: [{ identifier: { system: 'urn:acc', value: 'A1' } }],
    },
  };

  it('finds a DocumentReference as MHD ITI-67 asks: both identifiers, creation, related, contained author', () => {
    const found = [
      'identifier=urn:oid:1.2.3',
      'identifier=urn:ietf:rfc:3986|urn:uuid:0',
      'creation=ge2024-01-02&creation=lt2024-01-03',
      'period=ge2030',
      'related:identifier=urn:acc|A1',
      'patient:identifier=urn:x|1',
      'patient.identifier=urn:x|1',
      'author.family=elan&author.given=zoe',
      'author:identifier=urn:p|9',
      'format=urn:f|pdf',
      'patient:missing=false',
    ];
    for (const text of found) expect(finds(document, text), text).to.equal(true);
    for (const text of ['period=lt2024', 'author.family=noir', 'patient=1', 'related:identifier=urn:acc|A2']) {
      expect(finds(document, text), text).to.equal(false);
    }
  });

  it('takes no reference to another type for a patient, nor an untyped logical one in an AuditEvent', () => {
    const device = { ...document, subject: { reference: 'Practitioner/1' } };
    expect(finds(device, 'patient:missing=true&subject=Practitioner/1')).to.equal(true);
    const event: AuditEvent & { id: string } = {
      resourceType: 'AuditEvent',
      id: 'e',
      type: { code: 'rest' },
      recorded: '2024-01-01T00:00:00Z',
      agent: [{ requestor: true, who: { identifier: { value: '7' } } }],
      source: { observer: { display: 'x' } },
      entity: [{ what: { reference: 'Patient/1' } }, { what: { type: 'Patient', identifier: { value: '8' } } }],
    };
    expect(finds(event, 'patient=Patient/1&agent:identifier=7&patient:identifier=8')).to.equal(true);
    expect(finds(event, 'patient:identifier=7')).to.equal(false);
  });

  it('gives nothing for a type that is not stored', () => {
    expect(indexer({ resourceType: 'Basic', code: { coding: [{ code: 'x' }] } }).tokens).to.deep.equal([]);
  });

  for (const profile of ['mhd', 'balp']) {
    it(`finds every published example of ${profile.toUpperCase()} by the values of its own entries`, function () {
      const folder = join(TESTDATA, 'ihe', profile);
      if (!existsSync(folder)) return this.skip();
      const names = readdirSync(folder).filter((name) =>
        /^(AuditEvent|DocumentReference|Consent)-.*\.json$/.test(name),
      );
      expect(names.length).to.be.greaterThan(10);
      for (const name of names) {
        const resource: Resource & { id: string } = JSON.parse(readFileSync(join(folder, name), 'utf8'));
        const { tokens, references } = indexer(resource);
        const isAudit = resource.resourceType === 'AuditEvent';
        expect(tokens.length, name).to.be.greaterThan(0);
        for (const { param, system, value } of tokens.filter(({ param }) => !param.includes(':'))) {
          expect(finds(resource, `${param}=${encodeURIComponent(`${system}|${value}`)}`), `${name} ${param}`).to.equal(
            true,
          );
        }
        for (const { param, target } of references) {
          expect(finds(resource, `${param}=${encodeURIComponent(target)}`), `${name} ${param}`).to.equal(true);
        }
        if (isAudit) expect(finds(resource, 'date=gt1990&type:missing=false'), name).to.equal(true);
      }
      return undefined;
    });
  }
});
