import { expect } from 'chai';
import { Fault } from '../../../profiles/fault.ts';
import { OPEN_STATE, type PatientState } from '../../../server/access/decide.ts';
import {
  mayTouch,
  mayWrite,
  standingOf,
  writesAbout,
  type Act,
  type RowAct,
  type StandingFacts,
  type SubjectFacts,
  type WriteFacts,
} from '../../../server/access/may-write.ts';
import type { Requester } from '../../../server/access/requester.ts';
import { principal, type Right } from '../../../server/access/right.ts';
import { termsOf } from '../../../server/access/warrant.ts';
import { aPersonKey, aRight, NOW } from '../../support/plans.ts';

const [PERSON, OTHER] = [aPersonKey(), aPersonKey()];
const asked = { clientId: 'client', scopes: [], display: 'Somebody' };
const SOURCE: Requester = { ...asked, kind: 'establishment', organization: 'Organization/a', purpose: 'TREAT' };
const PATIENT: Requester = { ...asked, kind: 'patient', patient: 'Patient/a', person: PERSON, purpose: 'PATRQT' };
const DOCTOR: Requester = {
  ...asked,
  kind: 'practitioner',
  practitioner: 'Practitioner/a',
  roles: [
    { reference: 'PractitionerRole/1', organization: 'Organization/b', within: [], radiologist: true, offices: [] },
  ],
  purpose: 'TREAT',
};

const ofSource = principal.establishment('Organization/a');
const held = (item: string, parts = {}) =>
  aRight({ person: PERSON, relation: 'author', principal: ofSource, scope: { item }, ...parts } as never);
const subject = (parts: Partial<SubjectFacts> = {}): SubjectFacts => ({
  patient: 'Patient/a',
  person: PERSON,
  state: OPEN_STATE,
  rights: [held('Person/a')],
  ...parts,
});
const standing = (item: string, parts: Partial<StandingFacts> = {}): StandingFacts => ({
  item,
  person: PERSON,
  state: OPEN_STATE,
  rights: [held(item)],
  isOwn: false,
  isSeen: true,
  ...parts,
});
const on = (...switches: readonly (keyof PatientState)[]): PatientState => ({
  ...OPEN_STATE,
  ...Object.fromEntries(switches.map((name) => [name, true])),
});

const outcome = <T>(work: () => T): T | string => {
  try {
    return work();
  } catch (error) {
    return error instanceof Fault ? error.kind : String(error);
  }
};
const decided = (requester: Requester, act: Act, facts: Partial<WriteFacts>) =>
  outcome(() => termsOf(mayWrite(requester, act, { now: NOW, ...facts })));

const ACCOUNT = { kind: 'account', reference: 'Organization/a' };
const IDENTITY_ROW = { kind: 'row', row: 'Person/a', person: PERSON };
const FED = { kind: 'right', person: PERSON, item: 'Person/a', principals: [ofSource], at: NOW };
const off = (...names: readonly (keyof PatientState)[]) => ({ kind: 'state', person: PERSON, off: names });
const EXAM = off('opposed', 'erasurePending');
const reach = (types: readonly string[], persons: readonly string[] = [PERSON], event = 'own') => ({
  types,
  whose: { persons },
  event,
});

/** A Patient is made of identities; of two that contradict a desk is told. */
const WITH_IDENTITY = ['Patient', 'Person', 'Task'];

const create = (type: RowAct['type']) => ({ interaction: 'create', type }) as const;
const update = (type: RowAct['type']) => ({ interaction: 'update', type }) as const;

describe('Who may write (access.md)', () => {
  it('a source writes of its Patient while the record is not being erased, an item while she is not opposed', () => {
    const exam = [ACCOUNT, IDENTITY_ROW, FED, off('opposed', 'erasurePending')];
    expect(decided(SOURCE, create('RelatedPerson'), { subject: subject() })).to.deep.equal({
      act: 'create RelatedPerson',
      reaches: [reach(['RelatedPerson'])],
      bases: [ACCOUNT, IDENTITY_ROW, FED, off('erasurePending')],
    });
    expect(decided(SOURCE, create('Observation'), { subject: subject() })).to.deep.include({
      reaches: [reach(['Observation'])],
      bases: exam,
    });
    expect(decided(SOURCE, create('DiagnosticReport'), { subject: subject() })).to.deep.equal({
      act: 'create DiagnosticReport',
      reaches: [reach(['DiagnosticReport', 'Binary', 'DocumentReference', 'ImagingStudy', 'Communication'])],
      bases: exam,
    });
    const refusals = ['RelatedPerson', 'Observation'].map((type) =>
      (['opposed', 'withdrawn', 'erasurePending', 'accountOff'] as const)
        .map((name) => decided(SOURCE, create(type as 'Observation'), { subject: subject({ state: on(name) }) }))
        .map((answer) => (typeof answer === 'string' ? answer : 'written')),
    );
    expect(refusals).to.deep.equal([
      ['written', 'written', 'forbidden', 'written'],
      ['business-rule', 'written', 'forbidden', 'written'],
    ]);
  });

  it('nobody writes about a Patient whom they do not feed, or about nobody', () => {
    for (const rights of [
      [],
      [held('Person/b')],
      [held('Patient/a')],
      [held('Person/a', { principal: principal.establishment('Organization/b') })],
      [held('Person/a', { relation: 'declared' })],
      [held('Person/a', { scope: 'record' })],
      [held('Person/a', { from: NOW + 1 })],
      [held('Person/a', { to: NOW })],
    ]) {
      expect(decided(SOURCE, create('Observation'), { subject: subject({ rights }) })).to.equal('invalid');
      expect(writesAbout(SOURCE, subject({ rights }), NOW)).to.equal(false);
    }
    for (const rights of [[held('Person/a', { from: NOW })], [held('Person/a', { relation: 'named' })]])
      expect(writesAbout(SOURCE, subject({ rights }), NOW)).to.equal(true);
    expect(decided(SOURCE, create('Observation'), {})).to.equal('invalid');
    expect(decided(SOURCE, create('Patient'), { subject: subject() })).to.equal('invalid');
    expect(decided(DOCTOR, create('Observation'), { subject: subject() })).to.equal('forbidden');
    expect(decided(SOURCE, create('Location'), { subject: subject() })).to.equal('forbidden');
    expect(decided(SOURCE, create('Task'), { subject: subject() })).to.equal('forbidden');
  });

  it('an identity of the own domain is written as such, new, joined or standing', () => {
    const own = subject({ isOwn: true, rights: [] });
    const fed = [ACCOUNT, IDENTITY_ROW, off('erasurePending')];
    expect(decided(SOURCE, create('Patient'), { subject: own })).to.deep.include({
      reaches: [reach(WITH_IDENTITY)],
      bases: fed,
    });
    expect(decided(SOURCE, create('Patient'), { subject: { ...own, isNew: true } })).to.deep.include({
      bases: [ACCOUNT, off('erasurePending')],
    });
    expect(decided(SOURCE, create('Patient'), { subject: { ...own, joined: [OTHER] } })).to.deep.include({
      reaches: [reach(WITH_IDENTITY, [PERSON, OTHER])],
      bases: [ACCOUNT, off('erasurePending')],
    });
    const row = standing('Person/a', { isOwn: true, rights: [] });
    expect(decided(SOURCE, update('Patient'), { subject: own, standing: row })).to.deep.include({
      bases: [ACCOUNT, IDENTITY_ROW, ...fed.slice(1)],
    });
  });

  it('a patient writes of herself alone, by person or by Patient, what is hers to write', () => {
    const account = { kind: 'account', reference: 'Person/a' };
    for (const [parts, is] of [
      [{}, true],
      [{ patient: 'Patient/b' }, true],
      [{ person: OTHER }, true],
      [{ patient: 'Patient/b', person: OTHER }, false],
    ] as const)
      expect(writesAbout(PATIENT, subject(parts), NOW)).to.equal(is);
    // With the Consents that name it.
    expect(decided(PATIENT, create('CareTeam'), { subject: subject() })).to.deep.include({
      reaches: [reach(['CareTeam', 'Consent'])],
      bases: [account, IDENTITY_ROW, off('opposed', 'erasurePending')],
    });
    expect(decided(PATIENT, create('Observation'), { subject: subject() })).to.equal('forbidden');
    expect(
      decided(PATIENT, create('CareTeam'), { subject: subject({ patient: 'Patient/b', person: OTHER }) }),
    ).to.equal('invalid');
  });

  it('the token that was shown is among what it rests on', () => {
    const accessToken = { model: 'AccessToken', id: 'a' };
    const terms = decided({ ...SOURCE, accessToken }, create('Observation'), { subject: subject() });
    expect(terms).to.have.nested.property('bases[0]').that.deep.equals({ kind: 'token', token: accessToken, at: NOW });
    expect(terms).to.have.nested.property('bases[1]').that.deep.equals(ACCOUNT);
    const doctor = { kind: 'account', reference: 'Practitioner/a' };
    expect(decided(DOCTOR, { interaction: 'operation', operation: 'break-glass' }, {})).to.deep.include({
      bases: [doctor],
    });
  });

  describe('a row that stands', () => {
    const item = 'Observation/a';
    const wrote = { kind: 'right', person: PERSON, item, principals: [ofSource], at: NOW };
    const facts = (parts: Partial<StandingFacts> = {}) => ({ subject: subject(), standing: standing(item, parts) });

    it('is changed and deleted by who wrote it', () => {
      expect(decided(SOURCE, update('Observation'), facts())).to.deep.equal({
        act: 'update Observation',
        reaches: [reach(['Observation'])],
        bases: [ACCOUNT, wrote, IDENTITY_ROW, FED, EXAM, EXAM],
      });
      expect(decided(SOURCE, { interaction: 'delete', type: 'Observation' }, facts())).to.deep.include({
        bases: [ACCOUNT, wrote],
      });
      expect(decided(SOURCE, { interaction: 'patch', type: 'Observation' }, facts())).to.deep.include({
        bases: [ACCOUNT, wrote, off('opposed', 'withdrawn', 'erasurePending'), IDENTITY_ROW, FED, EXAM, EXAM],
      });
    });

    it('rests on the row alone where the id, identity or identifier is the own one', () => {
      const own = { kind: 'row', row: item, person: PERSON };
      const row = standing(item, { isOwn: true, rights: [], isSeen: false });
      expect(decided(SOURCE, { interaction: 'delete', type: 'Observation' }, { standing: row })).to.deep.include({
        bases: [ACCOUNT, own],
      });
    });

    it('is no other’s, seen or hidden', () => {
      const act = update('Observation');
      const touched = (parts: Partial<StandingFacts>, requester: Requester = SOURCE) =>
        outcome(() => mayTouch(requester, act, { now: NOW, ...facts(parts) }));
      expect(touched({})).to.equal(undefined);
      expect(touched({ isSeen: false })).to.equal(undefined);
      expect(touched({ rights: [] })).to.equal('forbidden');
      expect(touched({ rights: [], isSeen: false })).to.equal('not-found');
      expect(touched({ person: undefined })).to.equal('forbidden');
      expect(touched({}, DOCTOR)).to.equal('forbidden');
      expect(outcome(() => mayTouch(SOURCE, act, { now: NOW }))).to.equal(undefined);
      expect(decided(SOURCE, act, facts({ rights: [] }))).to.equal('forbidden');
      expect(decided(SOURCE, act, facts({ state: on('erasurePending') }))).to.equal('forbidden');
      expect(decided(SOURCE, { ...act, interaction: 'delete' }, facts({ state: on('erasurePending') }))).to.be.an(
        'object',
      );
    });

    it('is patched by who sees it alone: a patch tells what it says', () => {
      const patch = { interaction: 'patch', type: 'Observation' } as const;
      const is = (act: RowAct, parts: Partial<StandingFacts>) => standingOf(SOURCE, act, standing(item, parts), NOW);
      expect([is(patch, {}), is(patch, { isSeen: false })]).to.deep.equal(['own', 'hidden']);
      expect([is(update('Observation'), { isSeen: false }), is(patch, { isOwn: true, isSeen: false })]).to.deep.equal([
        'own',
        'own',
      ]);
      expect([is(patch, { rights: [] }), is(patch, { rights: [], isSeen: false })]).to.deep.equal(['seen', 'hidden']);
    });
  });

  it('a declaration is ended at any time, and made while the record is not being erased', () => {
    const row = standing('Consent/a', { rights: [], isOwn: true, state: on('erasurePending', 'withdrawn') });
    const erasing = subject({ state: on('erasurePending') });
    expect(decided(PATIENT, update('Consent'), { subject: erasing, standing: row })).to.be.an('object');
    expect(decided(SOURCE, create('Consent'), { subject: erasing })).to.equal('forbidden');
    expect(decided(SOURCE, create('Consent'), { subject: subject(), isRefusal: true })).to.deep.include({
      bases: [ACCOUNT, IDENTITY_ROW, FED, off('erasurePending')],
    });
  });

  describe('whom a patient permits', () => {
    const declaring = (attendance: Right | undefined, act: RowAct = create('Consent')) =>
      decided(SOURCE, act, { subject: subject(), attendance });

    it('is declared by an establishment that holds an exam, a report or a visit of hers', () => {
      for (const item of ['ImagingStudy/e', 'DiagnosticReport/e', 'Encounter/e'])
        for (const act of [create('Consent'), update('Consent')])
          expect(declaring(held(item), act))
            .to.have.property('bases')
            .that.deep.includes.members([
              { kind: 'row', row: item, person: PERSON },
              { kind: 'right', person: PERSON, item, principals: [ofSource], at: NOW },
            ]);
    });

    it('not by one that holds nothing, something else, what is another’s, or what has ended', () => {
      const refused = [
        undefined,
        held('Person/a'),
        held('DocumentReference/e'),
        held('Encounter/e', { principal: principal.establishment('Organization/b') }),
        held('Encounter/e', { person: OTHER }),
        held('Encounter/e', { relation: 'declared' }),
        held('Encounter/e', { to: NOW }),
        held('Encounter/e', { scope: 'record' }),
      ];
      for (const attendance of refused)
        for (const act of [create('Consent'), update('Consent')])
          expect(declaring(attendance, act), JSON.stringify(attendance)).to.equal('forbidden');
      // Nor by one that makes her Patient in the same plan.
      const made = subject({ isOwn: true, isNew: true, rights: [] });
      expect(decided(SOURCE, create('Consent'), { subject: made })).to.equal('forbidden');
    });

    it('is declared by herself, and ended by who declared it, without any', () => {
      expect(decided(PATIENT, create('Consent'), { subject: subject() })).to.be.an('object');
      const facts = { subject: subject(), standing: standing('Consent/a') };
      for (const act of [update('Consent'), { interaction: 'delete', type: 'Consent' } as const])
        expect(decided(SOURCE, act, facts)).to.be.an('object');
    });
  });

  it('who represents her is named by an establishment where she was, while she shares; by herself at any time', () => {
    const naming = (state?: PatientState, requester = SOURCE as Requester, attendance?: Right) =>
      decided(requester, create('RelatedPerson'), {
        subject: subject(state === undefined ? {} : { state }),
        attendance,
        isNomination: true,
      });
    const visit = held('Encounter/e');
    expect(naming()).to.equal('forbidden');
    expect(naming(undefined, SOURCE, held('Person/a'))).to.equal('forbidden');
    expect(naming(undefined, SOURCE, visit))
      .to.have.property('bases')
      .that.deep.includes.members([
        { kind: 'row', row: 'Encounter/e', person: PERSON },
        off('erasurePending', 'opposed', 'withdrawn'),
      ]);
    expect(naming(on('withdrawn'), SOURCE, visit)).to.equal('forbidden');
    expect(naming(on('opposed'), SOURCE, visit)).to.equal('business-rule');
    for (const state of [undefined, on('withdrawn')]) expect(naming(state, PATIENT)).to.be.an('object');
    const facts = { subject: subject(), standing: standing('RelatedPerson/a'), isNomination: true };
    expect(decided(SOURCE, update('RelatedPerson'), facts)).to.equal('forbidden');
  });

  it('consent is withdrawn and given back by the patient, or by a source that was told so', () => {
    for (const operation of ['withdraw', 'reconsent'] as const) {
      const act = { interaction: 'operation', operation } as const;
      expect(decided(SOURCE, act, { subject: subject() })).to.deep.equal({
        act: operation,
        reaches: [reach(['AuditEvent', 'Communication', 'Provenance', 'Task', 'Consent'])],
        bases: [ACCOUNT, IDENTITY_ROW, FED],
      });
      expect(decided(PATIENT, act, { subject: subject() })).to.be.an('object');
      expect(decided(DOCTOR, act, { subject: subject() })).to.equal('forbidden');
      expect(decided(SOURCE, act, { subject: subject({ isOwn: true, rights: [] }) })).to.equal('not-found');
      expect(decided(SOURCE, act, {})).to.equal('not-found');
    }
  });

  it('an emergency is declared by a professional, of somebody or of nobody who is known', () => {
    const act = { interaction: 'operation', operation: 'break-glass' } as const;
    const types = ['Communication', 'Task', 'Consent'];
    const terms = decided(DOCTOR, act, { subject: subject() });
    expect(terms)
      .to.have.nested.property('reaches[0].whose')
      .that.deep.equals({ persons: [PERSON] });
    expect(terms).to.have.nested.property('reaches[0].types').that.includes.members(types);
    expect(terms).to.have.nested.property('bases[1]').that.deep.equals(IDENTITY_ROW);
    expect(decided(DOCTOR, act, {}))
      .to.have.nested.property('reaches[0].whose')
      .that.deep.equals({ persons: [] });
    for (const requester of [SOURCE, PATIENT]) expect(decided(requester, act, {})).to.equal('forbidden');
  });

  it('an instance is received of a known or a new Patient, or kept aside', () => {
    const act = { interaction: 'receive-instance' } as const;
    const instance = reach(['instance']);
    const bases = [ACCOUNT, IDENTITY_ROW, off('opposed', 'erasurePending')];
    expect(decided(SOURCE, act, { subject: subject() })).to.deep.equal({
      act: 'receive-instance',
      reaches: [instance],
      bases,
    });
    expect(decided(SOURCE, act, { subject: subject({ isNew: true }) })).to.deep.include({
      reaches: [instance, reach(WITH_IDENTITY)],
      bases: [ACCOUNT, off('opposed', 'erasurePending')],
    });
    const other = { kind: 'row', row: 'Person/other', person: PERSON } as const;
    expect(decided(SOURCE, act, { subject: subject(), owner: 'Patient/other' })).to.deep.include({
      reaches: [instance],
      bases: [ACCOUNT, IDENTITY_ROW, other, off('opposed', 'erasurePending')],
    });
    const aside = { types: ['quarantined'], whose: { study: '1.2' }, event: 'own' };
    expect(decided(SOURCE, act, { subject: subject({ isNew: true }), study: '1.2' })).to.deep.include({
      reaches: [aside, reach(WITH_IDENTITY)],
      bases: [ACCOUNT, off('opposed', 'erasurePending')],
    });
    expect(decided(SOURCE, act, { subject: subject(), isFurther: true })).to.deep.include({
      reaches: [reach(['instance'], [PERSON], 'asking')],
    });
    expect(decided(SOURCE, act, { study: '1.2' })).to.deep.include({
      reaches: [aside],
      bases: [ACCOUNT],
    });
    expect(decided(SOURCE, act, {})).to.deep.include({ reaches: [], bases: [ACCOUNT] });
    for (const [name, kind] of [
      ['opposed', 'business-rule'],
      ['erasurePending', 'forbidden'],
    ] as const)
      for (const study of [{}, { study: '1.2' }])
        expect(decided(SOURCE, act, { subject: subject({ state: on(name) }), ...study })).to.equal(kind);
    for (const requester of [PATIENT, DOCTOR]) expect(decided(requester, act, {})).to.equal('forbidden');
  });
});
