/** What each relation sees, by hand, as the contracts of stores expect it. */
import type { Level, Mask } from '../../../profiles/confidentiality.ts';
import type { PatientState } from '../../../server/access/decide.ts';
import type { Relation } from '../../../server/access/right.ts';

/** All but shares, which reach an item: shares.contract.ts. */
export type Tested = Exclude<Relation, 'share'>;

/** Labels that each relation reaches (access.md, layer 6). */
export const REACHED = {
  author: ['N', 'R', 'V'],
  self: ['N', 'R', 'V'],
  representative: ['N', 'R'],
  'representative-of-child': ['N', 'R', 'V'],
  'own-service': ['N'],
  referent: ['N', 'R'],
  circle: ['N', 'R'],
  assistant: ['N', 'R'],
  declared: ['N'],
  'imaging-service': ['N'],
  stay: ['N'],
  presence: ['N'],
  'break-glass': ['N'],
  'break-glass-confidential': ['N', 'R'],
  'break-glass-past-block': ['N'],
  support: ['N'],
  dpo: ['N', 'R', 'V'],
  named: ['N', 'R', 'V'],
} as const satisfies Record<Tested, readonly Level[]>;

export const PROFESSIONALS: readonly Tested[] = [
  'referent',
  'circle',
  'assistant',
  'declared',
  'imaging-service',
  'stay',
  'presence',
  'break-glass',
  'break-glass-confidential',
  'break-glass-past-block',
  'support',
];

export const REPRESENTATIVES: readonly Tested[] = ['representative', 'representative-of-child'];

/** Relations from which each mask hides a normal item (access.md, section 8; `restricted`: layer 2). */
export const MASKED: Readonly<Record<Mask, readonly Tested[]>> = {
  professionals: PROFESSIONALS,
  patient: ['self', ...REPRESENTATIVES, 'support'],
  representatives: [...REPRESENTATIVES, 'support'],
  unshared: PROFESSIONALS,
  restricted: [...PROFESSIONALS, ...REPRESENTATIVES],
};

/** Relations that each state of the patient leaves (access.md, layer 3). */
export const LEFT: readonly (readonly [Partial<PatientState>, readonly Tested[]])[] = [
  [{ withdrawn: true }, ['self', ...REPRESENTATIVES, 'named']],
  [{ opposed: true }, ['self', ...REPRESENTATIVES, 'named']],
  [{ erasurePending: true }, ['named']],
  [{ accountOff: true }, ['author', 'self', ...REPRESENTATIVES, 'own-service', ...PROFESSIONALS, 'dpo', 'named']],
];
