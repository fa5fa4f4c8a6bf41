/** Mutants that are always among those that are run: each of them once survived. */
import type { Mutation } from './mutations.ts';
import type { Tests } from './nearest.ts';

/** A mutant, by what stands in its file exactly once and what is put there. */
export type Known = Pick<Mutation, 'path' | 'what'> & {
  readonly from: string;
  readonly to: string;
  readonly tests: readonly Tests[];
};

/** The mutants. */
export const ALWAYS: readonly Known[] = [
  {
    path: 'server/flows/consent/break-glass.ts',
    what: 'an identifier that two persons bear opens one of them',
    from: 'known !== undefined && others.length === 0',
    to: 'known !== undefined',
    tests: [{ files: ['test/server/flows/consent/break-glass.test.ts'] }],
  },
  {
    path: 'server/endpoints/http/send-pieces.ts',
    what: 'a large body is decided once for each of its pieces',
    from: '    for (let position = start; position < end;) {\n      await decideAgain();\n',
    to: '    await decideAgain();\n    for (let position = start; position < end;) {\n',
    tests: [{ files: ['test/server/endpoints/dicomweb/slow-readers.test.ts'] }],
  },
  {
    path: 'server/compose/flows/proved-by.ts',
    what: 'the purpose of an assertion is ignored',
    from: '      ...(assertion.purposeOfUse === undefined ? {} : { purpose: assertion.purposeOfUse.code }),\n',
    to: '',
    tests: [{ files: ['test/flows/assertion-purpose.test.ts'] }],
  },
  {
    path: 'server/access/right.ts',
    what: 'two relations change places',
    from: "  'declared',\n  'imaging-service',\n",
    to: "  'imaging-service',\n  'declared',\n",
    tests: [{ files: ['test/server/access/right.test.ts'] }],
  },
  {
    path: 'server/access/decide.ts',
    what: 'a mask hides nothing',
    from: 'rankOf(ceiling) && !masks.some((mask) => maskedBy.includes(mask))',
    to: 'rankOf(ceiling)',
    tests: [{ files: ['test/server/access/table.test.ts'] }],
  },
  {
    path: 'server/flows/retrieve/viewings.ts',
    what: 'a viewing goes on under another right',
    from: 'return rightOf(row) === rightOf(study);',
    to: 'return rightOf(row) === rightOf(row);',
    tests: [{ files: ['test/server/flows/retrieve/viewings.test.ts'] }],
  },
];

/** The mutation in the text of its file. Throws when the text no longer holds it once. */
export function mutationOf({ path, what, from, to }: Known, text: string): Mutation {
  const start = text.indexOf(from);
  if (start < 0 || text.includes(from, start + 1)) throw new Error(`${path} does not hold the mutant once: ${what}`);
  return { path, what, start, end: start + from.length, replacement: to };
}
