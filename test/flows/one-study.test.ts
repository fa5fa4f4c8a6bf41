/**
 * One study through every door: a CT that DCMTK sends and its report, found and opened by six persons before and after
 * an emergency, a withdrawal, and a consent that is given again. Rows C01, C02, C05, C06, D14, D15 of
 * smart-security.md.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AuditEvent } from '@medplum/fhirtypes';
import { expect } from 'chai';
import { hasProgram } from '../profiles/dicom/samples.ts';
import { startHapiValidator, whyNoHapi } from '../support/peers/hapi-validator.ts';
import { startMongoPeer, whyNoMongoPeer } from '../support/peers/mongodb-peer.ts';
import { eventsForPatient, expectHidden, expectShown } from './support/cell.ts';
import { DOORS } from './support/doors/doors.ts';
import { canAsk, PERSON_KEYS, type PersonKey } from './support/people.ts';
import { documentsOf, envelopeOf, post, responseOf, select } from './support/soap.ts';
import { find } from './support/fhir.ts';
import { Table } from './support/table.ts';
import {
  breakGlass,
  callOf,
  cancelErasure,
  openWorld,
  reconsent,
  renewTokens,
  requestErasure,
  withdraw,
  type World,
} from './support/world.ts';
import { findDocuments, XDS_DOORS } from './support/doors/xds-doors.ts';
import { securityHeader } from './support/xua.ts';
import { TESTDATA } from '../support/testdata.ts';

const SCHEMA = join(TESTDATA, 'xsd', 'all.xsd');

/** A state: how it begins, the subtypes of the events that tell of it, and who sees the exam in it. */
type State = {
  readonly name: string;
  readonly begin?: (world: World) => Promise<string>;
  readonly subtypes?: readonly string[];
  readonly sees: readonly PersonKey[];
};

const STATES: readonly State[] = [
  { name: 'before break-glass', sees: ['author', 'declared', 'radiologist', 'patient'] },
  {
    name: 'before a withdrawal',
    begin: breakGlass,
    subtypes: ['110127'],
    sees: ['author', 'declared', 'radiologist', 'patient', 'emergency'],
  },
  { name: 'after the withdrawal', begin: withdraw, subtypes: ['110138', 'AuthZ-Consent'], sees: ['patient'] },
  {
    name: 'after consent is given again',
    begin: reconsent,
    subtypes: ['AuthZ-Consent'],
    sees: ['author', 'declared', 'radiologist', 'patient'],
  },
  { name: 'N01 after erasure was asked for', begin: requestErasure, subtypes: ['operation'], sees: [] },
  {
    name: 'N03 after that was cancelled',
    begin: cancelErasure,
    subtypes: ['operation'],
    sees: ['author', 'declared', 'radiologist', 'patient'],
  },
];

/** A store to run on; `open` gives what PASSERELLE_STORE says and how it is removed. */
type Store = {
  readonly name: string;
  readonly slices: number;
  readonly missing: () => string | undefined;
  readonly open: () => Promise<{ store: string; remove: () => Promise<void> }>;
};

const STORES: readonly Store[] = [
  {
    name: 'SQLite',
    slices: 60,
    missing: () => undefined,
    open: async () => ({ store: 'sqlite', remove: async () => {} }),
  },
  { name: 'MongoDB', slices: 4, missing: whyNoMongoPeer, open: openMongo },
];

async function openMongo(): Promise<{ store: string; remove: () => Promise<void> }> {
  const peer = await startMongoPeer();
  if (peer === undefined) throw new Error('There is no MongoDB peer');
  const store = peer.freshUri();
  return { store, remove: async () => await peer.stop(store) };
}

for (const store of STORES) {
  describe(`One study through every door, on ${store.name}`, function () {
    this.timeout(180_000);
    const table = new Table();
    let world: World;
    let remove = async (): Promise<void> => {};

    before(async function () {
      if (!hasProgram('storescu')) this.skip();
      if (store.missing() !== undefined) this.skip();
      const opened = await store.open();
      remove = opened.remove;
      world = await openWorld({ store: opened.store, slices: store.slices });
    });

    after(async () => {
      await world?.close();
      await remove();
      const states = STATES.map(({ name }) => name);
      if (world !== undefined)
        process.stdout.write(
          table.format(
            `Exam on ${store.name}`,
            states,
            PERSON_KEYS,
            DOORS.map(({ name }) => name),
          ),
        );
    });

    for (const state of STATES) {
      describe(state.name, () => {
        let requestId = '';

        before(async () => {
          requestId = (await state.begin?.(world)) ?? '';
        });

        if (state.subtypes !== undefined) {
          it('tells the patient what happened', async () => {
            const events = await eventsForPatient(world, requestId);
            const told = events.map(({ outcome, subtype }) => [outcome, subtype?.[0]?.code]);
            expect(told).to.have.deep.members((state.subtypes ?? []).map((subtype) => ['0', subtype]));
          });
        }

        for (const person of PERSON_KEYS) {
          const isSeen = state.sees.includes(person);
          it(isSeen ? `shows the exam to: ${person}` : `shows nothing to: ${person}`, async () => {
            const failures: string[] = [];
            for (const door of DOORS) {
              if (!canAsk(person, door)) {
                table.note(state.name, person, door.name, '·');
                continue;
              }
              const failure = await failureOf(
                isSeen ? expectShown(world, door, person) : expectHidden(world, door, person),
              );
              table.note(state.name, person, door.name, failure !== undefined ? '✗' : isSeen ? '✓' : '–');
              if (failure !== undefined) failures.push(`${door.name}: ${failure}`);
            }
            expect(failures.join('\n')).to.equal('');
          });
        }
      });
    }

    describe('with a SAML assertion instead of a token (ITI-40)', () => {
      const ask = async (rpps: string, edit?: (assertion: string) => string) => {
        const call = { ...callOf(world, 'declared'), token: '' };
        const reply = await post(call, {
          ...findDocuments(world.ids),
          header: securityHeader(world.issuer, world.server.url, rpps, edit === undefined ? {} : { edit }),
        });
        world.envelopes.push(envelopeOf(reply) ?? '');
        return { reply, requestId: call.requestId };
      };
      const DECLARED = '899700990031';
      const STRANGER = '899700990049';

      it('finds the documents for the declared correspondent', async () => {
        const { reply, requestId } = await ask(DECLARED);
        expect(responseOf(reply)).to.deep.equal({ http: 200, status: 'Success', errors: [] });
        expect(select(reply, '//rim:ExtrinsicObject')).to.have.length(2);
        const [event] = await eventsForPatient(world, requestId);
        const agents = event?.agent.map(({ who }) => who?.reference ?? who?.identifier?.value);
        expect(agents).to.include.members(['Practitioner/demo-declared', world.issuer.name]);
      });

      it('finds nothing for a stranger', async () => {
        const { reply } = await ask(STRANGER);
        expect(responseOf(reply)).to.deep.equal({ http: 200, status: 'Success', errors: [] });
        expect(select(reply, '//rim:ExtrinsicObject')).to.deep.equal([]);
      });

      it('answers a SOAP fault to a stranger who made himself the correspondent', async () => {
        const { reply } = await ask(STRANGER, (assertion) => assertion.replaceAll(STRANGER, DECLARED));
        expect(reply.status).to.equal(400);
        expect(select(reply, '//env:Subcode/env:Value')).to.deep.equal(['wsse:FailedAuthentication']);
        const refusals = await world.trail.eventsOf(reply.headers.get('X-Request-Id') ?? '');
        expect(
          refusals.map(({ event, persons }) => [event.outcome, event.agent.some(({ who }) => who?.reference), persons]),
        ).to.deep.equal([['4', false, []]]);
      });
    });

    describe('of all that was answered', () => {
      before(async () => await renewTokens(world));

      it('the manifest is one that DCMTK reads, and lists every instance', async function () {
        if (!hasProgram('dcmdump')) this.skip();
        const door = XDS_DOORS.find(({ name }) => name.startsWith('ITI-43 manifest'));
        const reply = await door?.ask(callOf(world, 'author'));
        const path = join(world.folder, 'manifest.dcm');
        writeFileSync(path, (reply && documentsOf(reply).get(world.ids.manifest.uniqueId)) ?? '');
        const dumped = execFileSync(
          'dcmdump',
          ['-q', '+L', '+P', '0008,0016', '+P', '0008,1155', '+P', '0008,0018', path],
          { encoding: 'utf8' },
        );
        expect(dumped).to.match(/\(0008,0016\) UI =KeyObjectSelectionDocumentStorage/);
        expect(dumped).to.include(`(0008,0018) UI [${world.ids.manifest.uniqueId}]`);
        const listed = [...dumped.matchAll(/\(0008,1155\) UI \[([\d.]+)\]/g)].map(([, uid]) => uid);
        expect([...new Set(listed)]).to.have.members([...world.ids.sopInstanceUIDs]);
      });

      it('every AuditEvent is valid by the HAPI validator, and so is what the patient reads of it', async function () {
        if (whyNoHapi() !== undefined) this.skip();
        const hapi = startHapiValidator();
        try {
          const events = (await world.trail.eventsNaming('')).map(({ event }) => event);
          expect(events).to.not.be.empty;
          const patient = { url: world.server.url, token: world.tokens.get('patient') ?? '' };
          const read = await Promise.all(['Consent', 'Communication', 'Task'].map((type) => find(patient, type)));
          const wrong = new Set<string>();
          for (const resource of [...distinct(events), ...read.flat()])
            for (const error of await hapi.errorsOf(resource)) wrong.add(error);
          expect([...wrong]).to.deep.equal([]);
        } finally {
          await hapi.stop();
        }
      });

      it('every SOAP envelope is valid by the XML Schemas', function () {
        if (!hasProgram('xmllint')) this.skip();
        if (!existsSync(SCHEMA)) this.skip();
        const folder = join(world.folder, 'soap');
        mkdirSync(folder);
        const files = world.envelopes.map((envelope, at) => {
          const file = join(folder, `${at}.xml`);
          writeFileSync(file, envelope.replaceAll(/<xop:Include [^>]*\/>/g, ''));
          return file;
        });
        expect(files.length).to.be.greaterThan(STATES.length * PERSON_KEYS.length * XDS_DOORS.length);
        execFileSync('xmllint', ['--nonet', '--noout', '--schema', SCHEMA, ...files], {
          stdio: ['ignore', 'ignore', 'pipe'],
          maxBuffer: 64 * 1024 * 1024,
        });
      });
    });
  });
}

/** One event of each shape: what they claim, what they are, and of which parts. */
function distinct(events: readonly AuditEvent[]): readonly AuditEvent[] {
  const shapeOf = ({ meta, subtype, outcome, agent, entity }: AuditEvent): string =>
    JSON.stringify([meta?.profile, subtype, outcome, agent.map(({ type }) => type), entity?.map(({ type }) => type)]);
  return [...new Map(events.map((event) => [shapeOf(event), event])).values()];
}

async function failureOf(check: Promise<void>): Promise<string | undefined> {
  try {
    await check;
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
