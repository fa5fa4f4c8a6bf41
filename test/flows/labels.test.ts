/**
 * Labels of a report and of its images through every door, on both stores: the French masks that its source said, and
 * what the patient says of each by itself (access.md 8, R-72; smart-security.md C04, C16, C19).
 */
import { expect } from 'chai';
import type { AuditEvent, Bundle, Coding, DiagnosticReport, ImagingStudy, Parameters } from '@medplum/fhirtypes';
import { eventually } from '../support/clients/fhir-caller.ts';
import { expectHidden, expectShown } from './support/cell.ts';
import { DOORS } from './support/doors/doors.ts';
import { onEachWorld } from './support/each-store.ts';
import { find } from './support/fhir.ts';
import { canAsk, type PersonKey } from './support/people.ts';
import { breakGlass, callOf, type World } from './support/world.ts';

const CONFIDENTIALITY = 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality';
const FRENCH = 'urn:oid:1.2.250.1.213.1.1.4.13';
const level = (code: string): Coding => ({ system: CONFIDENTIALITY, code });
const mask = (code: string): Coding => ({ system: FRENCH, code });

const ALL = ['author', 'declared', 'radiologist', 'patient', 'emergency'] as const satisfies readonly PersonKey[];

/** Who sees the report, and who sees the images, after what somebody said. */
type State = {
  readonly name: string;
  readonly say: (world: World) => Promise<void>;
  readonly report: readonly PersonKey[];
  readonly images: readonly PersonKey[];
};

/** Doors that tell of the report and of the images at once. */
const OF_BOTH = [
  'FHIR DocumentReference search',
  'ITI-67 by patient',
  'ITI-18 FindDocuments',
  'ITI-18 FindDocumentsByReferenceId',
  'ITI-18 GetDocuments',
];

/** Doors that show the images with the report beside them. */
const OF_IMAGES_AND_REPORT = ['Viewer (RAD-106)', 'Lasting link'];

/** The radiologist of this exam signed its report. */
const STATES: readonly State[] = [
  {
    name: 'a report that its source masks from professionals, with its images',
    say: async (world) => await sourceSays(world, mask('MASQUE_PS')),
    report: ['author', 'radiologist', 'patient'],
    images: ['author', 'patient'],
  },
  {
    name: 'a report that is to be announced, with its images',
    say: async (world) => {
      await sourceSays(world, mask('INVISIBLE_PATIENT'));
      await imagesBear(world, ['N', 'INVISIBLE_PATIENT']);
    },
    report: ['author', 'declared', 'radiologist', 'emergency'],
    images: ['author', 'declared', 'radiologist', 'emergency'],
  },
  {
    name: 'a report that who signed it has announced',
    say: async (world) => {
      await says(world, 'radiologist', report(world), level('N'));
      await imagesBear(world, ['N']);
    },
    report: ALL,
    images: ALL,
  },
  {
    name: 'images that the patient makes confidential, not the report',
    say: async (world) => await says(world, 'patient', images(world), level('R')),
    report: ALL,
    images: ['author', 'patient'],
  },
  {
    name: 'a report that she makes private, with a new version of it, and images that she shows again',
    say: async (world) => {
      await says(world, 'patient', report(world), level('V'));
      await sourceSays(world, level('N'));
      await says(world, 'patient', images(world));
      await imagesBear(world, ['N']);
    },
    report: ['author', 'radiologist', 'patient'],
    images: ALL,
  },
  {
    name: 'a report that she masks, whose source masks its images, too',
    say: async (world) => {
      await says(world, 'patient', report(world), mask('MASQUE_PS'));
      await sourceSays(world, mask('INVISIBLE_REPRESENTANTS_LEGAUX'));
    },
    report: ['author', 'radiologist', 'patient'],
    images: ALL,
  },
  {
    name: 'what nobody says any more',
    say: async (world) => {
      await says(world, 'patient', report(world));
      await sourceSays(world);
      await imagesBear(world, ['N']);
    },
    report: ALL,
    images: ALL,
  },
];

const report = ({ ids }: World): string => `DiagnosticReport/${ids.diagnosticReport}`;
const images = ({ ids }: World): string => `ImagingStudy/${ids.imagingStudy}`;

/** The source sends the report again, as it read it, under these codings. */
async function sourceSays(world: World, ...security: readonly Coding[]): Promise<void> {
  const standing = await read<DiagnosticReport>(world, 'author', report(world));
  // Whatever else it read of the label is not its own to say.
  const others = (standing.meta?.security ?? []).filter(({ extension }) => extension !== undefined);
  const said = [...security, ...others];
  const { meta: _meta, ...rest } = standing;
  const body = said.length === 0 ? rest : { ...rest, meta: { security: said } };
  const reply = await ask(world, 'author', 'PUT', report(world), body);
  expect(reply.status, await reply.text()).to.equal(200);
}

async function says(world: World, who: PersonKey, item: string, ...codings: readonly Coding[]): Promise<void> {
  const reply = await label(world, who, item, ...codings);
  expect(reply.status, await reply.text()).to.equal(200);
}

async function label(world: World, who: PersonKey, item: string, ...codings: readonly Coding[]): Promise<Response> {
  const parameter = codings.map((valueCoding) => ({ name: 'confidentiality', valueCoding }));
  const body: Parameters = { resourceType: 'Parameters', ...(parameter.length === 0 ? {} : { parameter }) };
  return await ask(world, who, 'POST', `${item}/$set-confidentiality`, body);
}

async function ask(world: World, who: PersonKey, method: string, path: string, body?: object): Promise<Response> {
  const { url, token, requestId } = callOf(world, who);
  return await fetch(`${url}/fhir/${path}`, {
    method,
    headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/fhir+json', 'X-Request-Id': requestId },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

async function read<T>(world: World, who: PersonKey, path: string): Promise<T> {
  const reply = await ask(world, who, 'GET', path);
  expect(reply.status, path).to.equal(200);
  return (await reply.json()) as T;
}

/** Waits for what a source takes back of a report to be taken back of its images. */
async function imagesBear(world: World, codes: readonly string[]): Promise<void> {
  await eventually(async () => {
    const { meta } = await read<ImagingStudy>(world, 'author', images(world));
    return (meta?.security ?? []).map(({ code }) => code).join() === codes.join() ? true : undefined;
  });
}

onEachWorld('Labels of a report and of its images', (world, store) => {
  // The doors are the same on each store: what differs is how access rows follow a label.
  const persons: readonly PersonKey[] = store === 'SQLite' ? [...ALL, 'stranger'] : ['declared', 'patient'];
  before(async () => await breakGlass(world()));

  for (const state of STATES) {
    it(`are asked at every door: ${state.name}`, async () => {
      await state.say(world());
      const failures: string[] = [];
      for (const person of persons) {
        const seesOne = state.report.includes(person) !== state.images.includes(person);
        for (const door of DOORS.filter((one) => canAsk(person, one))) {
          if (seesOne && OF_BOTH.includes(door.name)) continue;
          if (seesOne && !state.report.includes(person) && OF_IMAGES_AND_REPORT.includes(door.name)) continue;
          const isShown = (door.isOfReport === true ? state.report : state.images).includes(person);
          const answer = isShown
            ? expectShown(world(), door, person, state.images.includes('patient'))
            : expectHidden(world(), door, person);
          await answer.catch((error: Error) => failures.push(`${person} ${isShown} ${door.name}: ${error.message}`));
        }
      }
      expect(failures.join('\n')).to.equal('');
    });

    it(`count and link what each sees alone: ${state.name}`, async () => {
      for (const person of [...ALL, 'stranger'] as const) {
        const [seesReport, seesImages] = [state.report.includes(person), state.images.includes(person)];
        const { studyInstanceUID } = world().ids;
        const query = `related:identifier=urn:oid:${studyInstanceUID}&status=current&_summary=count`;
        const { total } = await read<Bundle>(world(), person, `DocumentReference?${query}`);
        expect(total, person).to.equal(Number(seesReport) + Number(seesImages));
        // Who signed the report knows of the exam.
        if (!seesReport || person === 'radiologist') continue;
        const { imagingStudy = [] } = await read<DiagnosticReport>(world(), person, report(world()));
        const isLinked = imagingStudy.some(({ reference }) => reference === images(world()));
        expect(isLinked && !seesImages, `${person} is told of the images by the report`).to.equal(false);
      }
    });
  }

  it('are said by the patient and by authors alone, who see the item', async () => {
    expect((await label(world(), 'declared', report(world()), level('V'))).status).to.equal(403);
    expect((await label(world(), 'emergency', images(world()), level('V'))).status).to.equal(403);
    const [hidden, unknown] = [images(world()), `ImagingStudy/${world().unknown.imagingStudy}`];
    const replies = [];
    for (const item of [hidden, unknown]) {
      const reply = await label(world(), 'stranger', item, level('V'));
      replies.push([reply.status, (await reply.text()).replaceAll(item, 'item')]);
    }
    expect(replies[0]).to.deep.equal(replies[1]);
    expect(replies[0]?.[0]).to.equal(404);
    expect((await read<ImagingStudy>(world(), 'declared', images(world()))).id).to.equal(world().ids.imagingStudy);
  });

  it('are refused where a code is none, is said twice, or hides an item from the patient who says it', async () => {
    const refused = [
      [level('X')],
      [level('N'), level('R')],
      [mask('MASQUE_PS'), mask('MASQUE_PS')],
      [mask('INVISIBLE_PATIENT')],
    ];
    for (const codings of refused)
      expect((await label(world(), 'patient', report(world()), ...codings)).status).to.equal(400);
    expect((await read<DiagnosticReport>(world(), 'declared', report(world()))).id).to.equal(
      world().ids.diagnosticReport,
    );
  });

  it('are told to her without what is to be announced to her', async () => {
    await says(world(), 'radiologist', report(world()), level('R'), mask('INVISIBLE_PATIENT'));
    const events = await find<AuditEvent>(callOf(world(), 'patient'), 'AuditEvent?_count=3');
    expect(JSON.stringify(events)).to.include('set-confidentiality').and.not.include('INVISIBLE_PATIENT');
    await says(world(), 'radiologist', report(world()), level('N'));
  });

  it('are told to the patient, with the item and what was said', async () => {
    await says(world(), 'radiologist', report(world()), level('R'), mask('MASQUE_PS'));
    const [latest] = await find<AuditEvent>(callOf(world(), 'patient'), 'AuditEvent?_count=1');
    const entity = latest?.entity?.find(({ what }) => what?.reference === report(world()));
    expect(entity?.detail?.map(({ valueString }) => valueString)).to.include('R MASQUE_PS');
    expect(latest?.agent.some(({ who }) => who?.reference === 'Practitioner/demo-radiologist')).to.equal(true);
  });
});
