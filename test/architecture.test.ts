/** The rules of the house, read from the sources. */
import { existsSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { isIn, mayImport, PURE_ROOMS, roomOf } from './support/house/house-rules.ts';
import {
  collectNodes,
  COMPUTED,
  lineCount,
  listPaths,
  nodeAt,
  placeOf,
  readSources,
  ROOT,
} from './support/house/source-files.ts';
import type { Import, SourceFile, SyntaxNode } from './support/house/source-files.ts';
import { compile } from './support/house/compile.ts';

const MAX_FILE_LINES = 400;
const MAX_FUNCTION_LINES = 60;
const MAX_LINE_CHARACTERS = 120;
const MAX_FOLDER_FILES = 20;
/** What the README of a folder says when the number of its files is that of its subjects. */
const WHY_CROWDED = 'One file a';
const DRAWERS = ['util', 'utils', 'helper', 'helpers', 'common', 'misc', 'manager', 'managers', 'impl'];
const FUNCTIONS = ['FunctionDeclaration', 'FunctionExpression', 'ArrowFunctionExpression'];
/** Who alone may cast to a branded type. */
const BRANDS: Readonly<Record<string, string>> = {
  Grant: 'server/access/grant.ts',
  SystemGrant: 'server/access/grant.ts',
  Warrant: 'server/access/warrant.ts',
  Passage: 'server/stores',
};

const product = readSources('profiles', 'ihe', 'server');
const demonstration = readSources('fixtures');
const tests = readSources('conformance', 'test');

function findNodes(files: readonly SourceFile[], isWrong: (node: SyntaxNode, file: SourceFile) => boolean): string[] {
  return files.flatMap((file) => file.nodes.filter((node) => isWrong(node, file)).map((node) => placeOf(file, node)));
}

function isPackage({ target, isLocal }: Import): boolean {
  return !isLocal && !target.startsWith('node:') && target !== COMPUTED;
}

function isMember(node: SyntaxNode, object: string, property?: string): boolean {
  if (node.type !== 'MemberExpression' || nodeAt(node, 'object')?.['name'] !== object) return false;
  return property === undefined || nodeAt(node, 'property')?.['name'] === property;
}

describe('The house', () => {
  it('has a room for every file', () => {
    expect(
      [...product, ...demonstration].filter(({ path }) => roomOf(path) === undefined).map(({ path }) => path),
    ).to.deep.equal([]);
  });

  it('is imported in one direction', () => {
    const wrong = [...product, ...demonstration].flatMap(({ path, imports }) => {
      const room = roomOf(path);
      const strange = imports.filter((one) => one.isLocal && (room === undefined || !mayImport(room, one)));
      return strange.map(({ target, isType }) => `${path} imports ${isType ? 'types of ' : ''}${target}`);
    });
    expect(wrong).to.deep.equal([]);
  });

  it('imports only files that are there', () => {
    const known = new Set(['profiles', 'ihe', 'server', 'fixtures', 'conformance', 'test'].flatMap(listPaths));
    const wrong = [...product, ...demonstration].flatMap(({ path, imports }) =>
      imports
        .filter(({ target, isLocal }) => isLocal && !known.has(target))
        .map(({ target }) => `${path} imports ${target}`),
    );
    expect(wrong).to.deep.equal([]);
  });

  it('gives no function of a flow the name of one of a door', () => {
    const inFlows = exportedFunctions('server/flows');
    expect(exportedFunctions('server/endpoints').filter((name) => inFlows.includes(name))).to.deep.equal([]);
  });

  it('has no circle of imports, those of types included', () => {
    expect(findCircle([...product, ...demonstration])).to.deep.equal([]);
  });

  it('computes the name of a module in one place alone: the generated definitions', () => {
    const computing = product
      .filter(({ imports }) => imports.some(({ target }) => target === COMPUTED))
      .map(({ path }) => path);
    expect(computing).to.deep.equal(['server/runtime/definitions.ts']);
  });

  it('names in package.json every package that it imports, and in dependencies what the product needs', async () => {
    const { dependencies = {}, devDependencies = {} } = JSON.parse(
      await readFile(join(ROOT, 'package.json'), 'utf8'),
    ) as Record<string, object>;
    const strange = (files: readonly SourceFile[], known: readonly string[]): string[] =>
      files.flatMap(({ path, imports }) =>
        imports
          .filter((one) => isPackage(one) && !known.includes(one.target))
          .map(({ target }) => `${path}: ${target}`),
      );
    const needed = Object.keys(dependencies);
    expect(strange(product, needed)).to.deep.equal([]);
    expect(strange([...demonstration, ...tests], [...needed, ...Object.keys(devDependencies)])).to.deep.equal([]);
  });
});

function exportedFunctions(room: string): string[] {
  return product
    .filter(({ path }) => isIn(path, room))
    .flatMap(({ nodes }) => nodes.filter(({ type }) => type === 'ExportNamedDeclaration'))
    .flatMap((node) => nodeAt(node, 'declaration') ?? [])
    .filter(({ type }) => type === 'FunctionDeclaration')
    .map((declared) => String(nodeAt(declared, 'id')?.['name']));
}

describe('The pure rooms', () => {
  for (const [room, allowed] of Object.entries(PURE_ROOMS)) {
    it(`${room} does no I/O and reads neither clock nor chance`, () => {
      const files = product.filter(({ path }) => isIn(path, room));
      const imports = files.flatMap(({ path, imports }) =>
        imports
          .filter(({ target, isLocal }) => !isLocal && !allowed.includes(target))
          .map(({ target }) => `${path}: ${target}`),
      );
      expect(imports).to.deep.equal([]);
      expect(findNodes(files, readsTheWorld)).to.deep.equal([]);
    });
  }
});

function readsTheWorld(node: SyntaxNode): boolean {
  if (node.type === 'NewExpression') {
    return (
      nodeAt(node, 'callee')?.['name'] === 'Date' && Array.isArray(node['arguments']) && node['arguments'].length === 0
    );
  }
  if (
    isMember(node, 'Date', 'now') ||
    isMember(node, 'Math', 'random') ||
    isMember(node, 'performance') ||
    isMember(node, 'process')
  )
    return true;
  return (
    node.type === 'CallExpression' &&
    ['fetch', 'setTimeout', 'setInterval'].includes(String(nodeAt(node, 'callee')?.['name']))
  );
}

describe('Sizes and names', () => {
  it(`no file has more than ${MAX_FILE_LINES} lines`, () => {
    const long = [...product, ...demonstration, ...tests].filter(
      ({ text }) => text.split('\n').length - 1 > MAX_FILE_LINES,
    );
    expect(long.map(({ path, text }) => `${path}: ${text.split('\n').length - 1}`)).to.deep.equal([]);
  });

  it(`no line has more than ${MAX_LINE_CHARACTERS} characters`, () => {
    const long = ({ path, text }: SourceFile): string[] =>
      text.split('\n').flatMap((line, at) => (line.length > MAX_LINE_CHARACTERS ? [`${path}:${at + 1}`] : []));
    expect([...product, ...demonstration, ...tests].flatMap(long)).to.deep.equal([]);
  });

  it(`no folder has more than ${MAX_FOLDER_FILES} files, but where its README says why`, () => {
    const files = ['profiles', 'ihe', 'server', 'fixtures', 'conformance', 'test'].flatMap(listPaths);
    const folders = Map.groupBy(files, (path) => path.slice(0, path.lastIndexOf('/')));
    const crowded = [...folders].filter(([folder, inside]) => inside.length > MAX_FOLDER_FILES && !saysWhy(folder));
    expect(crowded.map(([folder, inside]) => `${folder}: ${inside.length}`)).to.deep.equal([]);
  });

  it(`no function of the product has more than ${MAX_FUNCTION_LINES} lines`, () => {
    const isLong = (node: SyntaxNode, file: SourceFile): boolean =>
      FUNCTIONS.includes(node.type) && lineCount(file, node) > MAX_FUNCTION_LINES;
    expect(findNodes([...product, ...demonstration], isLong)).to.deep.equal([]);
  });

  it('no folder or file is a drawer for everything', () => {
    const paths = ['profiles', 'ihe', 'server', 'fixtures', 'conformance', 'test'].flatMap(listPaths);
    const words = (path: string): string[] => path.toLowerCase().split(/[/.-]/);
    expect(paths.filter((path) => words(path).some((word) => DRAWERS.includes(word)))).to.deep.equal([]);
  });

  it('every module exports by name', () => {
    expect(findNodes([...product, ...demonstration], ({ type }) => type === 'ExportDefaultDeclaration')).to.deep.equal(
      [],
    );
  });
});

describe('What the product leaves alone', () => {
  it('the console: stdout is for the ready line, and stderr for the log', () => {
    expect(findNodes(product, (node) => isMember(node, 'console'))).to.deep.equal([]);
  });

  it('process.exit, which loses what is not written yet', () => {
    const files = product.filter(({ path }) => path !== 'server/runtime/check.mjs');
    expect(findNodes(files, (node) => isMember(node, 'process', 'exit'))).to.deep.equal([]);
  });
});

describe('Grants and warrants', () => {
  it('come from access, and passages from stores: nobody else casts to them', () => {
    const casts = (node: SyntaxNode, { path }: SourceFile): boolean => {
      if (node.type !== 'TSAsExpression' && node.type !== 'TSTypeAssertion') return false;
      const names = collectNodes(nodeAt(node, 'typeAnnotation')).map((part) => nodeAt(part, 'typeName')?.['name']);
      return names.some((name) => typeof name === 'string' && name in BRANDS && !isIn(path, BRANDS[name] ?? ''));
    };
    expect(findNodes([...product, ...demonstration, ...tests], casts)).to.deep.equal([]);
  });

  it('are classes that their files keep to themselves', () => {
    for (const path of ['server/access/grant.ts', 'server/access/warrant.ts', 'server/stores/passage.ts']) {
      const file = product.find((one) => one.path === path);
      const classes = (file?.nodes ?? []).filter(({ type }) => type === 'ClassDeclaration');
      expect(classes, path).to.not.deep.equal([]);
      const exported = (file?.nodes ?? [])
        .filter(({ type, exportKind }) => type.startsWith('Export') && exportKind !== 'type')
        .flatMap((node) => collectNodes(node));
      expect(
        exported.filter(({ type }) => type === 'ClassDeclaration').map((node) => nodeAt(node, 'id')?.['name']),
      ).to.deep.equal([]);
    }
  });

  it('do not compile when they are made by hand', async function () {
    this.timeout(60_000);
    const forged = await compileUse(`{ system: false, principals: [], purpose: 'TREAT', now: 0 }`);
    expect(forged)
      .to.match(/error TS(2345|2739|2740)/)
      .and.include('#principals');
    expect(await compileUse(`{ ...grantFor(requester, 0) }`)).to.include('#principals');
    expect(await compileUse(`systemGrant('resolve-directory', 'whole', 0)`)).to.match(/error TS(2345|2739|2740)/);
    const real = `grantFor(requester, 0)`;
    expect(await compileUse(real, `{ act: 'create', reaches: [], bases: [] }`)).to.match(
      /error TS(2345|2353|2739|2741)/,
    );
    expect(await compileUse(real, `{ ...mayWrite(requester, act, facts) }`)).to.include('#terms');
    // The same calls with real ones compile, so that the errors are the brands'.
    expect(await compileUse(real)).to.equal('');
  });

  it('of the server give what no door can send: rows, their text, instances', async function () {
    this.timeout(60_000);
    const row = `records.peek(systemGrant('publish-report', { item: 'Patient/a' }, 0),
      { kind: 'resource', type: 'Patient', id: 'a' })`;
    const study = `records.peek(systemGrant('maintain-study', { study: '1.2' }, 0),
      { kind: 'instances', studyInstanceUID: '1.2', offset: 0, limit: 1 })`;
    expect(await compileFlow('VisibleRow | undefined', `await ${row}`)).to.include('InternalText');
    expect(await compileFlow('string | undefined', `(await ${row})?.json`)).to.include('InternalText');
    expect(await compileFlow('readonly ShownInstance[]', `(await ${study}).instances`)).to.include('"server"');
    expect(await compileFlow('void', `answerRow(ctx, (await ${row})!)`)).to.include('InternalText');
    // What a requester asks compiles, so that the errors are those of who reads.
    const question = `{ kind: 'resource', type: 'Patient', id: 'a' }`;
    const shown = `(await records.look(grantFor(requester, 0), ${question}, account))`;
    expect(await compileFlow('VisibleRow | undefined', `${shown}.answer`)).to.equal('');
    expect(await compileFlow('void', `answerRow(ctx, ${shown}.answer!)`)).to.equal('');
  });

  it('of the server are bound to a subject of their reason', async function () {
    this.timeout(60_000);
    const made = (expression: string): Promise<string> => compileFlow('unknown', expression);
    expect(await made(`systemGrant('publish-report', 'whole', 0)`)).to.match(/error TS2345/);
    expect(await made(`systemGrant('sweep-images', { item: 'Patient/a' }, 0)`)).to.match(/error TS2345/);
    expect(await made(`systemReading('maintain-study', 0)('whole')`)).to.match(/error TS2345/);
    expect(await made(`systemReading('maintain-study', 0)({ study: '1.2' })`)).to.equal('');
  });

  it('of the server are opened by what decides and plans, not by what answers', () => {
    const openers = product
      .filter(({ text }) => /\b(openedResource|internally|internal-reads)\b/.test(text))
      .map(({ path }) => path)
      .filter((path) =>
        ['server/endpoints', 'server/flows/read', 'server/flows/retrieve'].some((room) => isIn(path, room)),
      );
    // It answers nobody: it records the end of what another began.
    expect(openers).to.deep.equal(['server/flows/retrieve/end-viewing.ts']);
  });

  const GRANTS = ['server/access/grant.ts', 'test/server/access/grant.test.ts'];

  it('cross to the writer of SQLite as terms: nobody else makes a grant of such', () => {
    const makers = [...product, ...demonstration, ...tests].filter(
      ({ path, text }) => !GRANTS.includes(path) && /\bgrantOfTerms\(/.test(text),
    );
    expect(makers.map(({ path }) => path)).to.deep.equal(['server/stores/sqlite/write/conditions.ts']);
  });

  it('are decided in access: no other room makes a warrant of terms of its own', () => {
    const makers = [...product, ...demonstration, ...tests].filter(({ path, nodes }) => {
      const isRoom = isIn(path, 'server/access') || path === 'test/support/warrants.ts';
      return (
        !isRoom &&
        nodes.some((node) => node.type === 'CallExpression' && nodeAt(node, 'callee')?.['name'] === 'makeWarrant')
      );
    });
    expect(makers.map(({ path }) => path)).to.deep.equal(['test/contract/record-store/warranting.ts']);
  });
});

describe('AuditEvents', () => {
  it('are built in one place, which gives every one its id', () => {
    const builds = product.filter(({ text }) => /\bbuildAuditEvent\(/.test(text)).map(({ path }) => path);
    expect(builds).to.have.members(['profiles/audit/audit-event.ts', 'server/flows/audit/event-records.ts']);
  });
});

/** Compiles a read under a grant, and a write under a warrant, that expressions give; returns the errors. */
async function compileUse(grant: string, warrant = `mayWrite(requester, act, facts)`): Promise<string> {
  const imports = {
    'server/ports/record-store.ts': ['type Question', 'type RecordStore'],
    'server/ports/commit-plan.ts': ['type CommitPlan'],
    'server/access/requester.ts': ['type Requester'],
    'server/access/grant.ts': ['grantFor', 'systemGrant'],
    'server/access/may-write.ts': ['mayWrite', 'type Act', 'type WriteFacts'],
  };
  return await compile(
    imports,
    `export type Account = Parameters<RecordStore['look']>[2];
    export async function use(records: RecordStore, requester: Requester, question: Question, account: Account,
      act: Act, facts: WriteFacts, plan: CommitPlan): Promise<unknown> {
      void [grantFor, systemGrant, mayWrite, requester, act, facts];
      await records.commit(${warrant}, plan);
      return await records.look(${grant}, question, account);
    }`,
  );
}

/** Compiles a flow that answers an expression as a type; returns its errors. */
async function compileFlow(type: string, expression: string): Promise<string> {
  const imports = {
    'server/ports/record-store.ts': ['type RecordStore', 'type ShownInstance', 'type VisibleRow'],
    'server/access/requester.ts': ['type Requester'],
    'server/access/grant.ts': ['grantFor', 'systemGrant', 'systemReading'],
    'server/endpoints/fhir/read.ts': ['answerRow'],
  };
  return await compile(
    imports,
    `export type Account = Parameters<RecordStore['look']>[2];
    export async function flow(records: RecordStore, requester: Requester, account: Account,
      ctx: Parameters<typeof answerRow>[0]): Promise<${type}> {
      void [grantFor, systemGrant, systemReading, answerRow, records, requester, account, ctx];
      type Named = ShownInstance | VisibleRow;
      void (undefined as Named | undefined);
      return ${expression};
    }`,
  );
}

function saysWhy(folder: string): boolean {
  const readme = join(ROOT, folder, 'README.md');
  return existsSync(readme) && readFileSync(readme, 'utf8').includes(WHY_CROWDED);
}

/** The first circle, as the paths that lead around it; empty when there is none. */
function findCircle(files: readonly SourceFile[]): string[] {
  const targets = new Map(
    files.map(({ path, imports }) => [path, imports.filter(({ isLocal }) => isLocal).map(({ target }) => target)]),
  );
  const done = new Set<string>();
  const walk = (path: string, trail: readonly string[]): string[] => {
    if (trail.includes(path)) return [...trail.slice(trail.indexOf(path)), path];
    if (done.has(path)) return [];
    for (const target of targets.get(path) ?? []) {
      const circle = walk(target, [...trail, path]);
      if (circle.length > 0) return circle;
    }
    done.add(path);
    return [];
  };
  for (const { path } of files) {
    const circle = walk(path, []);
    if (circle.length > 0) return circle;
  }
  return [];
}
