/** What establishments and patients send: feeds, images, reports, declarations. */
import type { DiagnosticReport, Patient } from '@medplum/fhirtypes';
import { demoConsent } from '../../../../fixtures/consent.ts';
import { uidOf } from '../../../../fixtures/dicom/uid.ts';
import { ESTABLISHMENTS } from '../../../../fixtures/people.ts';
import { DICOM_UID, IDENTIFIER_SYSTEM, oidUri } from '../../../../profiles/codes.ts';
import { domainOf, patientOf } from '../../../flows/identity/people.ts';
import { element, hostileDataSet } from '../../../hostile/dicom/raw-data-set.ts';
import type { Said } from './model.ts';
import type { Feed, Image, Step, Whose } from './sequences.ts';
import { nameOf, refused, visitOf, whoseOf, type Session } from './session.ts';

const CT = `${DICOM_UID.storageClassPrefix}2`;

/** Sends an instance. */
export async function image(session: Session, { of, study, instance, as = of.at }: Image): Promise<void> {
  const uid = uidOf(`${session.run}/${nameOf({ ...of, at: as })}/${study}/${instance}`);
  await session.world.send(imageOf(session, of, session.studyUid(study), uid));
  session.model.image(String(study), { uid, establishment: of.at, identity: nameOf(of) });
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

function patientIn({ localId, run }: Session, { of, traits, national, status }: Feed): Patient {
  const family = traits === 1 ? 'Vantréjols' : 'Ormélac';
  const birthDate = traits === 2 ? '1997-05-14' : '1979-05-14';
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

/** Whether an identity that another is to be merged into was merged into that one. */
function leadsBack({ model }: Session, name: string, into: string | undefined): boolean {
  for (let at = into; at !== undefined; at = model.identities.get(at)?.said?.replacedBy) if (at === name) return true;
  return false;
}

/** Feeds an identity (ITI-104); a merge into nobody is not sent. Resolves with whether it was taken. */
export async function feed(session: Session, step: Feed): Promise<boolean> {
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
  const resource = { ...patientIn(session, step), ...(into === undefined ? {} : link) };
  const write = world.write(world.establishment(ESTABLISHMENTS[step.of.at].organization), {
    interaction: 'update',
    type: 'Patient',
    condition: `identifier=${domainOf(step.of.at)}|${localId(step.of)}`,
    resource,
  });
  if (leadsBack(session, nameOf(step.of), said.replacedBy)) {
    await refused(write, 'a merge that leads back');
    return false;
  }
  await write;
  model.feed(nameOf(step.of), step.of.at, said);
  session.feeds.set(nameOf(step.of), step);
  return true;
}

/** Sends a report, or its next version. */
export async function report(
  session: Session,
  { of, study, isFinal }: Extract<Step, { does: 'report' }>,
): Promise<void> {
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

/** The patient declares a correspondent. */
export async function declare(session: Session, of: Whose): Promise<void> {
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

/** An establishment feeds under another's number, by its own condition and by the other's. */
export async function usurp(session: Session, { by, of }: Extract<Step, { does: 'usurp' }>): Promise<void> {
  const { world, localId } = session;
  if (by === of.at) return;
  const said = { does: 'feed', of, traits: 1, national: 1, status: 'QUAL', into: null } as const;
  const write = world.write(world.establishment(ESTABLISHMENTS[by].organization), {
    interaction: 'update',
    type: 'Patient',
    condition: `identifier=${domainOf(of.at)}|${localId(of)}`,
    resource: patientIn(session, said),
  });
  await refused(write, 'a feed under the number of another establishment');
}
