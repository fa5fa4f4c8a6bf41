/** What may be changed in a source file, read off its syntax tree. Each change is one small mistake of a writer. */
import { parseSync } from 'oxc-parser';
import { collectNodes, nodeAt, type SyntaxNode } from '../../support/house/source-files.ts';

/** One change: the text between two offsets becomes another. */
export type Mutation = {
  readonly path: string;
  readonly start: number;
  readonly end: number;
  readonly replacement: string;
  /** What was done, in words. */
  readonly what: string;
};

type Change = Pick<Mutation, 'start' | 'end' | 'replacement' | 'what'>;
type Rule = (node: SyntaxNode, textOf: (of: SyntaxNode) => string, path: string) => readonly Change[];

/** All changes of a file, in the order of their places. `path` is from the root of the checkout. */
export function mutationsOf(path: string, text: string): readonly Mutation[] {
  const textOf = ({ start, end }: SyntaxNode): string => text.slice(start, end);
  const nodes = collectNodes(parseSync(path, text).program);
  return nodes
    .flatMap((node) => RULES.flatMap((rule) => rule(node, textOf, path)))
    .map((change) => ({ path, ...change }))
    .toSorted((one, other) => one.start - other.start || one.end - other.end);
}

/** The text with the change made. */
export function mutate(text: string, { start, end, replacement }: Mutation): string {
  return text.slice(0, start) + replacement + text.slice(end);
}

/** `path:line`, what was done, and the line: the name of a change as long as the file is the same. */
export function nameOf(text: string, { path, start, end, what }: Mutation): string {
  const before = text.slice(0, start).split('\n');
  const column = (before.at(-1)?.length ?? 0) + 1;
  const changed = text.slice(start, end).replaceAll(/\s+/g, ' ');
  return `${path}:${before.length}:${column} ${what}: ${changed.length > 90 ? `${changed.slice(0, 90)}…` : changed}`;
}

const COMPARISONS: Readonly<Record<string, string>> = {
  '===': '!==',
  '!==': '===',
  '<': '<=',
  '<=': '<',
  '>': '>=',
  '>=': '>',
};
const GUARD = /^(require|refuse|check)[A-Z]/;
const STATEMENT = /\b(SELECT|FROM|WHERE|AND|OR|EXISTS)\b/;
const IN_STATEMENTS: Readonly<Record<string, string>> = {
  AND: 'OR',
  OR: 'AND',
  '=': '<>',
  '<': '<=',
  '<=': '<',
  '>': '>=',
  '>=': '>',
};
const IN_QUERIES: Readonly<Record<string, string>> = {
  $and: '$or',
  $or: '$and',
  $eq: '$ne',
  $ne: '$eq',
  $in: '$nin',
  $nin: '$in',
  $lt: '$lte',
  $lte: '$lt',
  $gt: '$gte',
  $gte: '$gt',
};

const RULES: readonly Rule[] = [
  (node, textOf) => {
    const test = ['IfStatement', 'ConditionalExpression'].includes(node.type) ? nodeAt(node, 'test') : undefined;
    if (test === undefined || isBoolean(test)) return [];
    return [changed(test, `!(${textOf(test)})`, 'negated')];
  },
  (node) => {
    const swapped = node.type === 'LogicalExpression' && { '&&': '||', '||': '&&' }[String(node['operator'])];
    return typeof swapped === 'string' ? operatorOf(node, swapped) : [];
  },
  (node) => {
    const other = node.type === 'BinaryExpression' ? COMPARISONS[String(node['operator'])] : undefined;
    return other === undefined ? [] : operatorOf(node, other);
  },
  (node, textOf) => {
    const argument = isNot(node) ? nodeAt(node, 'argument') : undefined;
    return argument === undefined ? [] : [changed(node, textOf(argument), '! removed')];
  },
  (node) => (isGuard(node) ? [changed(node, ';', 'guard dropped')] : []),
  (node, textOf) => {
    const object = methodOf(node) === 'filter' ? nodeAt(callee(node), 'object') : undefined;
    return object === undefined ? [] : [changed(node, textOf(object), 'filter dropped')];
  },
  (node) => {
    const swapped = { every: 'some', some: 'every' }[methodOf(node) ?? ''];
    const property = nodeAt(callee(node), 'property');
    return swapped === undefined || property === undefined ? [] : [changed(property, swapped, `${swapped} instead`)];
  },
  (node, textOf) => {
    const result = resultOf(node);
    if (result === undefined || !isBoolean(result)) return [];
    const others = ['true', 'false'].filter((value) => value !== textOf(result));
    return others.map((value) => changed(result, value, `result is ${value}`));
  },
  (node, textOf) => {
    if (node.type !== 'ArrayExpression') return [];
    const elements = (node['elements'] as readonly (SyntaxNode | null)[]).filter((one) => one !== null);
    return elements.map((element) => {
      const others = elements.filter((one) => one !== element).map(textOf);
      return changed(node, `[${others.join(', ')}]`, `element ${elements.indexOf(element) + 1} removed`);
    });
  },
  (node, textOf, path) => {
    const isText = node.type === 'TemplateElement' || typeof node['value'] === 'string';
    if (!path.includes('/sqlite/') || !isText || !STATEMENT.test(textOf(node))) return [];
    return [...textOf(node).matchAll(/(?<= )(AND|OR|[<>]?=|[<>])(?= )/g)].map(({ 0: word, index }) => {
      const start = node.start + index;
      const replacement = IN_STATEMENTS[word] ?? word;
      return { start, end: start + word.length, replacement, what: `${replacement} in the statement` };
    });
  },
  (node, textOf) => {
    const key = node.type === 'Property' ? nodeAt(node, 'key') : undefined;
    const other = key === undefined ? undefined : IN_QUERIES[textOf(key)];
    return key === undefined || other === undefined ? [] : [changed(key, other, `${other} instead`)];
  },
];

function changed({ start, end }: SyntaxNode, replacement: string, what: string): Change {
  return { start, end, replacement, what };
}

/** The operator lies between its two sides, with nothing but blanks and parentheses beside it. */
function operatorOf(node: SyntaxNode, other: string): readonly Change[] {
  const [left, right] = [nodeAt(node, 'left'), nodeAt(node, 'right')];
  if (left === undefined || right === undefined) return [];
  return [{ start: left.end, end: right.start, replacement: ` ${other} `, what: `${other} instead` }];
}

function isNot(node: SyntaxNode): boolean {
  return node.type === 'UnaryExpression' && node['operator'] === '!';
}

/** Whether an expression is written as one that is true or false. */
function isBoolean(node: SyntaxNode): boolean {
  if (node.type === 'BinaryExpression') return String(node['operator']) in COMPARISONS;
  if (node.type === 'LogicalExpression') return node['operator'] !== '??';
  return isNot(node) || typeof node['value'] === 'boolean';
}

/** A call that throws unless something holds, or a throw under a condition. */
function isGuard(node: SyntaxNode): boolean {
  if (node.type === 'IfStatement') {
    const then = nodeAt(node, 'consequent');
    const [only, ...others] = then?.type === 'BlockStatement' ? (then['body'] as readonly SyntaxNode[]) : [then];
    return only?.type === 'ThrowStatement' && others.length === 0 && nodeAt(node, 'alternate') === undefined;
  }
  if (node.type !== 'ExpressionStatement') return false;
  const expression = nodeAt(node, 'expression');
  const call = expression?.type === 'AwaitExpression' ? nodeAt(expression, 'argument') : expression;
  return call?.type === 'CallExpression' && GUARD.test(String(callee(call)['name']));
}

function callee(node: SyntaxNode): SyntaxNode {
  return nodeAt(node, 'callee') ?? node;
}

/** The name of the method that is called with one argument. */
function methodOf(node: SyntaxNode): string | undefined {
  if (node.type !== 'CallExpression' || (node['arguments'] as readonly unknown[]).length !== 1) return undefined;
  const name = nodeAt(callee(node), 'property')?.['name'];
  return typeof name === 'string' ? name : undefined;
}

/** What a function gives by this node: what it returns, or the expression that an arrow points to. */
function resultOf(node: SyntaxNode): SyntaxNode | undefined {
  if (node.type === 'ReturnStatement') return nodeAt(node, 'argument');
  return node.type === 'ArrowFunctionExpression' ? nodeAt(node, 'body') : undefined;
}
