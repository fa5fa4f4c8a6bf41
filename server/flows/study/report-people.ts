/** Who a report names: establishments that may stand in it, and the professionals who signed it. */
import type {
  DiagnosticReport,
  Identifier,
  Organization,
  PractitionerRole,
  Reference,
  Resource,
} from '@medplum/fhirtypes';
import { containedPractitioner, logicalReference } from '../../../profiles/documents/contained-practitioner.ts';
import { Fault } from '../../../profiles/fault.ts';
import { formsOfNumber } from '../../../profiles/professional-numbers.ts';
import { numberToken } from '../../../profiles/search/criterion.ts';
import type { ItemReading, NarrowReading } from '../../access/grant.ts';
import type { PersonKey } from '../../access/requester.ts';
import type { RecordStore } from '../../ports/record-store.ts';
import type { RegionIndex } from '../identity/region-index.ts';
import { findAll, findById } from '../internal-reads.ts';

type Deps = {
  readonly records: RecordStore;
  readonly region: Pick<RegionIndex, 'readersFor' | 'servicesOf'>;
};

/** Departments within departments, up to the establishment. */
const MOST_PARTS = 5;
const MEMBERS = ['performer', 'resultsInterpreter'] as const;
/** Each is looked up: a report of one exam has a few. */
const MOST_NAMED = 100;

/** A report that names establishments, the person that it is about, and who sends it (`Organization/id`). */
export type NamingEstablishments = {
  readonly report: DiagnosticReport;
  readonly person: PersonKey;
  readonly organization: string;
};

/**
 * Requires that the establishments which a report names, or in which somebody has the role that it names, are its
 * sender and its parts, or tied to the sender by the region file: one of the two reads for the other. They are named by
 * reference, by a number of the directory, or by what the report itself contains.
 * @throws {Fault} invalid - an Organization that is not in the directory
 * @throws {Fault} business-rule - an Organization for which the region file does not speak, or more names than 100
 */
export async function requirePerformers(
  deps: Deps,
  reading: NarrowReading,
  { report, person, organization }: NamingEstablishments,
): Promise<void> {
  const places = placesNamed(report);
  requireFew(report, places.length);
  for (const [expression, reference] of places) {
    const literal = await establishmentIn(deps, reading, reference.reference ?? '', expression);
    const numbered = await numberedEstablishments(deps, reading, person, reference.identifier);
    for (const named of [...(literal === undefined ? [] : [literal]), ...numbered]) {
      if (await speaksFor(deps, reading, organization, named)) continue;
      const message = 'The report names another establishment, and the region file does not say that one reads for it';
      throw new Fault('business-rule', `${message} (identifierDomains.readsFor)`, { expression });
    }
  }
}

/** Also of one that is named over and over: who signed is looked up by each name. */
function requireFew(report: DiagnosticReport, places: number): void {
  const many = MEMBERS.find((member) => Math.max(report[member]?.length ?? 0, places) > MOST_NAMED);
  if (many === undefined) return;
  const expression = `DiagnosticReport.${many}`;
  throw new Fault('business-rule', `A report names more than ${MOST_NAMED} who performed it`, { expression });
}

/** The references by which a report names who performed, and those of what it contains of them, without repetition. */
function placesNamed(report: DiagnosticReport): readonly (readonly [expression: string, Reference])[] {
  const contained = new Map((report.contained ?? []).map((one) => [`#${one.id}`, one]));
  const places = new Map<string, readonly [string, Reference]>();
  const add = (expression: string, { reference = '', identifier = {} }: Reference): void => {
    const key = JSON.stringify([reference, identifier.system, identifier.value]);
    if (!places.has(key)) places.set(key, [expression, { reference, identifier }]);
  };
  for (const member of MEMBERS)
    for (const [at, one] of (report[member] ?? []).entries()) add(`DiagnosticReport.${member}[${at}]`, one);
  // What is added meanwhile is looked at as well.
  for (const [expression, { reference = '' }] of places.values())
    for (const further of withinOf(contained.get(reference))) add(expression, further);
  return [...places.values()];
}

/** Where something contained belongs to, and the numbers that it bears. */
function withinOf(contained: Resource | undefined): readonly Reference[] {
  if (contained?.resourceType === 'Organization') {
    const { identifier = [], partOf } = contained;
    const numbers = identifier.map((number): Reference => ({ identifier: number }));
    return partOf === undefined ? numbers : [...numbers, partOf];
  }
  if (contained?.resourceType === 'PractitionerRole') {
    const { organization } = contained;
    return organization === undefined ? [] : [organization];
  }
  if (contained?.resourceType !== 'CareTeam') return [];
  const { managingOrganization = [], participant = [] } = contained;
  return [...managingOrganization, ...participant.flatMap(({ member }) => member ?? [])];
}

/** The Organization (`Organization/id`) that a reference names: by itself, or as the place of somebody's role. */
async function establishmentIn(
  { records }: Deps,
  reading: ItemReading,
  reference: string,
  expression: string,
): Promise<string | undefined> {
  if (reference.startsWith('PractitionerRole/')) {
    const role = await findById<PractitionerRole>(records, reading, 'PractitionerRole', idOf(reference));
    return role?.resource.organization?.reference;
  }
  if (!reference.includes('Organization/')) return undefined;
  const isLocal = reference.startsWith('Organization/');
  const found = isLocal ? await findById<Organization>(records, reading, 'Organization', idOf(reference)) : undefined;
  if (found === undefined)
    throw new Fault('invalid', 'The report names an Organization that is not in the directory', { expression });
  return `Organization/${idOf(reference)}`;
}

/** The Organizations (`Organization/id`) of the directory that bear a number. */
async function numberedEstablishments(
  { records }: Deps,
  reading: NarrowReading,
  person: PersonKey,
  { system, value }: Identifier = {},
): Promise<readonly string[]> {
  if (system === undefined || value === undefined) return [];
  const number = { kind: 'token', param: 'identifier', values: [{ system, code: value }] } as const;
  const found = await findAll(records, reading({ person }), 'Organization', [number]);
  return found.map(({ row }) => `Organization/${row.id}`);
}

/** The Organizations of a report (`Organization/id`) that may be authors of its document. */
export async function institutionsOf(
  deps: Deps,
  reading: ItemReading,
  report: DiagnosticReport,
  organization: string,
): Promise<readonly string[]> {
  const named = MEMBERS.flatMap((member) => report[member] ?? []).map(({ reference = '' }) => reference);
  const institutions: string[] = [];
  for (const reference of new Set(named)) {
    const isOne = reference.startsWith('Organization/') && (await speaksFor(deps, reading, organization, reference));
    if (isOne) institutions.push(reference);
  }
  return institutions;
}

/**
 * The professionals of the directory (`Practitioner/id`) who signed a report of a person: who interpreted, else who
 * performed. They are named by reference, by a role, or by a number that one of them alone bears, also where the report
 * describes them itself.
 */
export async function signersOf(
  records: RecordStore,
  reading: NarrowReading,
  person: PersonKey,
  report: DiagnosticReport,
): Promise<readonly string[]> {
  const { resultsInterpreter = [], performer = [] } = report;
  const named = async (references: readonly Reference[]): Promise<readonly string[]> => {
    const persons = references.map((one) => {
      const practitioner = containedPractitioner(report, one);
      return practitioner === undefined ? one : logicalReference(practitioner);
    });
    const found = persons.map(async (one) => await professionalOf(records, reading, person, one));
    return [...new Set((await Promise.all(found)).filter((reference) => reference !== undefined))];
  };
  const interpreters = await named(resultsInterpreter);
  return interpreters.length > 0 ? interpreters : await named(performer);
}

async function professionalOf(
  records: RecordStore,
  reading: NarrowReading,
  person: PersonKey,
  { reference, identifier }: Reference,
): Promise<string | undefined> {
  if (reference === undefined) return await numberedProfessional(records, reading, person, identifier);
  const id = idOf(reference);
  if (reference.startsWith('PractitionerRole/')) {
    const role = await findById<PractitionerRole>(records, reading, 'PractitionerRole', id);
    const practitioner = role?.resource.practitioner;
    return practitioner === undefined ? undefined : await professionalOf(records, reading, person, practitioner);
  }
  if (!reference.startsWith('Practitioner/')) return undefined;
  const known = await findById(records, reading, 'Practitioner', id);
  return known === undefined ? undefined : `Practitioner/${id}`;
}

async function numberedProfessional(
  records: RecordStore,
  reading: NarrowReading,
  person: PersonKey,
  { system, value }: Identifier = {},
): Promise<string | undefined> {
  if (system === undefined || value === undefined) return undefined;
  const values = formsOfNumber({ system, value }).map(numberToken);
  const numbered = { kind: 'token', param: 'identifier', values } as const;
  const [found, ...others] = await findAll(records, reading({ person }), 'Practitioner', [numbered]);
  return found === undefined || others.length > 0 ? undefined : `Practitioner/${found.row.id}`;
}

async function speaksFor(
  { records, region }: Deps,
  reading: ItemReading,
  organization: string,
  reference: string,
): Promise<boolean> {
  const isTied = (one: string): boolean =>
    region.readersFor(one).includes(organization) || region.readersFor(organization).includes(one);
  let part: string | undefined = reference;
  for (let depth = 0; part !== undefined && depth < MOST_PARTS; depth += 1) {
    if (isTied(part) || region.servicesOf(organization).includes(part)) return true;
    const found: { readonly resource: Organization } | undefined = await findById<Organization>(
      records,
      reading,
      'Organization',
      idOf(part),
    );
    part = found?.resource.partOf?.reference;
  }
  return false;
}

function idOf(reference: string): string {
  return reference.split('/')[1] ?? '';
}
