/** What the definition of `$who-can-access` says of its answer. */
import type { OperationDefinition } from '@medplum/fhirtypes';
import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { RELATIONS } from '../../../../../server/access/right.ts';

const FILE = new URL(
  '../../../../../profiles/definitions/OperationDefinition-Patient-who-can-access.json',
  import.meta.url,
);
/** Which she knows of, which have lists of their own, or which is listed as another one. */
const UNLISTED: readonly string[] = ['self', 'named', 'share', 'representative-of-child'];

describe('The OperationDefinition of $who-can-access', () => {
  it('names each relation that may be listed', () => {
    const { parameter = [] } = JSON.parse(readFileSync(FILE, 'utf8')) as OperationDefinition;
    const part = parameter.find(({ name }) => name === 'access')?.part?.find(({ name }) => name === 'relation');
    const words = (part?.documentation ?? '').split(/[^a-z-]+/);
    expect(words).to.include.members([...RELATIONS.filter((one) => !UNLISTED.includes(one)), 'administrator']);
    for (const one of UNLISTED) expect(words).to.not.include(one);
  });
});
