/** Professionals whom a report describes itself: no directory need know them. @see FHIR R4 references, contained */
import type { DiagnosticReport, HumanName, Practitioner, Reference } from '@medplum/fhirtypes';
import { toElements } from '../elements.ts';

/** The Practitioner whom a reference names among what a report contains: by itself, or as whose role that is. */
export function containedPractitioner(
  { contained = [] }: DiagnosticReport,
  { reference }: Reference,
): Practitioner | undefined {
  const at = (name: string | undefined) => contained.find(({ id }) => name === `#${id}`);
  const named = at(reference);
  const found = named?.resourceType === 'PractitionerRole' ? at(named.practitioner?.reference) : named;
  return found?.resourceType === 'Practitioner' ? found : undefined;
}

/** Names a contained Practitioner by number and name: where the report is not at hand, its references lead nowhere. */
export function logicalReference({ identifier, name }: Practitioner): Reference<Practitioner> {
  return toElements<Reference<Practitioner>>({
    type: 'Practitioner',
    identifier: identifier?.[0],
    display: name?.[0] && displayOf(name[0]),
  });
}

function displayOf({ text, prefix = [], given = [], family }: HumanName): string | undefined {
  const words = [...prefix, ...given, ...(family === undefined ? [] : [family])].join(' ');
  return text ?? (words === '' ? undefined : words);
}
