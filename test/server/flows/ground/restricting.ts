/** A patient whom two establishments know, her exams, and the restrictions that an officer grants of them. */
import type { ImagingStudy } from '@medplum/fhirtypes';
import { expect } from 'chai';
import { oralInformation } from '../../../../fixtures/information.ts';
import { ESTABLISHMENTS } from '../../../../fixtures/people.ts';
import { IDENTIFIER_SYSTEM } from '../../../../profiles/codes.ts';
import { isInState } from '../../../../profiles/said-label.ts';
import { findAll } from '../../../../server/flows/internal-reads.ts';
import type { Region } from '../../../../server/config/region-model.ts';
import type { RequestVerdict } from '../../../../profiles/consent/data-subject-request.ts';
import type { StoredType } from '../../../../profiles/types/visibility.ts';
import { EACH_STORE } from '../../../support/peers/each-store.ts';
import { SYSTEM } from '../../../support/plans.ts';
import type { Whose } from '../identity/sequences.ts';
import { openSession, visitOf, type Session } from '../identity/session.ts';
import { doStep } from '../identity/steps.ts';
import { openWorld, type World } from '../identity/world.ts';

/** Her identities. */
export const ONE = { at: 'strasbourg', number: 0 } as const;
export const OTHER = { at: 'nancy', number: 0 } as const;

/** Strasbourg informs its patients, Nancy does not. */
export function strasbourgInforms(region: Region): Region {
  const identifierDomains = region.identifierDomains.map((domain) => ({
    ...domain,
    informsPatients: domain.organization === ESTABLISHMENTS.nancy.organization ? (false as const) : '2000-01-01',
  }));
  return { ...region, identifierDomains };
}

/** What tests do and ask. */
export type Restricting = {
  readonly world: World;
  readonly session: Session;
  /** Feeds an identity, under no number of anybody else. */
  readonly fed: (whose: Whose) => Promise<void>;
  readonly sent: (whose: Whose, study: number, instance?: number) => Promise<void>;
  readonly judged: (does: 'join' | 'separate') => Promise<void>;
  /** `Patient/id` of an identity. */
  readonly patientOf: (whose: Whose) => Promise<string>;
  /** The establishment of an identity records that it informed her. */
  readonly informed: (whose: Whose) => Promise<void>;
  /** She asks for a restriction, of an establishment (`Organization/id`) or of all; resolves with the Task's id. */
  readonly asked: (whose: Whose, organization?: string) => Promise<string>;
  readonly decided: (task: string, verdict: RequestVerdict) => Promise<void>;
  /** How many of hers of each type the correspondent sees that she declares. */
  readonly declaredSees: (...types: readonly StoredType[]) => Promise<readonly number[]>;
  /** Whether an exam is in a state. */
  readonly isIn: (study: number, state: 'restricted' | 'unshared') => Promise<boolean>;
};

/** Describes it for SQLite and for MongoDB. */
export function onEachRestricting(
  title: string,
  define: (restricting: () => Restricting) => void,
  changed: (region: Region) => Region = (region) => region,
): void {
  for (const { name, missing, open } of EACH_STORE)
    describe(`${title}, on ${name}`, function () {
      this.timeout(60_000);
      let restricting: Restricting | undefined;
      let close = async (): Promise<void> => undefined;
      before(async function () {
        if (missing() !== undefined) this.skip();
        const opened = await open();
        const world = await openWorld(opened.store, undefined, changed);
        close = async () => {
          await world.close();
          await opened.close();
        };
        restricting = restrictingIn(world);
      });
      // Nobody is the same person as in another test.
      beforeEach(() => void (restricting = restricting && restrictingIn(restricting.world)));
      after(async () => await close());
      define(() => restricting ?? expect.fail('The world is not open yet'));
    });
}

function restrictingIn(world: World): Restricting {
  const session = openSession(world);
  const none = async (): Promise<void> => undefined;
  const patientOf = async ({ at, number }: Whose): Promise<string> =>
    (await session.known()).get(`${at}/${number}`)?.patient ?? expect.fail('Nobody knows her');
  return {
    world,
    session,
    patientOf,
    fed: async (whose) => {
      await doStep(session, { does: 'feed', of: whose, traits: 0, national: null, status: 'VALI', into: null }, none);
    },
    sent: async (whose, study, instance = 0) =>
      await doStep(session, { does: 'image', of: whose, study, instance }, none),
    judged: async (does) => await doStep(session, { does, one: ONE, other: OTHER, by: 'desk' }, none),
    informed: async (whose) => {
      const { organization } = ESTABLISHMENTS[whose.at];
      const said = oralInformation(await patientOf(whose));
      const resource = { ...said, organization: [{ reference: organization }] };
      await world.write(world.establishment(organization), { interaction: 'create', type: 'Consent', resource });
    },
    asked: async (whose, organization) => {
      const visit = await visitOf(session, await patientOf(whose));
      const task = await world.flows.askAboutData(visit, { right: 'restriction', organization });
      return task.replace('Task/', '');
    },
    decided: async (task, verdict) => {
      // Stores have the clock of the machine: what was filed until then was filed before.
      world.tick(Math.max(1, Date.now() + 1_000 - world.now()));
      const officer = await visitOf(session, 'Practitioner/demo-region-dpo');
      await world.flows.decideReview(officer, task, { verdict, comment: 'Exactitude contestée' });
    },
    declaredSees: async (...types) => {
      const declared = await visitOf(session, 'Practitioner/demo-declared');
      const counts: number[] = [];
      for (const type of types) {
        const found = await world.find(declared, type, `patient=${await patientOf(ONE)}`);
        counts.push(found.length);
      }
      return counts;
    },
    isIn: async (study, state) => {
      const value = `urn:oid:${session.studyUid(study)}`;
      const named = {
        kind: 'token',
        param: 'identifier',
        values: [{ system: IDENTIFIER_SYSTEM.dicomUid, code: value }],
      } as const;
      const [exam] = await findAll<ImagingStudy>(world.stores.records, SYSTEM, 'ImagingStudy', [named]);
      return isInState(exam?.resource ?? expect.fail('There is no such exam'), state);
    },
  };
}
