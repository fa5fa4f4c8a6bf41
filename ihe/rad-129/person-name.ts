/** FHIR names as DICOM JSON writes them: the inverse of profiles/dicom/person-name.ts. @see DICOM PS3.5 6.2.1.2 */
import type { HumanName } from '@medplum/fhirtypes';
import { EXTENSION } from '../../profiles/codes.ts';
import type { JsonPersonName } from '../../profiles/dicom/json/json.ts';

/** Returns the name that a person bears, in its component groups; undefined when there is none. */
export function toJsonPersonName(names: readonly HumanName[] = []): JsonPersonName | undefined {
  const borne = names.filter(({ use }) => use !== 'maiden' && use !== 'old');
  const alphabetic = borne.find((name) => scriptOf(name) === undefined);
  const ideographic = borne.find((name) => scriptOf(name) === 'IDE');
  const phonetic = borne.find((name) => scriptOf(name) === 'SYL');
  const name: JsonPersonName = {
    ...(alphabetic === undefined ? {} : { Alphabetic: componentsOf(alphabetic) }),
    ...(ideographic === undefined ? {} : { Ideographic: componentsOf(ideographic) }),
    ...(phonetic === undefined ? {} : { Phonetic: componentsOf(phonetic) }),
  };
  return Object.keys(name).length === 0 ? undefined : name;
}

function scriptOf({ extension = [] }: HumanName): string | undefined {
  return extension.find(({ url }) => url === EXTENSION.nameRepresentation)?.valueCode;
}

/** `family^given^middle^prefix^suffix`; a name that is text alone is the family name. */
function componentsOf({ family, given = [], prefix = [], suffix = [], text = '' }: HumanName): string {
  const [first = '', ...middle] = given;
  const isText = family === undefined && given.length === 0;
  const components = [isText ? text : (family ?? ''), first, middle.join(' '), prefix.join(' '), suffix.join(' ')];
  return components
    .map((part) => part.replaceAll(/[\^=\\]/g, ' '))
    .join('^')
    .replace(/\^+$/, '');
}
