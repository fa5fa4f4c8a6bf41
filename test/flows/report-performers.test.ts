/** Establishments and people of elsewhere in a report (FHIR R4 DiagnosticReport.performer, .resultsInterpreter). */
import type { AuditEvent, Bundle, DiagnosticReport, Identifier } from '@medplum/fhirtypes';
import { expect } from 'chai';
import { ESTABLISHMENTS } from '../../fixtures/people.ts';
import { expectOutcome } from '../support/clients/fhir-caller.ts';
import {
  aReport,
  authorInstitutionsOf,
  conditionOf,
  countOf,
  describeReports,
  documentsOf,
  put,
  seen,
  sent,
  type ReportRegion,
  type ReportSaid,
} from './support/report-region.ts';
import { openTrail } from './support/trail.ts';

const { strasbourg, nancy, luxembourg } = ESTABLISHMENTS;
const MEMBERS = ['performer', 'resultsInterpreter'] as const;
const PATCH = { 'content-type': 'application/json-patch+json' };
/** How the directory numbers the hospital of Luxembourg, and the centre of Nancy. */
const OF_LUXEMBOURG: Identifier = { system: 'urn:oid:2.25.252842031381181983571680615788434880355', value: '1' };
const OF_NANCY: Identifier = { system: 'urn:oid:1.2.250.1.71.4.2.2', value: '1549999902' };

const V = { security: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality', code: 'V' }] };

type Performer = NonNullable<DiagnosticReport['performer']>[number];
type Named = { readonly by: Performer; readonly contained?: NonNullable<DiagnosticReport['contained']> };

/** Ways to name the hospital of Luxembourg, which has nothing to do with Strasbourg. */
const FOREIGN: Readonly<Record<string, (url: string) => Named>> = {
  'by absolute address': (url) => ({ by: { reference: `${url}/fhir/${luxembourg.organization}` } }),
  'by a version': () => ({ by: { reference: `${luxembourg.organization}/_history/1` } }),
  'by its number': () => ({ by: { identifier: OF_LUXEMBOURG } }),
  'by its number, as an Organization': () => ({ by: { type: 'Organization', identifier: OF_LUXEMBOURG } }),
  'by its number, as a Practitioner': () => ({ by: { type: 'Practitioner', identifier: OF_LUXEMBOURG } }),
  'by its number beside a reference to the sender': () => ({
    by: { reference: strasbourg.organization, identifier: OF_LUXEMBOURG, display: luxembourg.name },
  }),
  'by a search for its number': () => ({
    by: { reference: `Organization?identifier=${OF_LUXEMBOURG.system}|${OF_LUXEMBOURG.value}` },
  }),
  'by a search for a role there': () => ({
    by: { reference: `PractitionerRole?practitioner=${luxembourg.radiologist.reference}` },
  }),
  'as an Organization within the report': () => ({
    by: { reference: '#o' },
    contained: [{ resourceType: 'Organization', id: 'o', name: 'Maison', identifier: [OF_LUXEMBOURG] }],
  }),
  'as that of which an Organization within the report is a part': () => ({
    by: { reference: '#o' },
    contained: [
      { resourceType: 'Organization', id: 'o', name: 'Service', partOf: { reference: luxembourg.organization } },
    ],
  }),
  'as the place of a role within the report': () => ({
    by: { reference: '#r' },
    contained: [{ resourceType: 'PractitionerRole', id: 'r', organization: { reference: luxembourg.organization } }],
  }),
  'as the place of such a role, by its number within the report': () => ({
    by: { reference: '#r' },
    contained: [
      { resourceType: 'PractitionerRole', id: 'r', organization: { reference: '#o' } },
      { resourceType: 'Organization', id: 'o', name: 'Maison', identifier: [OF_LUXEMBOURG] },
    ],
  }),
  'as a member of a team within the report': () => ({
    by: { reference: '#t' },
    contained: [
      { resourceType: 'CareTeam', id: 't', participant: [{ member: { reference: luxembourg.organization } }] },
    ],
  }),
};

/** References that lead to no Organization of the directory. */
const UNKNOWN = [
  'https://elsewhere.example/fhir/Organization/demo-luxembourg',
  '/Organization/demo-luxembourg',
  './Organization/demo-strasbourg',
  'Organization/demo-luxembourg#part',
];

function saying({ by, contained }: Named, member: (typeof MEMBERS)[number]): ReportSaid {
  return { [member]: [by], ...(contained === undefined ? {} : { contained }) };
}

/** Expects that nobody is told of a report that was refused. */
async function expectAbsent(region: ReportRegion, report: DiagnosticReport): Promise<void> {
  for (const one of ['strasbourg', 'radiologist', 'patient'] as const)
    expect(await countOf(region[one], `DiagnosticReport?${conditionOf(report)}`), one).to.equal(0);
}

/** Expects that a request was recorded as refused, and that it is no matter of a patient's. */
async function expectRefusal({ server, store }: ReportRegion, requestId: string): Promise<void> {
  const trail = await openTrail(store, server.dataDir);
  try {
    const told = await trail.eventsOf(requestId);
    const creates = told.filter(({ event }) => event.subtype?.[0]?.code === 'create');
    expect(creates.map(({ event, persons }) => [event.outcome, persons])).to.deep.equal([['4', []]]);
  } finally {
    await trail.close();
  }
}

describeReports('Whoever performed a report', {}, (region) => {
  const numbers = [...Array(101).keys()].map((at) => ({ system: 'urn:oid:2.25.1', value: `n-${at}` }));
  const tooMany: Readonly<Record<string, ReportSaid>> = {
    'by numbers': { performer: numbers.map((identifier) => ({ identifier })) },
    'over and over': { resultsInterpreter: numbers.map(() => ({ identifier: numbers[0] ?? {} })) },
    'within the report': {
      performer: [{ reference: '#o' }],
      contained: [{ resourceType: 'Organization', id: 'o', name: 'Maison', identifier: numbers }],
    },
  };
  for (const [name, said] of Object.entries(tooMany))
    it(`is named a hundred times at most, ${name}: else 422, and nothing is looked up or stands`, async () => {
      const report = aReport(region(), `too-many/${name}`, said);
      const answer = await region().strasbourg.send('POST', 'DiagnosticReport', report);
      expect(expectOutcome(answer, 422, 'business-rule')).to.include('more than 100');
      await expectAbsent(region(), report);
    });
});

describeReports('Another establishment in a report', {}, (region) => {
  for (const [name, of] of Object.entries(FOREIGN)) {
    it(`${name}: 422 that names the member, and nothing of the report stands`, async () => {
      for (const member of MEMBERS) {
        const report = aReport(region(), `${name}/${member}`, saying(of(region().server.url), member));
        const requestId = `foreign-${member}-${Object.keys(FOREIGN).indexOf(name)}`;
        const transaction: Bundle = {
          resourceType: 'Bundle',
          type: 'transaction',
          entry: [{ resource: report, request: { method: 'POST', url: 'DiagnosticReport' } }],
        };
        for (const answer of [
          await region().strasbourg.send('POST', 'DiagnosticReport', report, { 'x-request-id': requestId }),
          await region().strasbourg.send('PUT', `DiagnosticReport?${conditionOf(report)}`, report),
          await region().strasbourg.send('POST', '', transaction),
        ]) {
          expect(expectOutcome(answer, 422, 'business-rule')).to.include('readsFor');
          expect(answer.text).to.include(`DiagnosticReport.${member}[0]`);
        }
        await expectRefusal(region(), requestId);
        await expectAbsent(region(), report);
      }
    });
  }

  it('is not put in afterwards: an update and a patch are 422, and the report stands as it was', async () => {
    const report = aReport(region(), 'afterwards');
    const id = await sent(region().strasbourg, report);
    const path = `DiagnosticReport/${id}`;
    for (const of of Object.values(FOREIGN)) {
      const { by, contained = [] } = of(region().server.url);
      const next = { ...report, id, performer: [by], ...(contained.length === 0 ? {} : { contained }) };
      expectOutcome(await region().strasbourg.send('PUT', path, next), 422, 'business-rule');
      if (by.reference?.includes('?') === true) continue;
      const patch = [
        { op: 'add', path: '/performer/0', value: by },
        ...(contained.length === 0 ? [] : [{ op: 'add', path: '/contained', value: contained }]),
      ];
      expectOutcome(await region().strasbourg.send('PATCH', path, patch, PATCH), 422, 'business-rule');
    }
    const standing = (await region().strasbourg.get(path)).json<DiagnosticReport>();
    expect([standing.meta?.versionId, standing.performer]).to.deep.equal([
      '1',
      [{ reference: strasbourg.organization }],
    ]);
    const [document, ...others] = await documentsOf(region().patient, id);
    expect([others, document?.custodian?.reference]).to.deep.equal([[], strasbourg.organization]);
    expect(await authorInstitutionsOf(region(), region().patient, document?.id ?? '')).to.deep.equal([strasbourg.name]);
  });

  it('whom the directory does not know is 400, however it is named', async () => {
    for (const [at, reference] of UNKNOWN.entries()) {
      const report = aReport(region(), `unknown-${at}`, { resultsInterpreter: [{ reference }] });
      const answer = await region().strasbourg.send('POST', 'DiagnosticReport', report);
      expectOutcome(answer, 400, 'invalid');
      expect(answer.text).to.include('DiagnosticReport.resultsInterpreter[0]');
      await expectAbsent(region(), report);
    }
  });

  it('the sender itself is named in each of these ways', async () => {
    const number = { system: 'urn:oid:1.2.250.1.71.4.2.2', value: '1679999901' };
    const own: readonly Named[] = [
      { by: { reference: `${region().server.url}/fhir/${strasbourg.service}` } },
      { by: { reference: `${strasbourg.organization}/_history/1` } },
      { by: { type: 'Organization', identifier: number } },
      { by: { reference: '#o' }, contained: [{ resourceType: 'Organization', id: 'o', identifier: [number] }] },
    ];
    for (const [at, named] of own.entries()) {
      const id = await sent(region().strasbourg, aReport(region(), `own-${at}`, saying(named, 'performer')));
      const [document] = await documentsOf(region().patient, id);
      expect(document?.custodian?.reference).to.equal(strasbourg.organization);
      expect(document?.author?.map(({ reference }) => reference)).to.include(strasbourg.organization);
    }
  });

  it('what is neither a person nor an Organization is no author', async () => {
    for (const [at, reference] of ['CareTeam/t', 'organization/demo-luxembourg', 'urn:oid:2.25.77'].entries()) {
      const id = await sent(region().strasbourg, aReport(region(), `no-author-${at}`, { performer: [{ reference }] }));
      const [document] = await documentsOf(region().patient, id);
      expect(document?.author).to.deep.equal([{ reference: strasbourg.organization }]);
    }
  });

  it('a professional of elsewhere who signed reads that report, and nothing else of the record', async () => {
    const resultsInterpreter = [{ reference: 'Practitioner/demo-stranger' }];
    const id = await sent(region().strasbourg, aReport(region(), 'signed-elsewhere', { resultsInterpreter, meta: V }));
    const other = await sent(region().strasbourg, aReport(region(), 'signed-here', { meta: V }));
    const [document] = await documentsOf(region().patient, id);
    expect(document?.custodian?.reference).to.equal(strasbourg.organization);
    expect(await authorInstitutionsOf(region(), region().patient, document?.id ?? '')).to.deep.equal([strasbourg.name]);
    const answers = [];
    for (const one of ['stranger', 'nancy'] as const)
      for (const path of [id, other]) answers.push(await seen(region()[one], `DiagnosticReport/${path}`));
    expect(answers).to.deep.equal([200, 404, 404, 404]);
    const events = await region().patient.find<AuditEvent>('AuditEvent?subtype=read');
    const readers = events.flatMap(({ agent }) => agent.map(({ who }) => who?.reference));
    expect(readers).to.include('Practitioner/demo-stranger');
    // Who signs no more reads no more.
    await put(
      region().strasbourg,
      aReport(region(), 'signed-elsewhere', {
        resultsInterpreter: [{ reference: strasbourg.radiologist.reference }],
        status: 'amended',
        meta: V,
      }),
    );
    expect(await seen(region().stranger, `DiagnosticReport/${id}`)).to.equal(404);
  });
});

describeReports('A second reader in a report', { nancyReadsFor: [strasbourg.organization] }, (region) => {
  it('is named by number, within the report and as the place of a role; its sender stays the custodian', async () => {
    const named: readonly Named[] = [
      { by: { identifier: OF_NANCY } },
      { by: { reference: '#o' }, contained: [{ resourceType: 'Organization', id: 'o', identifier: [OF_NANCY] }] },
      {
        by: { reference: '#r' },
        contained: [{ resourceType: 'PractitionerRole', id: 'r', organization: { reference: nancy.service } }],
      },
      { by: { reference: 'PractitionerRole/demo-radiologist-nancy-role' } },
    ];
    for (const [at, one] of named.entries()) {
      const id = await sent(region().strasbourg, aReport(region(), `second-${at}`, saying(one, 'resultsInterpreter')));
      const [document] = await documentsOf(region().patient, id);
      expect(document?.custodian?.reference).to.equal(strasbourg.organization);
      expect(document?.author?.map(({ reference }) => reference)).to.include(strasbourg.organization);
      // To be named makes nobody its author: a copy of it is not sent, nor this one changed, by another.
      const standing = (await region().strasbourg.get(`DiagnosticReport/${id}`)).json<DiagnosticReport>();
      expect((await region().nancy.send('PUT', `DiagnosticReport/${id}`, standing)).status).to.be.oneOf([403, 404]);
    }
  });
});
