/** What R4 cannot say of the directory: numbers of professionals in their form, offices where they belong. */
import type { Identifier, Practitioner, PractitionerRole, Resource } from '@medplum/fhirtypes';
import { Fault } from '../../profiles/fault.ts';
import { isMailAddress } from '../../profiles/notices/recipient.ts';
import { IDENTIFIER_SYSTEM } from '../../profiles/codes.ts';
import { codesOfRegionRole, REGION_ROLES } from '../../profiles/region-role.ts';
import type { Validate } from '../../profiles/validation/validate.ts';
import type { Region } from './region-model.ts';

/**
 * RPPS: eleven digits. In the national identifier of a professional it stands behind an 8; who has none is known by the
 * number of an establishment, which begins with another digit. @see ANS, CI-SIS, PS_IdNat
 */
const FORMS: Readonly<Record<string, { readonly form: RegExp; readonly what: string }>> = {
  [IDENTIFIER_SYSTEM.rpps]: { form: /^\d{11}$/, what: 'an RPPS, which has 11 digits' },
  [IDENTIFIER_SYSTEM.professional]: {
    form: /^(?:8\d{11}|[0-7]\S{9,})$/,
    what: 'a national identifier of a professional, as 8 and an RPPS of 11 digits',
  },
};

/** Lists every rule that the directory breaks, as `place reason`; `validate` is that of R4. */
export function checkDirectory(region: Region, validate: Validate | undefined): string[] {
  const entries = region.bundle.entry ?? [];
  return [
    ...checkContacts(region),
    ...entries.flatMap(({ resource }, index) =>
      checkResource(region, resource, `/bundle/entry/${index}/resource`, validate),
    ),
    ...region.persons.flatMap(({ identifier }, index) => checkNumber(identifier, `/persons/${index}/identifier`)),
  ];
}

/** The office of an establishment says of which, that of the region none; each address is one, and nothing else. */
function checkContacts({ contacts, identifierDomains }: Region): string[] {
  return contacts.flatMap(({ office, organization, email }, index) => {
    const isKnown = identifierDomains.some((domain) => domain.organization === organization);
    const ofEstablishment = office.startsWith('establishment-');
    return [
      ...(isMailAddress(email) ? [] : [`/contacts/${index}/email is not one e-mail address`]),
      ...(ofEstablishment && !isKnown
        ? [`/contacts/${index} needs the organization of the office, which has an entry in identifierDomains`]
        : []),
      ...(!ofEstablishment && organization !== undefined
        ? [`/contacts/${index}/organization is for offices of establishments`]
        : []),
    ];
  });
}

function checkResource(
  region: Region,
  resource: Resource | undefined,
  place: string,
  validate: Validate | undefined,
): string[] {
  const invalid = resource === undefined || validate === undefined ? undefined : refusalOf(resource, validate);
  if (invalid !== undefined) return [`${place} is no valid resource of R4: ${invalid}`];
  if (resource?.resourceType === 'Practitioner') return checkPractitioner(resource, place);
  return resource?.resourceType === 'PractitionerRole' ? checkOffices(region, resource, place) : [];
}

function checkPractitioner({ identifier = [] }: Practitioner, place: string): string[] {
  return identifier.flatMap((one, index) => checkNumber(one, `${place}/identifier/${index}`));
}

function checkNumber({ system = '', value = '' }: Identifier, place: string): string[] {
  const known = Object.hasOwn(FORMS, system) ? FORMS[system] : undefined;
  return known === undefined || known.form.test(value) ? [] : [`${place}/value is not ${known.what}`];
}

function checkOffices({ identifierDomains }: Region, role: PractitionerRole, place: string): string[] {
  const codes = codesOfRegionRole(role.code);
  const known: readonly string[] = REGION_ROLES;
  const errors = codes.some((code) => !known.includes(code))
    ? [`${place}/code has an office that is none of ${REGION_ROLES.join(', ')}`]
    : [];
  const isOfEstablishment = identifierDomains.some(({ organization }) => organization === role.organization?.reference);
  if (codes.some((code) => code.startsWith('establishment-')) && !isOfEstablishment)
    errors.push(
      `${place}/organization has no entry in identifierDomains, and its role is an office of an establishment`,
    );
  return errors;
}

function refusalOf(resource: Resource, validate: Validate): string | undefined {
  try {
    validate(resource);
    return undefined;
  } catch (error) {
    if (error instanceof Fault) return error.message;
    throw error;
  }
}
