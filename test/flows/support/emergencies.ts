/** Emergencies as professionals declare them over the wire. */
import type { Bundle } from '@medplum/fhirtypes';
import { PATIENTS } from '../../../fixtures/people.ts';
import type { FhirAnswer, FhirCaller } from '../../support/clients/fhir-caller.ts';

/** A justification that is one. */
export const JUSTIFICATION = 'Patiente inconsciente aux urgences, antécédents inconnus';
/** A number that nobody bears. */
export const UNKNOWN = { ...PATIENTS.helene.national, value: '299999999999945' };

/** What of an emergency is other than usual. */
export type Emergency = {
  readonly identifier?: object;
  readonly reason?: string;
  readonly justification?: string;
  readonly further?: readonly object[];
};

/** The body of one. */
export function emergency({
  identifier = PATIENTS.helene.national,
  reason = 'ETREAT',
  justification = JUSTIFICATION,
  further = [],
}: Emergency = {}): object {
  return {
    resourceType: 'Parameters',
    parameter: [
      { name: 'identifier', valueIdentifier: identifier },
      { name: 'reason', valueCode: reason },
      { name: 'justification', valueString: justification },
      ...further,
    ],
  };
}

/** An emergency of somebody who is known by her traits alone. */
export function byTraits(traits: object): object {
  const { parameter, ...rest } = emergency() as { parameter: { name: string }[] };
  const others = parameter.filter(({ name }) => name !== 'identifier');
  return { ...rest, parameter: [...others, { name: 'resource', resource: { resourceType: 'Patient', ...traits } }] };
}

/** Declares one. */
export async function declare(caller: FhirCaller, what?: Emergency): Promise<FhirAnswer> {
  return await caller.send('POST', 'Patient/$break-glass', emergency(what));
}

/** How many rows a search finds. */
export async function count(caller: FhirCaller, path: string): Promise<number | undefined> {
  return (await caller.get(`${path}${path.includes('?') ? '&' : '?'}_summary=count`)).json<Bundle>().total;
}

/** Answers without what differs from one to the next. */
export function comparable({ status, headers, text }: FhirAnswer): unknown {
  const kept = [...headers].filter(([name]) => !['date', 'x-request-id'].includes(name));
  return JSON.stringify({ status, kept, text }).replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, 'ID');
}
