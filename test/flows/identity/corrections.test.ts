/**
 * What was derived under an identity says what its source says of it: after a correction, a join, a separation.
 * @see IHE PIXm ITI-104; RAD TF-3 4.68.4.1.2.3
 */
import type { Binary, DiagnosticReport, DocumentReference, ImagingStudy, Patient } from '@medplum/fhirtypes';
import { expect } from 'chai';
import { aStudy } from '../../../fixtures/dicom/a-study.ts';
import type { DemoStudy } from '../../../fixtures/dicom/studies.ts';
import { ESTABLISHMENTS, PATIENTS } from '../../../fixtures/people.ts';
import { TAG, textOf } from '../../../profiles/dicom/attributes.ts';
import { eventually, expectOutcome, type FhirCaller } from '../../support/clients/fhir-caller.ts';
import { personCaller } from '../../support/demonstration.ts';
import { sendStudy } from '../../support/clients/send-study.ts';
import { headerOf } from '../../support/imaging.ts';
import { aReport, describeReports, documentsOf, examByUid, imagesOf, put, sent } from '../support/report-region.ts';
import { aLocalId, anINS, feed, idIn, judge, somebody, type Somebody } from './people.ts';

type Held<T> = T & { readonly id: string };

const JSON_PATCH = { 'content-type': 'application/json-patch+json' };
/** Not done while something is changed: it comes back at its own time. */
const BESIDE: readonly string[] = [
  'sweep-images',
  'cut-trail',
  'forget-erased',
  'forget-tries',
  'end-viewing',
  'end-consent',
  'tell-news',
  'send-notice',
  'alert-officers',
  'mail-share',
  'erase-record',
  'purge-joined',
];

describeReports('A correction', { nancyReadsFor: [ESTABLISHMENTS.strasbourg.organization] }, (region) => {
  const fed = async (localId: string, one: Somebody, more: Partial<Patient> = {}): Promise<string> => {
    const answer = await feed(region().strasbourg, 'strasbourg', localId, one, more);
    expect(answer.status, answer.text).to.be.oneOf([200, 201]);
    return idIn(answer);
  };
  const examOf = (localId: string, key: string): DemoStudy =>
    aStudy({ key, patient: { ...PATIENTS.gaetan, localId: { strasbourg: localId } }, instances: 1 });
  /** Manifests of an exam, current and former, the first made first. */
  const manifestsOf = async ({ id }: { readonly id: string }): Promise<Held<DocumentReference>[]> => {
    const found = await region().strasbourg.find<Held<DocumentReference>>(
      `DocumentReference?related=ImagingStudy/${id}&_count=100`,
    );
    const manifests = found.filter(({ content }) => content[0]?.attachment.contentType === 'application/dicom');
    return manifests.toSorted((one, other) => ((one.date ?? '') < (other.date ?? '') ? -1 : 1));
  };
  const currentOf = async (exam: { readonly id: string }): Promise<Held<DocumentReference> | undefined> =>
    (await manifestsOf(exam)).find(({ status }) => status === 'current');
  const bytesOf = async ({ content }: DocumentReference): Promise<Buffer> => {
    const path = content[0]?.attachment.url?.split('/fhir/')[1] ?? '';
    const answer = await region().strasbourg.get(path, { accept: 'application/fhir+json' });
    return Buffer.from(answer.json<Binary>().data ?? '', 'base64');
  };
  /** Who the KOS object of a manifest says that the patient is. */
  const patientIn = async (manifest: DocumentReference): Promise<readonly (string | undefined)[]> => {
    const header = headerOf(await bytesOf(manifest));
    return [TAG.PatientName, TAG.PatientID, TAG.PatientBirthDate, TAG.PatientSex].map((tag) => textOf(header, tag));
  };
  const sourceOf = ({ contained = [] }: DocumentReference): Patient | undefined =>
    contained.find((one): one is Patient => one.resourceType === 'Patient');
  const atRest = async (): Promise<void> => {
    await eventually(async () => {
      const answer = await fetch(`${region().server.url}/health/ready`);
      const { jobs } = (await answer.json()) as {
        jobs: Record<string, Record<'waiting' | 'running' | 'later', number>>;
      };
      const left = Object.entries(jobs).filter(([kind]) => !BESIDE.includes(kind));
      return left.every(([, { waiting, running, later }]) => waiting + running + later === 0) ? true : undefined;
    });
  };
  /** An exam of somebody, whose manifest is published. */
  const published = async (localId: string, key: string): Promise<Held<ImagingStudy>> => {
    const exam = await imagesOf(region(), examOf(localId, key));
    await eventually(async () => await currentOf(exam));
    await atRest();
    return exam;
  };
  /** The manifest that a feed makes current. */
  const remade = async (exam: { readonly id: string }, ...said: Parameters<typeof fed>): Promise<DocumentReference> => {
    const former = await currentOf(exam);
    await fed(...said);
    const made = await eventually(async () => {
      const current = await currentOf(exam);
      return current?.id === former?.id ? undefined : current;
    });
    await atRest();
    return made;
  };

  const judged = async (operation: 'join' | 'separate', two: readonly [string, string]): Promise<void> => {
    const desk = await personCaller(region().server, 'demo-region-desk');
    const answer = await judge(desk, operation, two);
    expect(answer.status, answer.text).to.equal(200);
    await atRest();
  };

  it('of name, birth date and sex makes a manifest that replaces the former; said again it does not', async () => {
    const [localId, wrong] = [aLocalId(), somebody()];
    await fed(localId, wrong);
    const exam = await published(localId, `corrected/${localId}`);
    const former = (await currentOf(exam)) ?? expect.fail('no manifest');
    expect(await patientIn(former)).to.deep.equal([`${wrong.family}^Ysoline`, localId, '19790514', 'F']);
    const right: Somebody = { ...wrong, family: 'Ormélac-Vey', birthDate: '1979-05-15', gender: 'male' };
    const made = await remade(exam, localId, right);
    expect(await patientIn(made)).to.deep.equal(['Ormélac-Vey^Ysoline', localId, '19790515', 'M']);
    expect(made.relatesTo).to.deep.equal([
      { code: 'replaces', target: { reference: `DocumentReference/${former.id}` } },
    ]);
    expect(sourceOf(made)).to.deep.include({ birthDate: '1979-05-15', gender: 'male' });
    expect(made.masterIdentifier?.value).to.not.equal(former.masterIdentifier?.value);
    const all = await manifestsOf(exam);
    expect(all.map(({ id, status }) => [id, status])).to.deep.equal([
      [former.id, 'superseded'],
      [made.id, 'current'],
    ]);
    await fed(localId, right);
    await atRest();
    expect(await manifestsOf(exam)).to.deep.equal(all);
  });

  it('that is taken back makes the former manifest current again, and what it made goes', async () => {
    const [localId, right] = [aLocalId(), somebody()];
    await fed(localId, right);
    const exam = await published(localId, `taken-back/${localId}`);
    const former = await currentOf(exam);
    const wrong = await remade(exam, localId, { ...right, given: 'Ysaline' });
    const path = wrong.content[0]?.attachment.url?.split('/fhir/')[1] ?? '';
    expect((await region().strasbourg.get(path)).status).to.equal(200);
    expect((await remade(exam, localId, right)).id).to.equal(former?.id);
    const all = await manifestsOf(exam);
    expect(all.map(({ masterIdentifier }) => masterIdentifier?.value)).to.deep.equal([former?.masterIdentifier?.value]);
    expect(all[0]?.status).to.equal('current');
    for (const gone of [`DocumentReference/${wrong.id}`, path])
      expectOutcome(await region().strasbourg.get(gone), 404, 'not-found');
  });

  it('of a number that the KOS object does not bear reaches what its document says, which stays', async () => {
    const [localId, one, number] = [aLocalId(), somebody(), anINS()];
    await fed(localId, one);
    const exam = await published(localId, `number/${localId}`);
    const former = await currentOf(exam);
    await fed(localId, { ...one, numbers: [number] });
    const told = await eventually(async () => {
      const current = await currentOf(exam);
      return JSON.stringify(current && sourceOf(current)).includes(number.value ?? '') ? current : undefined;
    });
    await atRest();
    expect(told.id).to.equal(former?.id);
    expect(await manifestsOf(exam)).to.have.lengthOf(1);
  });

  it('of a number leaves the wrong one in no document, superseded ones of exams and reports included', async () => {
    const [localId, one, wrong, right] = [aLocalId(), somebody(), anINS(), anINS()];
    const { strasbourg } = region();
    const id = await fed(localId, { ...one, numbers: [wrong] });
    const exam = await published(localId, `superseded/${localId}`);
    const [key, subject] = [`superseded/${localId}`, { reference: `Patient/${id}` }];
    const reportId = await sent(strasbourg, aReport(region(), key, { subject }));
    await put(strasbourg, aReport(region(), key, { status: 'corrected', text: 'rectifié', subject }));
    await remade(exam, localId, { ...one, given: 'Ysaline', numbers: [wrong] });
    const documents = async (): Promise<readonly DocumentReference[]> => [
      ...(await manifestsOf(exam)),
      ...(await documentsOf(strasbourg, reportId)),
    ];
    const bearing = async ({ value = '' }: { readonly value?: string }): Promise<readonly string[]> =>
      (await documents()).filter((document) => JSON.stringify(document).includes(value)).map(({ status }) => status);
    const all = ['superseded', 'current', 'superseded', 'current'];
    expect(await bearing(wrong)).to.have.members(all);
    await fed(localId, { ...one, given: 'Ysaline', numbers: [right] });
    await atRest();
    expect([await bearing(wrong), (await bearing(right)).toSorted()]).to.deep.equal([[], all.toSorted()]);
    const [former] = await manifestsOf(exam);
    expect(former && sourceOf(former)?.name?.[0]?.given).to.deep.equal(['Ysoline']);
  });

  it('of what no document says changes none', async () => {
    const [localId, one] = [aLocalId(), somebody()];
    await fed(localId, one);
    const exam = await published(localId, `untold/${localId}`);
    const before = await manifestsOf(exam);
    await fed(localId, one, { telecom: [{ system: 'phone', value: '+33 3' }] });
    await atRest();
    expect(await manifestsOf(exam)).to.deep.equal(before);
  });

  it('by PATCH reaches documents of reports, of an exam or of none; the local number is not patched', async () => {
    const localId = aLocalId();
    const id = await fed(localId, somebody());
    const study = examOf(localId, `patched/${localId}`);
    await imagesOf(region(), study);
    const subject = { reference: `Patient/${id}` };
    const { strasbourg } = region();
    const reports = [
      await sent(strasbourg, aReport(region(), `with/${localId}`, { subject, imagingStudy: [examByUid(study)] })),
      await sent(strasbourg, aReport(region(), `without/${localId}`, { subject })),
    ];
    await atRest();
    const patch = async (path: string, value: string) =>
      await strasbourg.send('PATCH', `Patient/${id}`, JSON.stringify([{ op: 'replace', path, value }]), JSON_PATCH);
    expectOutcome(await patch('/identifier/0/value', `${localId}-2`), 409, 'conflict');
    const patched = await patch('/birthDate', '1979-06-01');
    expect(patched.status, patched.text).to.equal(200);
    for (const report of reports) {
      const [document] = await eventually(async () => {
        const documents = await documentsOf(strasbourg, report);
        return documents.some((one) => sourceOf(one)?.birthDate === '1979-06-01') ? documents : undefined;
      });
      expect(document?.status).to.equal('current');
    }
    await atRest();
    const versions = await Promise.all(reports.map(async (one) => await documentsOf(strasbourg, one)));
    expect(versions.map((documents) => documents.length)).to.deep.equal([1, 1]);
  });

  it('of who is who links a report of another establishment to the exam that it names, and unlinks it', async () => {
    const { strasbourg, nancy } = region();
    const [localId, other, one] = [aLocalId(), aLocalId(), somebody()];
    const two = [await fed(localId, one), idIn(await feed(nancy, 'nancy', other, one))] as const;
    const study = examOf(localId, `linked/${localId}`);
    const exam = await imagesOf(region(), study);
    const said = { subject: { reference: `Patient/${two[1]}` }, imagingStudy: [examByUid(study)] };
    const id = await sent(nancy, aReport(region(), `linked/${localId}`, said));
    await atRest();
    const isLinked = async (): Promise<boolean> => {
      const { imagingStudy = [] } = (await nancy.get(`DiagnosticReport/${id}`)).json<DiagnosticReport>();
      const [document] = await documentsOf(nancy, id);
      const links = [...imagingStudy, ...(document?.context?.related ?? [])].map(({ reference }) => reference);
      return links.filter((reference) => reference === `ImagingStudy/${exam.id}`).length === 2;
    };
    const isFound = async (caller: FhirCaller): Promise<boolean> =>
      (await caller.find<Held<DiagnosticReport>>(`DiagnosticReport?imaging-study=ImagingStudy/${exam.id}`)).some(
        (report) => report.id === id,
      );
    expect([await isLinked(), await isFound(nancy)]).to.deep.equal([false, false]);
    await judged('join', two);
    expect([await isLinked(), await isFound(nancy)]).to.deep.equal([true, true]);
    await judged('separate', two);
    expect([await isLinked(), await isFound(nancy)]).to.deep.equal([false, false]);
    expect((await strasbourg.get(`ImagingStudy/${exam.id}`)).status).to.equal(200);
  });

  it('of who is who takes out of a manifest what another sent, once that is another person’s', async () => {
    const { server, nancy } = region();
    const [localId, other, one] = [aLocalId(), aLocalId(), somebody()];
    const two = [await fed(localId, one), idIn(await feed(nancy, 'nancy', other, one))] as const;
    await judged('join', two);
    const exam = await published(localId, `parted/${localId}`);
    const patient = { ...PATIENTS.gaetan, localId: { nancy: other } };
    const added = aStudy({ key: `parted/${localId}`, establishment: 'nancy', patient, instances: 2 });
    await sendStudy(server, added);
    const uid = [...added.instances()][1]?.sopInstanceUID ?? '';
    const lists = async (): Promise<readonly (readonly [string, boolean])[]> =>
      await Promise.all(
        (await manifestsOf(exam)).map(async (m) => [m.status, (await bytesOf(m)).includes(uid)] as const),
      );
    await eventually(async () => ((await lists()).length > 1 ? true : undefined));
    await atRest();
    expect(await lists()).to.deep.equal([
      ['superseded', false],
      ['current', true],
    ]);
    await judged('separate', two);
    expect(await lists()).to.deep.equal([['current', false]]);
  });
});
