/** `Patient/$who-can-access` by GET and POST: who may open the record of the patient who asks. */
import type { Parameters, ParametersParameter, Practitioner, Reference } from '@medplum/fhirtypes';
import type { Context } from 'koa';
import { formsOfNumber } from '../../../profiles/professional-numbers.ts';
import { Fault } from '../../../profiles/fault.ts';
import type { Access, AccessList } from '../../flows/consent/who-can-access.ts';
import type { Visit } from '../../flows/guard.ts';
import { answerJson } from './answer.ts';
import type { FhirDeps } from './deps.ts';
import { hasBody, NO_PARAMETERS, parametersOf } from './parameters.ts';
import { admit, readBodyResource } from './request.ts';

const ATTEMPT = { interaction: 'operation', operation: 'who-can-access' } as const;
const NAMES = ['name', 'identifier', '_count', '_offset'] as const;
const COUNT = { usual: 100, most: 500 } as const;

/** What is asked: words of a name, a number with or without its system, and the part of the list. */
type Asked = {
  readonly name: string;
  readonly identifier: string;
  readonly count: number;
  readonly offset: number;
};

/** In: name (string), identifier (token), _count and _offset (integer), in the URL. Out: Parameters. */
export async function getAccessList(deps: FhirDeps, ctx: Context): Promise<void> {
  const { visit } = await admit(deps, ctx, ATTEMPT);
  const given = new URLSearchParams(ctx.querystring);
  const other = [...given.keys()].find((name) => !NAMES.some((one) => one === name));
  if (other !== undefined || new Set(given.keys()).size < [...given.keys()].length) throw unknownParameter();
  await answer(deps, ctx, visit, (name) => given.get(name) ?? undefined);
}

/** In: the same as Parameters. */
export async function postAccessList(deps: FhirDeps, ctx: Context): Promise<void> {
  const admitted = await admit(deps, ctx, ATTEMPT);
  const body = hasBody(ctx) ? await readBodyResource(deps, ctx, admitted) : NO_PARAMETERS;
  const parameters = parametersOf(body, NAMES);
  await answer(deps, ctx, admitted.visit, (name) => {
    const { valueString, valueInteger } = parameters.get(name) ?? {};
    return valueString ?? (valueInteger === undefined ? undefined : `${valueInteger}`);
  });
}

async function answer(
  deps: FhirDeps,
  ctx: Context,
  visit: Visit,
  valueOf: (name: (typeof NAMES)[number]) => string | undefined,
): Promise<void> {
  const { requester } = visit;
  if (requester.kind !== 'patient') throw new Fault('forbidden', 'Who may open a record is told to its patient only');
  const asked: Asked = {
    name: valueOf('name') ?? '',
    identifier: valueOf('identifier') ?? '',
    count: Math.min(integerIn(valueOf('_count'), COUNT.usual), COUNT.most),
    offset: integerIn(valueOf('_offset'), 0),
  };
  const list = await deps.whoCanAccess(visit, requester);
  answerJson(ctx, 200, JSON.stringify(formatList(list, asked)));
}

function unknownParameter(): Fault {
  return new Fault('invalid', `The operation has the parameters ${NAMES.join(', ')}, each once`, {
    expression: 'Parameters.parameter',
  });
}

function integerIn(text: string | undefined, usual: number): number {
  if (text === undefined) return usual;
  if (!/^\d{1,6}$/.test(text))
    throw new Fault('invalid', 'A count is a whole number', { expression: 'Parameters.parameter' });
  return Number(text);
}

function formatList({ entries, organizations }: AccessList, asked: Asked): Parameters {
  const matching = entries.filter((entry) => isNamed(entry, asked.name) && isNumbered(entry, asked.identifier));
  const page = matching.slice(asked.offset, asked.offset + asked.count);
  return {
    resourceType: 'Parameters',
    parameter: [
      { name: 'total', valueInteger: matching.length },
      ...page.map((entry) => ({ name: 'access', part: partsOf(entry, organizations) })),
    ],
  };
}

function partsOf(access: Access, organizations: AccessList['organizations']): ParametersParameter[] {
  const { roles, relation, reach, since, until, consent, isTemporary } = access;
  const dateTime = (name: string, at: number | undefined): ParametersParameter[] =>
    at === undefined ? [] : [{ name, valueDateTime: new Date(at).toISOString() }];
  return [
    { name: 'who', valueReference: referenceTo(access) },
    { name: 'relation', valueCode: relation },
    { name: 'reach', valueCode: reach },
    { name: 'temporary', valueBoolean: isTemporary },
    ...roles.flatMap(({ code = [], specialty = [], organization }) => [
      ...code.map((valueCodeableConcept) => ({ name: 'role', valueCodeableConcept })),
      ...specialty.map((valueCodeableConcept) => ({ name: 'specialty', valueCodeableConcept })),
      ...(organization === undefined ? [] : [institution(organization, organizations)]),
    ]),
    ...dateTime('since', since),
    ...dateTime('until', until),
    ...(consent === undefined ? [] : [{ name: 'consent', valueReference: { reference: consent } }]),
  ];
}

function institution({ reference = '' }: Reference, names: AccessList['organizations']): ParametersParameter {
  const display = names.get(reference);
  return { name: 'institution', valueReference: { reference, ...(display === undefined ? {} : { display }) } };
}

function referenceTo({ who, display }: Access): Reference {
  const reference = `${who.resourceType}/${who.id}`;
  const [identifier] = who.identifier ?? [];
  return {
    reference,
    ...(identifier === undefined ? {} : { identifier }),
    ...(display === '' ? {} : { display }),
  };
}

/** Each word that is asked for begins a word of the name, whatever its case and accents. */
function isNamed({ display }: Access, asked: string): boolean {
  const names = wordsOf(display);
  return wordsOf(asked).every((word) => names.some((name) => name.startsWith(word)));
}

function wordsOf(text: string): readonly string[] {
  const plain = text.normalize('NFD').replaceAll(/\p{M}/gu, '').toLowerCase();
  return plain.split(/[^\p{L}\p{N}]+/u).filter((word) => word !== '');
}

/** A number in any of its forms, with its system or without. */
function isNumbered({ who }: Access, asked: string): boolean {
  if (asked === '') return true;
  const [system, value] = asked.includes('|') ? asked.split('|') : [undefined, asked];
  const numbers = ((who as Practitioner).identifier ?? []).flatMap((one) =>
    formsOfNumber({ system: one.system ?? '', value: one.value ?? '' }),
  );
  return numbers.some((one) => one.value === value && (system === undefined || one.system === system));
}
