/** A patient who names another patient in every place of a request (smart-security.md C21): as if there were none. */
import { expect } from 'chai';
import type { Bundle, Patient } from '@medplum/fhirtypes';
import { toPatient } from '../../fixtures/patients.ts';
import { ESTABLISHMENTS, PATIENTS } from '../../fixtures/people.ts';
import { clientToken, signIn } from '../../fixtures/sign-in.ts';
import { eventsForPatient } from '../flows/support/cell.ts';
import { find, send } from '../flows/support/fhir.ts';
import { callOf, openWorld, type World } from '../flows/support/world.ts';
import { hasProgram } from '../profiles/dicom/samples.ts';

const { luxembourg } = ESTABLISHMENTS;
/** Of all that the other patient asks. */
const REQUEST_ID = '0d0a4a5e-5b0c-4f0e-9a53-7f1c0a2e6b11';

describe('C21: a patient who names another', function () {
  this.timeout(120_000);
  let world: World;
  let token: string;
  let own: string;

  before(async function () {
    if (!hasProgram('storescu')) this.skip();
    world = await openWorld({ store: 'sqlite', slices: 2 });
    const { url } = world.server;
    const feeder = { url, token: await clientToken({ url, client: luxembourg.clientId }) };
    await send(feeder, '/Patient', toPatient(PATIENTS.josee, luxembourg));
    token = await signIn({ url, person: 'demo-patient-lu' });
    const [patient] = await find<Patient>({ url, token }, 'Patient');
    own = patient?.id ?? '';
    expect(own).to.not.equal('');
  });
  after(async () => await world?.close());

  async function ask(method: string, path: string, body?: object): Promise<{ status: number; text: string }> {
    const reply = await fetch(`${world.server.url}/fhir/${path}`, {
      method,
      headers: {
        Authorization: `Bearer ${token}`,
        'X-Request-Id': REQUEST_ID,
        'Content-Type': method === 'PATCH' ? 'application/json-patch+json' : 'application/fhir+json',
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: reply.status, text: await reply.text() };
  }

  /** What must stand in no answer: ids, the family name, the numbers. */
  const secrets = (): readonly string[] => [
    PATIENTS.helene.familyName,
    world.ids.patientNumber,
    world.ids.studyInstanceUID,
    world.ids.reportNumber,
  ];
  const tellsNothing = (text: string, where: string): void => {
    for (const secret of secrets()) expect(text.includes(secret), `${where}: ${secret}`).to.equal(false);
  };

  it('in the address: not found, as an unknown one', async () => {
    const { patient, imagingStudy, diagnosticReport, reportDocument, manifest } = world.ids;
    const paths = [
      `Patient/${patient}`,
      `Patient/${patient}/_history`,
      `Patient/${patient}/_history/1`,
      `ImagingStudy/${imagingStudy}`,
      `ImagingStudy/${imagingStudy}/_history`,
      `DiagnosticReport/${diagnosticReport}`,
      `DocumentReference/${reportDocument.id}`,
      `DocumentReference/${manifest.id}`,
      `Binary/${reportDocument.binary}`,
      `Binary/${manifest.binary}`,
    ];
    for (const path of paths) {
      const unknown = path.replace(/^(\w+)\/[^/]+/, '$1/nobody-at-all');
      const [hidden, absent] = [await ask('GET', path), await ask('GET', unknown)];
      expect(hidden.status, path).to.equal(404);
      expect(hidden.text.replaceAll(path.split('/')[1] ?? '', 'nobody-at-all'), path).to.equal(absent.text);
    }
  });

  it('in a query, by every parameter that leads to her: empty', async () => {
    const { patient, imagingStudy, patientNumber, studyInstanceUID } = world.ids;
    const queries = [
      `ImagingStudy?patient=${patient}`,
      `ImagingStudy?patient=Patient/${patient},Patient/${own}`,
      `ImagingStudy?subject=Patient/${patient}&_summary=count`,
      `ImagingStudy?_id=${imagingStudy}`,
      `ImagingStudy?identifier=urn:oid:${studyInstanceUID}`,
      `ImagingStudy?patient.identifier=${patientNumber}`,
      `ImagingStudy?patient.family=${PATIENTS.helene.familyName}`,
      `DiagnosticReport?patient=${patient}&_include=DiagnosticReport:patient`,
      `DocumentReference?patient=Patient/${patient}`,
      `Consent?patient=${patient}`,
      `Communication?patient=Patient/${patient}`,
      `Task?patient=${patient}`,
      `AuditEvent?patient=${patient}`,
      `Patient?_id=${patient}`,
      `Patient?identifier=${patientNumber}`,
      `Patient?family=${PATIENTS.helene.familyName}`,
      `Patient?_has:ImagingStudy:patient:identifier=urn:oid:${studyInstanceUID}`,
    ];
    for (const query of queries) {
      // She herself finds something by it, where there is something: her record has neither Tasks nor letters yet.
      const hers = await find(callOf(world, 'patient'), query.replace('&_summary=count', ''));
      if (!/^(?:Task|Communication)/.test(query)) expect(hers, query).to.not.have.length(0);
      const { status, text } = await ask('GET', query);
      expect(status, query).to.equal(200);
      const { total, entry = [] } = JSON.parse(text) as Bundle;
      expect([total ?? 0, entry.length], query).to.deep.equal([0, 0]);
    }
  });

  it('beside her own Patient, by _include and _revinclude: hers alone', async () => {
    for (const query of [
      `Patient?_id=${own},${world.ids.patient}&_revinclude=ImagingStudy:patient`,
      'Patient?_revinclude=Consent:patient',
    ]) {
      const { text } = await ask('GET', query);
      tellsNothing(text, query);
      const { entry = [] } = JSON.parse(text) as Bundle;
      expect(
        entry.map(({ resource }) => resource?.id),
        query,
      ).to.deep.equal([own]);
    }
  });

  it('in a body, an operation and a Bundle: refused, and nothing is written', async () => {
    const { patient, diagnosticReport, imagingStudy } = world.ids;
    const subject = { reference: `Patient/${patient}` };
    const careTeam = { resourceType: 'CareTeam', status: 'active', subject };
    const label = { resourceType: 'Parameters' };
    const named = { resourceType: 'Parameters', parameter: [{ name: 'patient', valueReference: subject }] };
    const attempts: readonly (readonly [string, string, object])[] = [
      ['POST', 'CareTeam', careTeam],
      ['PUT', 'CareTeam/mine', { ...careTeam, id: 'mine' }],
      ['POST', `DiagnosticReport/${diagnosticReport}/$set-confidentiality`, label],
      ['POST', `ImagingStudy/${imagingStudy}/$set-confidentiality`, label],
      ['POST', 'Patient/$withdraw', named],
      ['POST', 'Patient/$request-erasure', named],
      [
        'POST',
        'Patient/$data-subject-request',
        { ...named, parameter: [...named.parameter, { name: 'right', valueCode: 'access' }] },
      ],
      [
        'POST',
        'Patient/$set-account',
        { ...named, parameter: [...named.parameter, { name: 'active', valueBoolean: false }] },
      ],
    ];
    for (const [method, path, body] of attempts) {
      const { status, text } = await ask(method, path, body);
      expect(status, `${method} ${path}: ${text}`).to.be.oneOf([400, 403, 404, 422]);
      tellsNothing(text, path);
    }
    for (const type of ['batch', 'transaction'] as const) {
      const entry = [{ request: { method: 'POST', url: 'CareTeam' }, resource: careTeam }];
      const { status, text } = await ask('POST', '', { resourceType: 'Bundle', type, entry });
      const answered = status === 200 ? (JSON.parse(text) as Bundle).entry?.[0]?.response?.status : `${status}`;
      expect(answered?.slice(0, 3), type).to.be.oneOf(['400', '403', '404', '422']);
      tellsNothing(text, type);
    }
    const patientCall = callOf(world, 'patient');
    expect(await find(patientCall, 'CareTeam')).to.deep.equal([]);
    expect(await find(patientCall, `ImagingStudy?_id=${imagingStudy}`)).to.have.length(1);
    expect((await world.trail.eventsOf(REQUEST_ID)).length, 'all was recorded').to.be.greaterThan(attempts.length);
    expect(await eventsForPatient(world, REQUEST_ID), 'and she is told of none').to.deep.equal([]);
  });
});
