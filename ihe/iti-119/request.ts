/** ITI-119 Patient Demographics Match, request: $match. @see IHE PDQm 3.2, 2:3.119.4.1 */
import type { Parameters, ParametersParameter, Patient, Resource } from '@medplum/fhirtypes';
import { Fault } from '../../profiles/fault.ts';

/** What is asked: who is like this Patient. */
export type MatchRequest = {
  readonly sought: Patient;
  /** Answer those alone who are certainly she. */
  readonly onlyCertainMatches: boolean;
  /** Most Patients of the answer; undefined when the requester does not say. */
  readonly count: number | undefined;
};

const NAMES: readonly string[] = ['resource', 'onlyCertainMatches', 'count'];

/**
 * Reads the body: Parameters, or the Patient alone.
 * @throws {Fault} required - there is no Patient
 * @throws {Fault} invalid - another resource or parameter, one that comes twice, or that is not of its type
 */
export function parseMatchRequest(body: Resource): MatchRequest {
  if (body.resourceType === 'Patient') return requestOf(body, new Map());
  if (body.resourceType !== 'Parameters') throw invalid('The body is neither Parameters nor a Patient', 'resourceType');
  const parameters = parametersOf(body);
  const sought = parameters.get('resource')?.resource;
  if (sought === undefined) throw new Fault('required', 'The parameter resource is missing', AT_PARAMETER);
  if (sought.resourceType !== 'Patient') throw invalid('The parameter resource is no Patient');
  return requestOf(sought, parameters);
}

const AT_PARAMETER = { expression: 'Parameters.parameter' } as const;

function parametersOf({ parameter = [] }: Parameters): ReadonlyMap<string, ParametersParameter> {
  const parameters = new Map<string, ParametersParameter>();
  for (const one of parameter) {
    if (!NAMES.includes(one.name)) throw invalid(`The operation has the parameters ${NAMES.join(', ')} only`);
    if (parameters.has(one.name)) throw invalid(`The parameter ${one.name} comes twice`);
    parameters.set(one.name, one);
  }
  return parameters;
}

/** What changes the meaning of a Patient is not understood, so it is refused. */
function requestOf(sought: Patient, parameters: ReadonlyMap<string, ParametersParameter>): MatchRequest {
  if (sought.implicitRules !== undefined || (sought.modifierExtension ?? []).length > 0)
    throw invalid('The Patient has implicitRules or a modifierExtension, which are not understood');
  const certain = parameters.get('onlyCertainMatches');
  if (certain !== undefined && certain.valueBoolean === undefined)
    throw invalid('The parameter onlyCertainMatches is a boolean');
  return { sought, onlyCertainMatches: certain?.valueBoolean === true, count: countOf(parameters.get('count')) };
}

function countOf(parameter: ParametersParameter | undefined): number | undefined {
  if (parameter === undefined) return undefined;
  const count = parameter.valueInteger ?? parameter.valuePositiveInt;
  if (count === undefined || count < 1) throw invalid('The parameter count is a whole number from 1 on');
  return count;
}

function invalid(message: string, expression: string = AT_PARAMETER.expression): Fault {
  return new Fault('invalid', message, { expression });
}
