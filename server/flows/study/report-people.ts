/** Who a report names: establishments that may stand in it, and the professionals who signed it. */
import type { DiagnosticReport, Organization, PractitionerRole, Reference } from '@medplum/fhirtypes';
import { Fault } from '../../../profiles/fault.ts';
import type { ItemReading } from '../../access/grant.ts';
import type { RecordStore } from '../../ports/record-store.ts';
import type { RegionIndex } from '../identity/region-index.ts';
import { findById } from '../internal-reads.ts';

type Deps = {
  readonly records: RecordStore;
  readonly region: Pick<RegionIndex, 'readersFor' | 'servicesOf'>;
};

/** Departments within departments, up to the establishment. */
const MOST_PARTS = 5;
const MEMBERS = ['performer', 'resultsInterpreter'] as const;

/**
 * Requires that the establishments which a report names are its sender and its parts, or tied to the sender by the
 * region file: one of the two reads for the other.
 * @throws {Fault} invalid - an Organization that is not in the directory
 * @throws {Fault} business-rule - an Organization for which the region file does not speak
 */
export async function requirePerformers(
  deps: Deps,
  reading: ItemReading,
  report: DiagnosticReport,
  organization: string,
): Promise<void> {
  for (const member of MEMBERS) {
    for (const [at, { reference = '' }] of (report[member] ?? []).entries()) {
      if (!reference.startsWith('Organization/')) continue;
      const expression = `DiagnosticReport.${member}[${at}]`;
      const found = await findById<Organization>(deps.records, reading, 'Organization', idOf(reference));
      if (found === undefined)
        throw new Fault('invalid', 'The report names an Organization that is not in the directory', { expression });
      if (await speaksFor(deps, reading, organization, reference)) continue;
      const message = 'The report names another establishment, and the region file does not say that one reads for it';
      throw new Fault('business-rule', `${message} (identifierDomains.readsFor)`, { expression });
    }
  }
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

/** The professionals of the directory (`Practitioner/id`) who signed: who interpreted, else who performed. */
export async function signersOf(
  records: RecordStore,
  reading: ItemReading,
  { resultsInterpreter = [], performer = [] }: DiagnosticReport,
): Promise<readonly string[]> {
  const interpreters = await professionalsOf(records, reading, resultsInterpreter);
  return interpreters.length > 0 ? interpreters : await professionalsOf(records, reading, performer);
}

async function professionalsOf(
  records: RecordStore,
  reading: ItemReading,
  references: readonly Reference[],
): Promise<readonly string[]> {
  const found = await Promise.all(references.map(async (one) => await professionalOf(records, reading, one)));
  return [...new Set(found.filter((reference) => reference !== undefined))];
}

async function professionalOf(
  records: RecordStore,
  reading: ItemReading,
  { reference = '' }: Reference,
): Promise<string | undefined> {
  const id = idOf(reference);
  if (reference.startsWith('PractitionerRole/')) {
    const role = await findById<PractitionerRole>(records, reading, 'PractitionerRole', id);
    const practitioner = role?.resource.practitioner?.reference;
    return practitioner === undefined ? undefined : await professionalOf(records, reading, { reference: practitioner });
  }
  if (!reference.startsWith('Practitioner/')) return undefined;
  const known = await findById(records, reading, 'Practitioner', id);
  return known === undefined ? undefined : `Practitioner/${id}`;
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
