/**
 * DICOM person names as FHIR names.
 *
 * PN component | HumanName
 * family       | family
 * given, middle| given
 * prefix       | prefix
 * suffix       | suffix
 * @see DICOM PS3.5 6.2.1.2
 */
import type { HumanName } from '@medplum/fhirtypes';
import { EXTENSION } from '../codes.ts';
import { toElements } from '../elements.ts';
import type { JsonPersonName } from './json/json.ts';

/**
 * Returns one name for each component group: the alphabetic one by its parts, the ideographic and phonetic ones as
 * text with the kind of their script.
 */
export function toHumanNames({ Alphabetic, Ideographic, Phonetic }: JsonPersonName): HumanName[] {
  const alphabetic = Alphabetic === undefined ? undefined : toHumanName(Alphabetic);
  return [
    ...(alphabetic === undefined ? [] : [alphabetic]),
    ...(Ideographic === undefined ? [] : [textName(Ideographic, 'IDE')]),
    ...(Phonetic === undefined ? [] : [textName(Phonetic, 'SYL')]),
  ];
}

/** Returns a name as a reader writes it: prefix, given, family, suffix; undefined when it has no letters. */
export function formatPersonName({ Alphabetic, Ideographic, Phonetic }: JsonPersonName): string | undefined {
  const [family = '', given = '', middle = '', prefix = '', suffix = ''] = componentsOf(
    Alphabetic ?? Ideographic ?? Phonetic ?? '',
  );
  return [prefix, given, middle, family, suffix].filter((part) => part !== '').join(' ') || undefined;
}

function toHumanName(group: string): HumanName | undefined {
  const [family = '', given = '', middle = '', prefix = '', suffix = ''] = componentsOf(group);
  const name = toElements<HumanName>({
    family: family || undefined,
    given: [given, middle].filter((part) => part !== ''),
    prefix: prefix === '' ? undefined : [prefix],
    suffix: suffix === '' ? undefined : [suffix],
  });
  return Object.keys(name).length === 0 ? undefined : name;
}

function textName(group: string, script: 'IDE' | 'SYL'): HumanName {
  return {
    extension: [{ url: EXTENSION.nameRepresentation, valueCode: script }],
    text: componentsOf(group)
      .filter((part) => part !== '')
      .join(' '),
  };
}

function componentsOf(group: string): string[] {
  return group.split('^').map((component) => component.trim());
}
