/** The sources as the architecture test reads them: imports, functions, casts, calls. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseSync } from 'oxc-parser';

/** The folder of package.json. */
export const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/** The target of an import whose name is computed. */
export const COMPUTED = 'a computed name';

/** One import or re-export. `target` is a path from the root, or the name of a package. */
export type Import = { readonly target: string; readonly isLocal: boolean; readonly isType: boolean };

/** A node of the syntax tree. */
export type SyntaxNode = {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [member: string]: unknown;
};

/** A source file; `path` is from the root, with slashes. */
export type SourceFile = {
  readonly path: string;
  readonly text: string;
  readonly imports: readonly Import[];
  readonly nodes: readonly SyntaxNode[];
};

/** Reads all TypeScript and JavaScript of top-level folders; one that is absent holds nothing. */
export function readSources(...folders: readonly string[]): SourceFile[] {
  return folders
    .flatMap(listPaths)
    .filter((path) => /\.(ts|mjs)$/.test(path))
    .map(readSource);
}

/** Lists the files of a top-level folder, as paths from the root. */
export function listPaths(folder: string): string[] {
  try {
    const entries = readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => entry.isFile())
      .map((entry) => slashed(relative(ROOT, join(entry.parentPath, entry.name))))
      .sort();
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
}

function readSource(path: string): SourceFile {
  const text = readFileSync(join(ROOT, path), 'utf8');
  const parsed = parseSync(path, text);
  if (parsed.errors.length > 0) throw new Error(`${path}: ${parsed.errors[0]?.message}`);
  const nodes = collectNodes(parsed.program);
  return { path, text, nodes, imports: nodes.flatMap((node) => importOf(path, node)) };
}

/** How many lines a node takes. */
export function lineCount({ text }: SourceFile, { start, end }: SyntaxNode): number {
  return text.slice(start, end).split('\n').length;
}

/** `path:line` of a node, as editors open it. */
export function placeOf({ path, text }: SourceFile, { start }: SyntaxNode): string {
  return `${path}:${text.slice(0, start).split('\n').length}`;
}

/** A node of a type among the members of another; undefined when it is none. */
export function nodeAt(node: SyntaxNode, member: string): SyntaxNode | undefined {
  const value = node[member];
  return isNode(value) ? value : undefined;
}

/** All nodes of a tree, the root included. */
export function collectNodes(root: unknown): SyntaxNode[] {
  if (Array.isArray(root)) return root.flatMap(collectNodes);
  if (!isNode(root)) return [];
  return [root, ...Object.values(root).flatMap(collectNodes)];
}

function isNode(value: unknown): value is SyntaxNode {
  return (
    typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string' && 'start' in value
  );
}

const IMPORTING = [
  'ImportDeclaration',
  'ExportNamedDeclaration',
  'ExportAllDeclaration',
  'ImportExpression',
  'TSImportType',
];

function importOf(path: string, node: SyntaxNode): Import[] {
  if (!IMPORTING.includes(node.type)) return [];
  const source = nodeAt(node, 'source');
  if (source === undefined) return [];
  if (typeof source['value'] !== 'string') return [{ target: COMPUTED, isLocal: false, isType: false }];
  const name = source['value'];
  const isLocal = name.startsWith('.');
  return [
    {
      target: isLocal ? slashed(normalize(join(dirname(path), name))) : packageOf(name),
      isLocal,
      isType: isTypeOnly(node),
    },
  ];
}

/** `import type`, `export type`, and imports whose every name is a type. */
function isTypeOnly(node: SyntaxNode): boolean {
  if (node.type === 'TSImportType' || node['importKind'] === 'type' || node['exportKind'] === 'type') return true;
  const names = Array.isArray(node['specifiers']) ? (node['specifiers'] as SyntaxNode[]) : [];
  return names.length > 0 && names.every((name) => name['importKind'] === 'type' || name['exportKind'] === 'type');
}

function packageOf(name: string): string {
  if (name.startsWith('node:')) return name;
  return name
    .split('/')
    .slice(0, name.startsWith('@') ? 2 : 1)
    .join('/');
}

function slashed(path: string): string {
  return path.replaceAll('\\', '/');
}
