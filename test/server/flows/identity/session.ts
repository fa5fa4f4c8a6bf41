/** A sequence is done in a world and in the model, and what readers see is compared. Its people are no other's. */
import type { DiagnosticReport, Patient, Task } from '@medplum/fhirtypes';
import { uidOf } from '../../../../fixtures/dicom/uid.ts';
import { demoConsent } from '../../../../fixtures/consent.ts';
import { ESTABLISHMENTS } from '../../../../fixtures/people.ts';
import { DICOM_UID, IDENTIFIER_SYSTEM, oidUri } from '../../../../profiles/codes.ts';
import { Fault } from '../../../../profiles/fault.ts';
import { systemReading } from '../../../../server/access/grant.ts';
import { findIdentity, type KnownPatient } from '../../../../server/flows/identity/persons.ts';
import type { Visit } from '../../../../server/flows/guard.ts';
import { claimKey } from '../../../../server/ports/claim-key.ts';
import { element, hostileDataSet } from '../../../hostile/dicom/raw-data-set.ts';
import { domainOf, patientOf } from '../../../flows/identity/people.ts';
import { Model, type Partition, type Said } from './model.ts';
import {
  ESTABLISHMENT_KEYS,
  type Establishment,
  type Feed,
  type Judge,
  type Move,
  type Step,
  type Whose,
} from './sequences.ts';
import type { World } from './world.ts';

const CT = `${DICOM_UID.storageClassPrefix}2`;
const DESK = 'Practitioner/demo-region-desk';
const STRANGER = 'Practitioner/demo-stranger';
const FAMILIES = ['Ormélac', 'Vantréjols'];
const REPORTS = 'urn:oid:2.25.7001';

let sessions = 0;

/** What a session offers to whoever compares. */
export type Session = {
  readonly model: Model;
  readonly world: World;
  /** What was fed last of each identity, by its name. */
  readonly feeds: Map<string, Feed>;
  /** Does a step. */
  readonly act: (step: Step) => Promise<void>;
  /** The identities that the product knows, by the names that the model has for them. */
  readonly known: () => Promise<ReadonlyMap<string, KnownPatient>>;
  readonly studyUid: (study: number | string) => string;
  /** The identifier of a report, by its name. */
  readonly reportIdentifier: (name: string) => string;
  readonly localId: (of: Whose) => string;
};

/** What is done by mistake: `mistake` resolves with whether anything was done. */
export type Mistake = {
  readonly does: (Feed | Judge | Move)['does'];
  readonly mistake: () => Promise<boolean>;
  readonly undo: () => Promise<void>;
};

/** The name of an identity in the model. */
export function nameOf({ at, number }: Whose): string {
  return `${at}/${number}`;
}

function whoseOf(name: string): Whose {
  const [at = '', number = ''] = name.split('/');
  return { at: at as Establishment, number: Number(number) };
}

/** Persons by the names of identities. */
export function partitionOf(known: ReadonlyMap<string, KnownPatient>): Partition {
  return new Map([...known].map(([name, { person }]) => [name, person]));
}

/** Begins a session. `undone` is called around each mistake. */
export function openSession(world: World, undone: (session: Session, mistake: Mistake) => Promise<void>): Session {
  sessions += 1;
  const run = `${process.pid}-${sessions}`;
  const model = new Model();
  const session: Session = {
    model,
    world,
    feeds: new Map(),
    act: async (step) => await doStep(session, run, step, undone),
    known: async () => await knownIn(session),
    studyUid: (study) => uidOf(`${run}/study/${study}`),
    reportIdentifier: (name) => `${REPORTS}|${run}-${name.replaceAll('/', '-')}`,
    localId: ({ number }) => `${run}-${number}`,
  };
  return session;
}

async function knownIn({ world, localId }: Session): Promise<ReadonlyMap<string, KnownPatient>> {
  const { records } = world.stores;
  const reading = systemReading('resolve-identity', world.now());
  const known = new Map<string, KnownPatient>();
  for (const at of ESTABLISHMENT_KEYS)
    for (const number of [0, 1]) {
      const found = await findIdentity(records, reading, domainOf(at), localId({ at, number }));
      if (found !== undefined) known.set(nameOf({ at, number }), found);
    }
  return known;
}

type Undone = Parameters<typeof openSession>[1];

async function doStep(session: Session, run: string, step: Step, undone: Undone): Promise<void> {
  const { model, world } = session;
  switch (step.does) {
    case 'feed':
      await feed(session, run, step);
      return;
    case 'image': {
      const { of, study, instance } = step;
      const uid = uidOf(`${run}/${nameOf(of)}/${study}/${instance}`);
      await world.send(imageOf(session, of, session.studyUid(study), uid));
      model.image(String(study), { uid, establishment: of.at, identity: nameOf(of) });
      return;
    }
    case 'report':
      await report(session, step);
      return;
    case 'join':
    case 'separate':
      await judge(session, step);
      return;
    case 'move':
      await move(session, step);
      return;
    case 'declare':
      await declare(session, step.of);
      return;
    case 'erase':
      if (!model.studies.has(String(step.study))) return;
      await world.rest();
      model.erase(String(step.study), partitionOf(await session.known()));
      await world.flows.eraseStudy(session.studyUid(step.study));
      return;
    case 'release':
    case 'discard':
      await clear(session, step.does, step.study);
      return;
    case 'usurp':
      await usurp(session, run, step);
      return;
    case 'err':
      await err(session, run, step.mistake, undone);
  }
}

function imageOf({ localId }: Session, of: Whose, studyUid: string, uid: string) {
  const bytes = hostileDataSet(uid, {
    '00080016': element('00080016', 'UI', CT),
    '00080018': element('00080018', 'UI', uid),
    '00100020': element('00100020', 'LO', localId(of)),
    '0020000D': element('0020000D', 'UI', studyUid),
    '0020000E': element('0020000E', 'UI', uidOf(`${studyUid}/series`)),
  });
  const { organization } = ESTABLISHMENTS[of.at];
  return { organization, sopClassUID: CT, sopInstanceUID: uid, bytes };
}

function patientIn({ localId }: Session, run: string, { of, traits, national, status }: Feed): Patient {
  const [family = ''] = FAMILIES.slice(traits);
  const birthDate = `1979-05-1${traits}`;
  const one = { family, given: 'Ysoline', birthDate, gender: 'female' as const, status };
  const numbers = national === null ? [] : [{ system: IDENTIFIER_SYSTEM.insNirTest, value: insOf(run, national) }];
  return patientOf(of.at, localId(of), { ...one, numbers: numbers.map((number) => ({ ...number, use: 'official' })) });
}

/** A number that no other sequence has: as many as one run of a store may need. */
function insOf(run: string, national: number): string {
  const serial = Number(run.split('-')[1]) * 2 + national;
  const body = `2${String(790_500_000_000 + serial)}`;
  return `${body}${String(97 - (Number(body) % 97)).padStart(2, '0')}`;
}

function saidBy({ of, traits, national, status, into }: Feed): Said {
  return {
    traits: String(traits),
    isQualified: status === 'QUAL' && of.at !== 'luxembourg',
    ...(national === null ? {} : { number: String(national) }),
    ...(into === null || into === of.number ? {} : { replacedBy: nameOf({ at: of.at, number: into }) }),
  };
}

/** A merge into nobody is refused, and nothing is done. */
async function feed(session: Session, run: string, step: Feed): Promise<boolean> {
  const { model, world, localId } = session;
  const said = saidBy(step);
  if (said.replacedBy !== undefined && !model.identities.has(said.replacedBy)) return false;
  const into = said.replacedBy === undefined ? undefined : localId(whoseOf(said.replacedBy));
  const link = {
    active: false,
    link: [
      { type: 'replaced-by' as const, other: { identifier: { system: domainOf(step.of.at), value: into ?? '' } } },
    ],
  };
  const resource = { ...patientIn(session, run, step), ...(into === undefined ? {} : link) };
  await world.write(world.establishment(ESTABLISHMENTS[step.of.at].organization), {
    interaction: 'update',
    type: 'Patient',
    condition: `identifier=${domainOf(step.of.at)}|${localId(step.of)}`,
    resource,
  });
  model.feed(nameOf(step.of), step.of.at, said);
  session.feeds.set(nameOf(step.of), step);
  return true;
}

async function report(session: Session, { of, study, isFinal }: Extract<Step, { does: 'report' }>): Promise<void> {
  const { model, world, studyUid, reportIdentifier } = session;
  const patient = (await session.known()).get(nameOf(of));
  if (patient === undefined) return;
  const name = `${nameOf(of)}/${study}`;
  const standing = model.reports.get(name);
  const [system = '', value = ''] = reportIdentifier(name).split('|');
  const resource: DiagnosticReport = {
    resourceType: 'DiagnosticReport',
    identifier: [{ system, value }],
    status: isFinal ? 'final' : 'preliminary',
    code: { text: 'Compte rendu' },
    subject: { reference: patient.patient },
    issued: '2026-01-15T10:00:00Z',
    imagingStudy: [
      { type: 'ImagingStudy', identifier: { system: IDENTIFIER_SYSTEM.dicomUid, value: oidUri(studyUid(study)) } },
    ],
    presentedForm: [
      { contentType: 'application/pdf', data: Buffer.from(`%PDF-1.4\n${name}\n%%EOF`).toString('base64'), title: name },
    ],
  };
  const goesBack = standing?.isFinal === true && !isFinal;
  const write = world.write(world.establishment(ESTABLISHMENTS[of.at].organization), {
    interaction: 'update',
    type: 'DiagnosticReport',
    condition: `identifier=${system}|${value}`,
    resource,
  });
  if (goesBack) return await refused(write, 'a report that goes back');
  await write;
  model.report({ name, establishment: of.at, identity: nameOf(of), study: String(study), isFinal });
}

/** What must be refused is. */
async function refused(done: Promise<unknown>, what: string): Promise<void> {
  const fault = await done.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (fault === undefined) throw new Error(`Not refused: ${what}`);
  if (!(fault instanceof Fault) || fault.kind === 'exception') throw fault;
}

async function visitOf({ world }: Session, account: string): Promise<Visit> {
  const visit = await world.person(account);
  if (visit === undefined) throw new Error(`${account} may not act`);
  return visit;
}

/** Resolves with whether it was said: where it was said already nothing is done. */
async function judge(session: Session, { does, one, other, by }: Judge): Promise<boolean> {
  const { model, world } = session;
  const known = await session.known();
  const [first, second] = [known.get(nameOf(one)), known.get(nameOf(other))];
  if (first === undefined || second === undefined || first === second) return false;
  const account = by === 'desk' ? DESK : STRANGER;
  const visit =
    by === 'establishment' ? world.establishment(ESTABLISHMENTS[one.at].organization) : await visitOf(session, account);
  world.tick();
  const said = world.flows.judgeIdentities(visit, {
    operation: does,
    patients: [first.patient, second.patient],
    reason: 'Carte',
  });
  if (by !== 'desk') {
    await refused(said, `${does} by ${by}`);
    return false;
  }
  const isDone = await said.then(
    () => true,
    (error: unknown) => {
      if (error instanceof Fault && error.kind === 'conflict') return false;
      throw error;
    },
  );
  if (!isDone) return false;
  model[does](nameOf(one), nameOf(other));
  const who = partitionOf(await session.known());
  if ((who.get(nameOf(one)) === who.get(nameOf(other))) !== (does === 'join')) throw new Error(`${does} did not`);
  return true;
}

async function move(session: Session, { study, to, by }: Move): Promise<boolean> {
  const { model, world, studyUid } = session;
  await world.rest();
  const known = await session.known();
  const standing = model.studies.get(String(study));
  const target = known.get(nameOf(to));
  if (standing === undefined || target === undefined) return false;
  const who = partitionOf(known);
  if (who.get(standing.owner) === target.person) return false;
  const sources = new Set(
    standing.instances
      .filter(({ identity }) => who.get(identity) === who.get(standing.owner))
      .map((one) => one.establishment),
  );
  const id = await imagingStudyOf(session, studyUid(study));
  const visit = by === 'desk' ? await visitOf(session, DESK) : world.establishment(ESTABLISHMENTS[by].organization);
  world.tick();
  const moved = world.flows.moveStudy(visit, id, target.patient);
  const may = by === 'desk' || ([...sources].every((one) => one === by) && to.at === by);
  if (!may) {
    await refused(moved, 'a move by another');
    return false;
  }
  await moved;
  model.move(String(study), nameOf(to), who);
  await world.rest();
  return true;
}

async function imagingStudyOf({ world }: Session, uid: string): Promise<string> {
  const key = claimKey.imagingStudy(uid);
  const reading = systemReading('resolve-identity', world.now());
  return (await world.stores.records.claimed(reading({ item: key }), key)) ?? '';
}

async function declare(session: Session, of: Whose): Promise<void> {
  const { model, world } = session;
  const patient = (await session.known()).get(nameOf(of));
  if (patient === undefined || model.declared.has(nameOf(of))) return;
  const resource = {
    ...demoConsent(patient.patient),
    organization: [{ reference: ESTABLISHMENTS[of.at].organization }],
  };
  await world.write(await visitOf(session, patient.patient), { interaction: 'create', type: 'Consent', resource });
  model.declared.add(nameOf(of));
}

/** The desk releases, the sender discards, what is kept aside of one identity. */
async function clear(session: Session, does: 'release' | 'discard', study: number): Promise<void> {
  const { model, world, studyUid } = session;
  await world.rest();
  const known = await session.known();
  const who = partitionOf(known);
  const standing = model.studies.get(String(study));
  const aside = standing?.instances.find(({ identity }) => who.get(identity) !== who.get(standing.owner));
  if (aside === undefined) return;
  const patient = known.get(aside.identity);
  const desk = await visitOf(session, DESK);
  const tasks = await world.find<Task>(desk, 'Task', `patient=${patient?.patient ?? ''}&_count=500`);
  const { organization } = ESTABLISHMENTS[whoseOf(aside.identity).at];
  const task = tasks.find(
    ({ focus, requester, status, for: whose }) =>
      focus?.identifier?.value === oidUri(studyUid(study)) &&
      requester?.reference === organization &&
      status === 'requested' &&
      whose !== undefined,
  );
  if (task === undefined) throw new Error(`Nothing is listed of ${aside.identity} in study ${study}`);
  world.tick();
  await refused(world.flows.clearAside(await visitOf(session, STRANGER), task.id ?? '', { operation: does }), does);
  await world.flows.clearAside(does === 'release' ? desk : world.establishment(organization), task.id ?? '', {
    operation: does,
  });
  model[does](String(study), aside.identity);
}

/** An establishment feeds under another's number, by its own condition and by the other's. */
async function usurp(session: Session, run: string, { by, of }: Extract<Step, { does: 'usurp' }>): Promise<void> {
  const { world, localId } = session;
  if (by === of.at) return;
  const said = { does: 'feed', of, traits: 1, national: 1, status: 'QUAL', into: null } as const;
  const write = world.write(world.establishment(ESTABLISHMENTS[by].organization), {
    interaction: 'update',
    type: 'Patient',
    condition: `identifier=${domainOf(of.at)}|${localId(of)}`,
    resource: patientIn(session, run, said),
  });
  await refused(write, 'a feed under the number of another establishment');
}

/** Errs and undoes it, where what was done can be undone by whoever did it. */
async function err(session: Session, run: string, mistake: Feed | Judge | Move, undone: Undone): Promise<void> {
  const { does } = mistake;
  const pair = await pairOf(session, run, mistake);
  if (pair !== undefined) await undone(session, { does, ...pair });
}

async function pairOf(
  session: Session,
  run: string,
  mistake: Feed | Judge | Move,
): Promise<Omit<Mistake, 'does'> | undefined> {
  if (mistake.does === 'feed') {
    const back = session.feeds.get(nameOf(mistake.of));
    if (back === undefined) return undefined;
    const undo = async (): Promise<void> => void (await feed(session, run, back));
    return { mistake: async () => await feed(session, run, mistake), undo };
  }
  if (mistake.does === 'move') {
    const { owner, instances = [] } = session.model.studies.get(String(mistake.study)) ?? {};
    const who = partitionOf(await session.known());
    const person = who.get(nameOf(mistake.to));
    // What was kept aside of hers is of the exam then, and moves with it.
    if (owner === undefined || instances.some(({ identity }) => who.get(identity) === person)) return undefined;
    const back: Move = { ...mistake, by: 'desk', to: whoseOf(owner) };
    return { mistake: async () => await move(session, mistake), undo: async () => void (await move(session, back)) };
  }
  const who = partitionOf(await session.known());
  if ((who.get(nameOf(mistake.one)) === who.get(nameOf(mistake.other))) === (mistake.does === 'join')) return undefined;
  const back: Judge = { ...mistake, does: mistake.does === 'join' ? 'separate' : 'join' };
  return { mistake: async () => await judge(session, mistake), undo: async () => void (await judge(session, back)) };
}
