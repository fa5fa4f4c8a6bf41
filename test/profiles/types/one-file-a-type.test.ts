/** One file a type: the list is that of the folder, and no other file of the product has a table of types. */
import { copyFile, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { isStoredType, STORED_TYPES } from '../../../profiles/types/visibility.ts';
import { TYPES_FOLDER, typeListOf, writeTypeList } from '../../../server/runtime/type-list.ts';
import { nodeAt, placeOf, readSources } from '../../support/house/source-files.ts';
import type { SourceFile, SyntaxNode } from '../../support/house/source-files.ts';

/** As many names of types as make a table. */
const TABLE = 3;

/** Files that have a table all the same, and why. */
const MAPPINGS: Readonly<Record<string, string>> = {
  'ihe/ebxml/author.ts': 'the classes of an XDS author (ITI TF-3 4.2.3.1.4.1), by the FHIR type that holds them',
  'profiles/search/earliest-definitions.ts': 'what a former release indexed by: no further type is ever in it',
};

describe('One file a type', () => {
  it('is listed as the folder has them', async () => {
    expect(await readFile(join(TYPES_FOLDER, 'types.ts'), 'utf8')).to.equal(await typeListOf(TYPES_FOLDER));
  });

  it('joins the list by being there, and is written only then', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'passerelle-type-list-'));
    try {
      for (const file of await readdir(TYPES_FOLDER)) await copyFile(join(TYPES_FOLDER, file), join(folder, file));
      await writeFile(
        join(folder, 'molecular-sequence.ts'),
        '/** A. */\n\n/** B. */\nexport const MolecularSequence = {};\n',
      );
      await writeTypeList(folder);
      const list = await readFile(join(folder, 'types.ts'), 'utf8');
      expect(list).to.include("import { MolecularSequence } from './molecular-sequence.ts';");
      expect(list.match(/^ {2}\w+,$/gm)).to.have.lengthOf(STORED_TYPES.length + 1);
      expect((await readdir(folder)).filter((file) => file.includes('draft'))).to.deep.equal([]);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  it('is the only table of types: no other file of the product lists, maps or switches over them', () => {
    const files = readSources('profiles', 'ihe', 'server').filter(
      ({ path }) => !path.startsWith('profiles/types/') && !Object.hasOwn(MAPPINGS, path),
    );
    expect(files.flatMap(tablesOf)).to.deep.equal([]);
  });

  it('leaves no file among the exceptions that has no table', () => {
    const files = readSources('profiles', 'ihe', 'server').filter(({ path }) => Object.hasOwn(MAPPINGS, path));
    expect(files.filter((file) => tablesOf(file).length === 0).map(({ path }) => path)).to.deep.equal([]);
    expect(files).to.have.lengthOf(Object.keys(MAPPINGS).length);
  });
});

function tablesOf(file: SourceFile): string[] {
  return file.nodes
    .filter((node) => new Set(namesIn(node).filter(isStoredType)).size >= TABLE)
    .map((node) => placeOf(file, node));
}

/** Names that an object has as keys, a list as elements or as keys of pairs, a switch as cases, a union as parts. */
function namesIn(node: SyntaxNode): readonly string[] {
  switch (node.type) {
    case 'ObjectExpression':
      return membersOf(node, 'properties').map((property) => nameOf(nodeAt(property, 'key')));
    case 'ArrayExpression':
      return membersOf(node, 'elements').map((one) => nameOf(membersOf(one, 'elements')[0] ?? one));
    case 'SwitchStatement':
      return membersOf(node, 'cases').map((one) => nameOf(nodeAt(one, 'test')));
    case 'TSUnionType':
      return membersOf(node, 'types').map((one) => nameOf(nodeAt(one, 'typeName') ?? nodeAt(one, 'literal')));
    default:
      return [];
  }
}

function membersOf(node: SyntaxNode, member: string): readonly SyntaxNode[] {
  const members = node[member];
  return Array.isArray(members) ? (members as SyntaxNode[]).filter((one) => one !== null) : [];
}

function nameOf(node: SyntaxNode | undefined): string {
  return String(node?.['value'] ?? node?.['name'] ?? '');
}
