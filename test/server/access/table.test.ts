/** The table of decisions: what it lets each relation see, written out here by hand, and its rendering. */
import { expect } from 'chai';
import { LEVELS, MASKS } from '../../../profiles/confidentiality.ts';
import {
  BARRED,
  labelAllows,
  lifeCycleAllows,
  stateAllows,
  OPEN_STATE,
  UNBARRED,
} from '../../../server/access/decide.ts';
import { RELATIONS, type Relation } from '../../../server/access/right.ts';
import { emergenciesUnder, readTable, SWITCHES } from '../../../server/access/rules/table.ts';
import table from '../../../server/access/rules/table.json' with { type: 'json' };
import { readmeTexts } from './decision-tables.ts';

/** Labels, masks of a normal item and switches that leave each relation something (access.md, section 3). */
const SEEN: Readonly<Record<Relation, readonly [levels: string, masks: string, switches: string]>> = {
  self: ['N R V', 'professionals representatives unshared restricted', 'opposed withdrawn accountOff'],
  author: ['N R V', 'professionals patient representatives unshared restricted', 'accountOff'],
  representative: ['N R', 'professionals unshared', 'opposed withdrawn accountOff'],
  'representative-of-child': ['N R V', 'professionals unshared', 'opposed withdrawn accountOff'],
  'own-service': ['N', 'patient representatives unshared', 'accountOff'],
  referent: ['N R', 'patient representatives', 'accountOff'],
  circle: ['N R', 'patient representatives', 'accountOff'],
  assistant: ['N R', 'patient representatives', 'accountOff'],
  declared: ['N', 'patient representatives', 'accountOff'],
  'imaging-service': ['N', 'patient representatives', 'accountOff'],
  stay: ['N', 'patient representatives', 'accountOff'],
  presence: ['N', 'patient representatives', 'accountOff'],
  share: ['N R V', 'professionals representatives unshared', 'accountOff'],
  'break-glass': ['N', 'patient representatives', 'accountOff'],
  'break-glass-confidential': ['N R', 'patient representatives', 'accountOff'],
  'break-glass-past-block': ['N', 'patient representatives', 'accountOff'],
  support: ['N', '', 'accountOff'],
  dpo: ['N R V', 'professionals patient representatives unshared restricted', 'accountOff'],
  named: [
    'N R V',
    'professionals patient representatives unshared restricted',
    'opposed withdrawn erasurePending accountOff',
  ],
};

describe('access.md 3, the table of decisions', () => {
  for (const relation of RELATIONS) {
    it(`lets ${relation} see what is written here, and nothing else`, () => {
      const levels = LEVELS.filter((level) => labelAllows(relation, { level, masks: [] }));
      const masks = MASKS.filter((mask) => labelAllows(relation, { level: 'N', masks: [mask] }));
      const switches = SWITCHES.filter((name) => stateAllows(relation, { ...OPEN_STATE, [name]: true }));
      expect([levels, masks, switches].map((words) => words.join(' '))).to.deep.equal(SEEN[relation]);
    });
  }

  it('leaves whom the person blocks what they wrote, what names them, what she shares, and some emergencies', () => {
    const always = ['self', 'author', 'representative', 'representative-of-child', 'share'];
    expect(UNBARRED).to.deep.equal([...always, 'break-glass-past-block', 'named']);
    expect([...UNBARRED, ...BARRED]).to.have.members(RELATIONS);
  });

  it('lets emergencies do more than every one by a setting of the region alone, each by its own', () => {
    expect(emergenciesUnder({})).to.deep.equal(['break-glass']);
    const confidential = { reachesConfidential: true, passesBlocks: false };
    expect(emergenciesUnder(confidential)).to.deep.equal(['break-glass', 'break-glass-confidential']);
    expect(emergenciesUnder({ passesBlocks: true })).to.deep.equal(['break-glass', 'break-glass-past-block']);
  });

  it('masks the higher item and the lower one alike', () => {
    for (const level of LEVELS) expect(labelAllows('self', { level, masks: ['patient'] }), level).to.equal(false);
    expect(labelAllows('declared', { level: 'N', masks: ['patient', 'professionals'] })).to.equal(false);
  });

  it('lets the patient wait for the validated report, and the correspondent for a report alone', () => {
    const row = { item: 'List/a', level: 'N', masks: [], released: false } as const;
    const waiting = (type: 'DiagnosticReport' | 'ImagingStudy'): readonly Relation[] =>
      RELATIONS.filter((relation) => !lifeCycleAllows(relation, { ...row, type }));
    expect(waiting('ImagingStudy')).to.deep.equal([
      'self',
      'representative',
      'representative-of-child',
      'share',
      'support',
    ]);
    expect(waiting('DiagnosticReport')).to.deep.equal([
      'self',
      'representative',
      'representative-of-child',
      'referent',
      'circle',
      'assistant',
      'declared',
      'stay',
      'presence',
      'share',
      'support',
    ]);
  });

  it('is refused with a word that nothing reads, or without a relation', () => {
    const changed = (part: object) => table.relations.map((row, at) => (at === 1 ? { ...row, ...part } : row));
    expect(() => readTable(changed({ ceiling: 'X' }))).to.throw('says X');
    expect(() => readTable(changed({ maskedBy: ['nobody'] }))).to.throw('says nobody');
    expect(() => readTable(changed({ closedBy: ['closed'] }))).to.throw('says closed');
    expect(() => readTable(changed({ unreleased: 'some' }))).to.throw('says some');
    expect(() => readTable(table.relations.slice(1))).to.throw('has the relations');
  });

  it('is rendered in README.md as it stands', () => {
    const { stands, wanted } = readmeTexts();
    expect(stands, 'written anew by: npx node test/server/access/decision-tables.ts').to.equal(wanted);
  });
});
