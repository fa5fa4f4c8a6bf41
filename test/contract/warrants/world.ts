/** Small worlds in which somebody wants to write: who asks, what of, and what changes before it is written. */
import { randomUUID } from 'node:crypto';
import * as fc from 'fast-check';
import type { StoredType } from '../../../profiles/types/visibility.ts';
import { stateAllows } from '../../../server/access/decide.ts';
import type { SubjectFacts, Act, WriteFacts } from '../../../server/access/may-write.ts';
import type { PersonKey, Requester, StoredTokenKey } from '../../../server/access/requester.ts';
import { NO_ORIGIN } from '../../../server/access/rights-of.ts';
import type { CommitPlan, Put } from '../../../server/ports/commit-plan.ts';
import type { RecordStore } from '../../../server/ports/record-store.ts';
import type { TokenStore } from '../../../server/ports/token-store.ts';
import { anAudit, anIdentity, anInstance, aPersonKey, aPlan, aPut, aUid, NOW, SYSTEM } from '../../support/plans.ts';
import { commitPlan } from '../../support/warrants.ts';

const SOURCE = 'Organization/source';
const OTHER = 'Organization/other';

/** What may happen between the decision and the write. */
export const CHANGES = [
  'nothing',
  'opposed',
  'erasurePending',
  'withdrawn',
  'accountOff',
  'source ends',
  'declaration is unnamed',
  'joined',
  'separated',
  'token revoked',
  'professional ends',
] as const;
export type Change = (typeof CHANGES)[number];

/** What the plan does beside what was decided. */
export const EXCESSES = ['none', 'no event', 'another person', 'another type', 'a row taken over'] as const;
export type Excess = (typeof EXCESSES)[number];

const ACTS: readonly Act[] = [
  { interaction: 'create', type: 'DiagnosticReport' },
  { interaction: 'create', type: 'Consent' },
  { interaction: 'create', type: 'Patient' },
  { interaction: 'update', type: 'Patient' },
  { interaction: 'update', type: 'Consent' },
  { interaction: 'patch', type: 'Consent' },
  { interaction: 'delete', type: 'Consent' },
  { interaction: 'update', type: 'DiagnosticReport' },
  { interaction: 'patch', type: 'DiagnosticReport' },
  { interaction: 'create', type: 'Observation' },
  { interaction: 'update', type: 'Observation' },
  { interaction: 'patch', type: 'Observation' },
  { interaction: 'delete', type: 'Observation' },
  { interaction: 'create', type: 'ImagingStudy' },
  { interaction: 'create', type: 'Organization' },
  { interaction: 'create', type: 'Task' },
  { interaction: 'operation', operation: 'withdraw' },
  { interaction: 'operation', operation: 'reconsent' },
  { interaction: 'operation', operation: 'break-glass' },
  { interaction: 'receive-instance' },
];

const OWN_ACTS = ACTS.filter((act) => !('type' in act) || act.type === 'Consent');

/** Types of which a row stands that the source wrote, or is named by. */
const STANDING = ['Consent', 'DiagnosticReport', 'Observation'] as const;

const REQUESTERS = ['source', 'other', 'patient', 'neighbour', 'professional'] as const;

/** One case. */
export type Case = {
  readonly who: (typeof REQUESTERS)[number];
  readonly act: Act;
  readonly hasToken: boolean;
  readonly isFed: boolean;
  readonly isNamed: boolean;
  readonly isOwn: boolean;
  readonly isOwnRow: boolean;
  readonly isSeen: boolean;
  readonly before: Change;
  readonly between: Change;
  readonly excess: Excess;
};

/** One thing is tried at a time: what happens between, or what the plan does beside. */
const attempt: fc.Arbitrary<Pick<Case, 'between' | 'excess'>> = fc.oneof(
  fc.record({ between: fc.constantFrom(...CHANGES), excess: fc.constant('none' as const) }),
  fc.record({ between: fc.constant('nothing' as const), excess: fc.constantFrom(...EXCESSES) }),
);

/** Acts of those who do them, mostly, so that most cases come to a plan. */
const doing: fc.Arbitrary<Pick<Case, 'who' | 'act'>> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ who: fc.constant('source' as const), act: fc.constantFrom(...ACTS) }) },
  { weight: 2, arbitrary: fc.record({ who: fc.constant('patient' as const), act: fc.constantFrom(...OWN_ACTS) }) },
  {
    weight: 1,
    arbitrary: fc.constant({
      who: 'professional',
      act: { interaction: 'operation', operation: 'break-glass' },
    } as const),
  },
  { weight: 2, arbitrary: fc.record({ who: fc.constantFrom(...REQUESTERS), act: fc.constantFrom(...ACTS) }) },
);

const mostly = <T, U>(usual: T, other: fc.Arbitrary<U>): fc.Arbitrary<T | U> =>
  fc.oneof({ weight: 4, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: other });

export const aCase: fc.Arbitrary<Case> = fc
  .tuple(
    doing,
    attempt,
    fc.record({
      hasToken: fc.boolean(),
      isFed: mostly(true, fc.constant(false)),
      isNamed: mostly(true, fc.constant(false)),
      isOwn: fc.boolean(),
      isOwnRow: mostly(false, fc.constant(true)),
      isSeen: fc.boolean(),
      before: mostly('nothing' as const, fc.constantFrom(...CHANGES)),
    }),
  )
  .map(([acting, tried, world]) => ({ ...acting, ...tried, ...world }));

/** A person with a Patient and a row of some types, a neighbour, a professional and a token, all of this case alone. */
export class World {
  readonly person = aPersonKey();
  readonly neighbour = aPersonKey();
  readonly #id = randomUUID();
  readonly #case: Case;
  readonly #records: RecordStore;
  readonly #tokens: TokenStore;
  readonly #done = new Set<Change>();
  #isJoined = false;

  constructor(records: RecordStore, tokens: TokenStore, one: Case) {
    this.#records = records;
    this.#tokens = tokens;
    this.#case = one;
  }

  get patient(): string {
    return `Patient/${this.#id}`;
  }

  get requester(): Requester {
    const asked = {
      clientId: 'app',
      scopes: [],
      display: 'test',
      purpose: 'TREAT',
      ...(this.#case.hasToken ? { accessToken: this.#token } : {}),
    } as const;
    switch (this.#case.who) {
      case 'source':
        return { ...asked, kind: 'establishment', organization: SOURCE };
      case 'other':
        return { ...asked, kind: 'establishment', organization: OTHER };
      case 'patient':
        return { ...asked, kind: 'patient', patient: this.patient, person: this.person };
      case 'neighbour':
        return { ...asked, kind: 'patient', patient: this.#neighboursPatient, person: this.neighbour };
      case 'professional':
        return { ...asked, kind: 'practitioner', practitioner: `Practitioner/${this.#id}`, roles: [] };
    }
  }

  async begin(): Promise<void> {
    const { person, neighbour } = this;
    const id = this.#neighboursPatient.slice('Patient/'.length);
    const neighbours = { id, person: neighbour, subject: this.#neighboursPatient };
    const puts = [
      this.#ofSource('Patient', person, this.#case.isFed),
      this.#ofSource('Person', person, this.#case.isFed),
      aPut({ type: 'Patient', ...neighbours }),
      anIdentity(neighbour, neighbours),
      ...STANDING.map((type) => this.#ofSource(type, person, this.#case.isNamed)),
      this.#professional(true),
      ...this.#toBeTaken(),
    ];
    await commitPlan(this.#records, aPlan({ puts }));
    // By the clock of the store, which forgets what has expired.
    const expiresAt = Math.ceil(Date.now() / 1000) + 3_600;
    if (this.#case.hasToken)
      await this.#tokens.upsert(this.#token.model, this.#token.id, { payload: {}, expiresAt }, {});
  }

  /** Lets something happen; whether it happened before makes no difference. */
  async change(change: Change): Promise<void> {
    this.#done.add(change);
    switch (change) {
      case 'nothing':
        return;
      case 'source ends':
        return await this.#commit({ puts: [this.#ofSource('Person', await this.present(), false)] });
      case 'declaration is unnamed':
        return await this.#unname();
      case 'joined':
        return await this.#move(this.neighbour, this.#neighboursPatient);
      case 'separated':
        return await this.#move(this.person, this.patient);
      case 'token revoked':
        return await this.#tokens.destroy(this.#token.model, this.#token.id);
      case 'professional ends':
        return await this.#commit({ puts: [this.#professional(false)] });
      default:
        return await this.#commit({ states: [{ person: this.person, change: { [change]: true } }] });
    }
  }

  /** Whether the requester is nobody any more, by what happened. */
  get isOut(): boolean {
    const { who, hasToken } = this.#case;
    const isPatient = who === 'patient' || (who === 'neighbour' && this.#isJoined);
    return (
      (hasToken && this.#done.has('token revoked')) ||
      (who === 'professional' && this.#done.has('professional ends')) ||
      (isPatient && this.#done.has('accountOff'))
    );
  }

  /** What a flow reads for a decision. */
  async facts(): Promise<WriteFacts> {
    const person = await this.present();
    const [state, rights] = await Promise.all([
      this.#records.stateOf(SYSTEM, person),
      this.#records.rightsOf(SYSTEM, person),
    ]);
    const subject: SubjectFacts = { patient: this.patient, person, state, rights, isOwn: this.#case.isOwn };
    const { isOwnRow, isSeen } = this.#case;
    const seen = isSeen && stateAllows(this.#standingType === 'Consent' ? 'named' : 'author', state);
    const item = `${this.#standingType}/${this.#id}`;
    return { now: NOW, subject, standing: { item, person, rights, state, isOwn: isOwnRow, isSeen: seen } };
  }

  get #standingType(): StoredType {
    const { act } = this.#case;
    return 'type' in act ? act.type : 'Consent';
  }

  /** The plan of the act, and what it does beside. */
  async plan(act: Act): Promise<CommitPlan> {
    const person = await this.present();
    const { excess } = this.#case;
    const audit = excess === 'no event' ? [anAudit()] : [anAudit([person])];
    const parts = this.#parts(act, person);
    return aPlan({ ...parts, puts: [...(parts.puts ?? []), ...this.#beside(parts.puts, person)], audit });
  }

  /** A row of each type that an act writes, of a third person. */
  #toBeTaken(): Put[] {
    const types = ['Patient', 'Task', ...STANDING] as const;
    const person = aPersonKey();
    return types.map((type) => aPut({ type, id: `${this.#id}-taken`, person }));
  }

  #parts(act: Act, person: PersonKey): Omit<CommitPlan, 'id'> {
    switch (act.interaction) {
      case 'operation':
        if (act.operation === 'break-glass')
          return { puts: [this.#put('Task', person), this.#put('Communication', person)] };
        return {
          states: [{ person, change: { withdrawn: act.operation === 'withdraw' } }],
          puts: [this.#put('Consent', person)],
        };
      case 'receive-instance':
        return { instances: [anInstance({ person, subject: this.patient, studyInstanceUID: aUid() })] };
      case 'delete':
        return { deletes: [{ type: act.type, id: this.#id }] };
      case 'create':
        return { puts: [this.#put(act.type, person)] };
      default:
        return { puts: [this.#put(act.type, person, { id: this.#id })] };
    }
  }

  #beside(puts: readonly Put[] = [], person: PersonKey): Put[] {
    const type = puts[0]?.type ?? 'Consent';
    switch (this.#case.excess) {
      case 'another person':
        return [aPut({ type, person: aPersonKey() })];
      case 'another type':
        return [this.#put('Endpoint', person)];
      case 'a row taken over':
        return [this.#put(type, person, { id: `${this.#id}-taken` })];
      default:
        return [];
    }
  }

  /** Who the identity is at present. */
  async present(): Promise<PersonKey> {
    const row = await this.#records.peek(SYSTEM, { kind: 'resource', type: 'Patient', id: this.#id });
    return row?.person ?? this.person;
  }

  /** Nothing, where the identity is that person already. */
  async #move(to: PersonKey, patient: string): Promise<void> {
    const from = await this.present();
    this.#isJoined = to !== this.person;
    if (from === to) return;
    await this.#commit({ moves: [{ identity: this.patient, home: this.person, from, to, patient }] });
  }

  async #commit(parts: Omit<CommitPlan, 'id'>): Promise<void> {
    await commitPlan(this.#records, aPlan(parts));
  }

  async #unname(): Promise<void> {
    const person = await this.present();
    await this.#commit({ puts: STANDING.map((type) => this.#ofSource(type, person, false)) });
  }

  /** A row that the source filed, or nobody. */
  #ofSource(type: StoredType, person: PersonKey, isFiled: boolean): Put {
    return this.#put(type, person, {
      id: this.#id,
      origin: isFiled ? { sources: [SOURCE], services: [] } : NO_ORIGIN,
    });
  }

  /** A row that is filed under the identity. */
  #put(type: StoredType, person: PersonKey, parts: Partial<Put> = {}): Put {
    return aPut({ type, person, subject: this.patient, ...parts });
  }

  #professional(active: boolean): Put {
    const id = this.#id;
    const resource = { resourceType: 'Practitioner', id, active } as Put['resource'];
    return aPut({ type: 'Practitioner', id, resource });
  }

  get #token(): StoredTokenKey {
    return { model: 'AccessToken', id: this.#id };
  }

  get #neighboursPatient(): string {
    return `Patient/${this.#id}-neighbour`;
  }
}
