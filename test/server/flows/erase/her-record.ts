/** A person of whom doors took everything that they take, and the work of her erasure on one store. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DiagnosticReport, Patient, RelatedPerson, Task } from '@medplum/fhirtypes';
import { expect } from 'chai';
import { demoConsent } from '../../../../fixtures/consent.ts';
import { uidOf } from '../../../../fixtures/dicom/uid.ts';
import { ESTABLISHMENTS } from '../../../../fixtures/people.ts';
import { CODE_SYSTEM } from '../../../../profiles/codes.ts';
import { openErasureKey } from '../../../../server/clients/erasure-key/erasure-key.ts';
import { SmtpMailer } from '../../../../server/clients/mail/smtp-mailer.ts';
import { parseRegion } from '../../../../server/config/region.ts';
import type { EraseRecordDeps } from '../../../../server/flows/erase/erase-record.ts';
import { indexRegion } from '../../../../server/flows/identity/region-index.ts';
import { openedResource } from '../../../../server/ports/internal-row.ts';
import type { ErasureKey } from '../../../../server/ports/erasure-key.ts';
import type { Mailer } from '../../../../server/ports/mailer.ts';
import { loadDefinitions } from '../../../../server/runtime/definitions.ts';
import { aMatricule, anINS, domainOf, patientOf } from '../../../flows/identity/people.ts';
import { element, hostileDataSet } from '../../../hostile/dicom/raw-data-set.ts';
import { formsOf, placesWith } from '../../../support/data-folder/erasing.ts';
import { visiting } from '../../../support/clients/representing.ts';
import type { EachStore } from '../../../support/peers/each-store.ts';
import { startMailServer, type MailServer } from '../../../support/peers/mail-server.ts';
import { SYSTEM } from '../../../support/plans.ts';
import type { Session } from '../identity/session.ts';
import { doStep } from '../identity/steps.ts';
import { openWorld, worldFolder, type World } from '../identity/world.ts';

const ONE = { at: 'strasbourg', number: 0 } as const;
const OTHER = { at: 'nancy', number: 0 } as const;
const DAY_MS = 24 * 3_600_000;
const CT = '1.2.840.10008.5.1.4.1.1.2';

/** A world on a store, and the work of an erasure there. */
export type Erasing = {
  readonly world: World;
  readonly folder: string;
  readonly deps: EraseRecordDeps;
  readonly mails: MailServer;
  /** The folder of the key of erasures (`key`, `key.pub`). */
  readonly keys: string;
  /** Which of some texts are found in the data folder and the database. */
  readonly found: (texts: Partial<Texts>) => Promise<readonly string[]>;
  /** A Task by its id. */
  readonly taskOf: (id: string) => Promise<Task>;
  close(): Promise<void>;
};

/** Opens it, with a new key of erasures or that of another. */
export async function openErasing(open: EachStore['open'], known?: ErasureKey): Promise<Erasing> {
  const opened = await open();
  const [folder, keys] = [await worldFolder(), await mkdtemp(join(tmpdir(), 'passerelle-erasure-key-'))];
  const erasureKey = known ?? (await openErasureKey(join(keys, 'key')));
  const world = await openWorld(opened.store, folder, undefined, erasureKey);
  const { indexer } = await loadDefinitions();
  const file = new URL('../../../../fixtures/region/region.json', import.meta.url);
  const region = indexRegion(parseRegion(JSON.parse(await readFile(file, 'utf8'))));
  const mails = await startMailServer();
  const mailer = mailerOf(mails);
  const publicUrl = (): string => 'https://passerelle.test';
  return {
    world,
    folder,
    mails,
    keys,
    deps: { ...world.stores, clock: { now: world.now }, indexer, region, mailer, erasureKey, publicUrl },
    found: async (texts) => {
      const canaries = new Map(Object.entries(texts).map(([what, text]) => [what, formsOf(text)] as const));
      const places = await placesWith(folder, opened.store, canaries);
      return [...places].filter(([, count]) => count > 0).map(([what]) => what);
    },
    taskOf: async (id) => {
      const row = await world.stores.records.peek(SYSTEM, { kind: 'resource', type: 'Task', id });
      return openedResource<Task>(row ?? expect.fail(`There is no Task ${id}`));
    },
    close: async () => {
      await world.close();
      await opened.close();
      await mails.close();
      for (const one of [keys, folder]) await rm(one, { recursive: true, force: true });
    },
  };
}

/** A mailer to a server. */
export function mailerOf({ port }: Pick<MailServer, 'port'>): Mailer {
  const place = { host: 'localhost', port, secure: false, needsTLS: false, credentials: undefined, ca: undefined };
  return new SmtpMailer({ ...place, from: 'passerelle@exemple.test' });
}

/** What is looked for of her, by what it is. */
function textsOf(session: Session) {
  const { run } = session;
  return {
    name: `Ormélac-${run}`,
    INS: anINS().value ?? '',
    matricule: aMatricule('1979-05-14').value ?? '',
    IPP: session.localId(ONE),
    mail: `courriel.${run}@exemple.test`,
    phone: `+33 3 90 ${run}`,
    accession: `ACC-${run}`,
    'study UID': session.studyUid('hers'),
    'instance UID': uidOf(`${run}/hers/1`),
    'report text': `Compte rendu ${run} sans anomalie`,
    pixel: `PIXEL-${run}`,
    'pixel under her number': `FOREIGN-${run}`,
    query: `QUERY-${run}`,
    justification: `Douleur thoracique, inconsciente ${run}`,
    'token of hers': `TOKEN-${run}`,
    'who represents her': `Représentant-${run}`,
  };
}
/** The texts. */
export type Texts = ReturnType<typeof textsOf>;

/** Everything that doors take of a person, under two identities that a desk says are one. */
export async function recordOf(session: Session): Promise<Texts> {
  const { world } = session;
  const texts = textsOf(session);
  for (const whose of [ONE, OTHER]) await fed(session, whose, texts);
  await sent(session, texts);
  await sentByAnother(session, texts);
  await doStep(session, { does: 'join', one: ONE, other: OTHER, by: 'desk' }, async () => undefined);
  await world.rest();
  await reported(session, texts, (await patientsOf(session))[0] ?? '');
  const her = (await world.person((await patientsOf(session))[0] ?? '')) ?? expect.fail('Nobody signs in');
  const [patient = ''] = await patientsOf(session);
  await world.write(her, { interaction: 'create', type: 'Consent', resource: demoConsent(patient) });
  const doctor = (await world.person('Practitioner/demo-stranger')) ?? expect.fail('Nobody signs in');
  const sought = { identifier: { system: anINS().system ?? '', value: texts.INS } };
  const { justification } = texts;
  const emergency = { sought, reason: 'BTG', justification };
  await world.flows.breakGlass(
    { ...doctor, requester: { ...doctor.requester, authTime: world.now() / 1000 } },
    emergency,
  );
  await world.find(doctor, 'Patient', `identifier=${anINS().system}|${texts.INS},${anINS().system}|${texts.query}`);
  // Of a search that finds nobody the event is nobody's, and names her all the same.
  await world.find(doctor, 'Patient', `identifier=${anINS().system}|${texts.INS}&birthdate=1900-01-01`);
  // The emergency ends.
  world.tick(DAY_MS);
  await world.rest();
  const payload = { accountId: patient, clientId: 'portal', display: texts['token of hers'] };
  await world.stores.tokens.upsert('AccessToken', session.run, { payload, expiresAt: undefined }, {});
  await represented(session, texts, patient);
  return texts;
}
async function represented({ world, run }: Session, texts: Texts, patient: string): Promise<void> {
  const display = texts['who represents her'];
  const resource: RelatedPerson = {
    resourceType: 'RelatedPerson',
    patient: { reference: patient },
    relationship: [{ coding: [{ system: CODE_SYSTEM.roleCode, code: 'GUARD' }] }],
    name: [{ family: display }],
    period: { start: '2020-01-01' },
  };
  const establishment = world.establishment(ESTABLISHMENTS.strasbourg.organization);
  const [, idOfHers = ''] = patient.split('/');
  await world.write(establishment, { interaction: 'create', type: 'Encounter', resource: visiting(idOfHers) });
  const id = await world.write(establishment, { interaction: 'create', type: 'RelatedPerson', resource });
  const payload = { accountId: `RelatedPerson/${id}`, clientId: 'portal', display };
  await world.stores.tokens.upsert('AccessToken', `${run}-represented`, { payload, expiresAt: undefined }, {});
  const representative = (await world.person(`RelatedPerson/${id}`)) ?? expect.fail('Nobody signs in');
  await world.find(representative, 'ImagingStudy', '');
  await world.rest();
}
async function fed(session: Session, whose: typeof ONE | typeof OTHER, texts: Texts): Promise<void> {
  const { world } = session;
  // What its source does not vouch for may be another's.
  const unsure = { ...aMatricule('1979-05-14'), value: texts.matricule };
  const numbers = [{ ...anINS(), value: texts.INS }, unsure];
  const one = { family: texts.name, given: 'Ysoline', birthDate: '1979-05-14', gender: 'female', numbers } as const;
  const telecom: Patient['telecom'] = [
    { system: 'email', value: texts.mail },
    { system: 'phone', value: texts.phone },
    // What is written where there is none: it is in the events of everybody.
    ...['-', '.', '+', 'n/a', '0'].map((value) => ({ system: 'phone' as const, value })),
  ];
  const resource = { ...patientOf(whose.at, session.localId(whose), one), telecom };
  const condition = `identifier=${domainOf(whose.at)}|${session.localId(whose)}`;
  const establishment = world.establishment(ESTABLISHMENTS[whose.at].organization);
  await world.write(establishment, { interaction: 'update', type: 'Patient', condition, resource });
}
/** Sends an image of hers. */
export async function sent(session: Session, texts: Texts): Promise<void> {
  const { world } = session;
  const bytes = hostileDataSet(texts['instance UID'], {
    '00080018': element('00080018', 'UI', texts['instance UID']),
    '00080050': element('00080050', 'SH', texts.accession),
    '00100010': element('00100010', 'PN', `${texts.name}^Ysoline`),
    '00100020': element('00100020', 'LO', texts.IPP),
    '0020000D': element('0020000D', 'UI', texts['study UID']),
    '0020000E': element('0020000E', 'UI', uidOf(`${session.run}/hers/series`)),
    '7FE00010': element('7FE00010', 'OB', texts.pixel),
  });
  const { organization } = ESTABLISHMENTS.strasbourg;
  await world.send({ organization, sopClassUID: CT, sopInstanceUID: texts['instance UID'], bytes });
  await world.rest();
}
/** Nancy sends an image under the number that Strasbourg gave her, or another (`IPP`). */
export async function sentByAnother(session: Session, texts: Texts): Promise<void> {
  const { world, run } = session;
  const sopInstanceUID = uidOf(`${run}/foreign/${texts.IPP}`);
  const bytes = hostileDataSet(sopInstanceUID, {
    '00080018': element('00080018', 'UI', sopInstanceUID),
    '00100010': element('00100010', 'PN', `${texts.name}^Ysoline`),
    '00100020': element('00100020', 'LO', texts.IPP),
    '00100021': element('00100021', 'LO', ESTABLISHMENTS.strasbourg.patientIdDomain),
    '0020000D': element('0020000D', 'UI', uidOf(`${run}/foreign`)),
    '0020000E': element('0020000E', 'UI', uidOf(`${run}/foreign/series`)),
    '7FE00010': element('7FE00010', 'OB', texts['pixel under her number']),
  });
  await world.send({ organization: ESTABLISHMENTS.nancy.organization, sopClassUID: CT, sopInstanceUID, bytes });
  await world.rest();
}
async function reported({ world }: Session, texts: Texts, patient: string): Promise<void> {
  const resource: DiagnosticReport = {
    resourceType: 'DiagnosticReport',
    identifier: [{ system: 'urn:oid:2.25.7001', value: texts.accession }],
    status: 'final',
    code: { text: 'Compte rendu' },
    conclusion: texts['report text'],
    subject: { reference: patient },
    issued: '2026-01-15T10:00:00Z',
    presentedForm: [
      {
        contentType: 'application/pdf',
        data: Buffer.from(`%PDF-1.4\n${texts['report text']}\n%%EOF`).toString('base64'),
      },
    ],
  };
  const establishment = world.establishment(ESTABLISHMENTS.strasbourg.organization);
  await world.write(establishment, { interaction: 'create', type: 'DiagnosticReport', resource });
  await world.rest();
}
/** `Patient/id` of each identity of hers, that of Strasbourg first. */
export async function patientsOf(session: Session): Promise<readonly string[]> {
  const known = await session.known();
  return ['strasbourg/0', 'nancy/0'].flatMap((one) => known.get(one)?.patient ?? []);
}
/** She asks, signed in, and 31 days pass; resolves with the id of the request. */
export async function asked(session: Session): Promise<string> {
  const { world } = session;
  const her = (await world.person((await patientsOf(session))[0] ?? '')) ?? expect.fail('Nobody signs in');
  const task = await world.flows.requestErasure(her);
  world.tick(31 * DAY_MS);
  return task.replace('Task/', '');
}
