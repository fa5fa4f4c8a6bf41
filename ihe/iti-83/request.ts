/** ITI-83 Mobile Patient Identifier Cross-reference Query, request: $ihe-pix. @see IHE PIXm 3.1, 2:3.83.4.1 */
import type { Parameters } from '@medplum/fhirtypes';
import type { IssuedIdentifier } from '../../profiles/affinity-domain.ts';
import { comparedUri } from '../../profiles/codes.ts';
import { Fault } from '../../profiles/fault.ts';

/** What is asked: whose identifiers, and of which domains; of all when it names none. */
export type CrossReferenceQuery = { readonly source: IssuedIdentifier; readonly targets: readonly string[] };

/** Most domains that one query names. */
const MAX_TARGETS = 50;
/** Longest value, in characters. */
const MAX_LENGTH = 2_048;

const SOURCE = 'sourceIdentifier';
const TARGET = 'targetSystem';
/** Of the answer, and told by the door. */
const OF_THE_ANSWER: readonly string[] = ['_format', '_pretty'];

/** Name and value of each parameter, in order. */
type Pair = readonly [name: string, value: string];

/**
 * Reads the parameters of a URL.
 * @throws {Fault} required, invalid, too-costly - see {@link readCrossReferenceQuery}
 */
export function parseCrossReferenceUrl(parameters: URLSearchParams): CrossReferenceQuery {
  return readCrossReferenceQuery([...parameters].filter(([name]) => !OF_THE_ANSWER.includes(name)));
}

/**
 * Reads a Parameters resource: each parameter has one value, a string or a URI.
 * @throws {Fault} required, invalid, too-costly - see {@link readCrossReferenceQuery}
 */
export function parseCrossReferenceBody({ parameter = [] }: Parameters): CrossReferenceQuery {
  const pairs = parameter.map(({ name, valueString, valueUri }): Pair => [name, valueString ?? valueUri ?? '']);
  return readCrossReferenceQuery(pairs.filter(([name]) => !OF_THE_ANSWER.includes(name)));
}

/**
 * Reads a query.
 * @throws {Fault} required - there is no sourceIdentifier
 * @throws {Fault} invalid - several of them, one that is not `system|value`, an empty domain, another parameter
 * @throws {Fault} too-costly - more than 50 domains, or a value over 2,048 characters
 */
function readCrossReferenceQuery(pairs: readonly Pair[]): CrossReferenceQuery {
  const unknown = pairs.find(([name]) => name !== SOURCE && name !== TARGET);
  if (unknown !== undefined)
    throw new Fault('invalid', `The operation has the parameters ${SOURCE}, ${TARGET} and _format only`);
  if (pairs.some(([, value]) => value.length > MAX_LENGTH))
    throw new Fault('too-costly', `A value of the operation has at most ${MAX_LENGTH} characters`);
  const [source, ...others] = valuesOf(pairs, SOURCE);
  if (source === undefined) throw new Fault('required', `The parameter ${SOURCE} is missing`, { expression: SOURCE });
  if (others.length > 0) throw new Fault('invalid', `The parameter ${SOURCE} comes twice`, { expression: SOURCE });
  const targets = valuesOf(pairs, TARGET).map(comparedUri);
  if (targets.length > MAX_TARGETS)
    throw new Fault('too-costly', `The parameter ${TARGET} comes at most ${MAX_TARGETS} times`, { expression: TARGET });
  if (targets.includes('')) throw new Fault('invalid', `A ${TARGET} is empty`, { expression: TARGET });
  return { source: sourceOf(source), targets: [...new Set(targets)] };
}

function valuesOf(pairs: readonly Pair[], wanted: string): readonly string[] {
  return pairs.flatMap(([name, value]) => (name === wanted ? [value] : []));
}

/** A value may hold an escaped bar, a system none. @see https://hl7.org/fhir/R4/search.html#escaping */
function sourceOf(text: string): IssuedIdentifier {
  const [, system = '', value = ''] = /^([^|\\]+)\|((?:[^|\\]|\\.)+)$/s.exec(text) ?? [];
  if (system === '')
    throw new Fault('invalid', `The parameter ${SOURCE} must be written system|value`, { expression: SOURCE });
  return { system: comparedUri(system), value: value.replaceAll(/\\(.)/gs, '$1') };
}
