/**
 * How sure a source is of an identity, as it says in the Patient. System and code are read together.
 *
 * FR Core (identityStatus)                       | status
 * QUAL of fr-core-cs-identity-status             | qualified: taken from INSi, and a document was seen
 * VALI of the former table 0445, beside an INS   | qualified
 * VALI of fr-core-cs-identity-status             | validated: a document was seen
 * RECUP                                          | retrieved: taken from INSi, no document
 * PROV, VIDE, a code that is not known           | provisional
 * no extension at all                            | unsaid
 *
 * @see FR Core extension fr-core-identity-reliability; RNIV 1 section 3.2 (statuses and attributes)
 */
import type { Coding, Extension, Patient } from '@medplum/fhirtypes';
import { CODE_SYSTEM, EXTENSION } from '../codes.ts';
import { isINSSystem, nationalIdentifier } from '../national-identifiers.ts';

/** The statuses, from the least reliable one that is said; `unsaid` is for sources of countries that say none. */
const STATUSES = ['provisional', 'retrieved', 'validated', 'qualified'] as const;

/** What a source says of an identity. */
export type Reliability = {
  readonly status: (typeof STATUSES)[number] | 'unsaid';
  /** A further code stops every automatic join: doubtful, fictive, usurped, a double or collision, ended. */
  readonly isBarred: boolean;
  /** Anonymous or hidden: nothing of it is shown outside its source. */
  readonly isConcealed: boolean;
  /** Somebody else of the same name and birth date is known. */
  readonly isHomonym: boolean;
};

type Status = (typeof STATUSES)[number];

/** Codes of the former table 0445; those of a status stand beside the further ones. */
const FORMER_SYSTEMS: readonly string[] = [CODE_SYSTEM.frIdentityReliability, CODE_SYSTEM.frFormerIdentityReliability];
const FURTHER_SYSTEMS: readonly string[] = [CODE_SYSTEM.frIdentityStatusComment, ...FORMER_SYSTEMS];

const STATUS_OF: ReadonlyMap<string, Status> = new Map([
  ['QUAL', 'qualified'],
  ['VALI', 'validated'],
  ['RECUP', 'retrieved'],
]);

const CONCEALING = ['ANOM', 'CACH'];
const BARRING = ['DOUT', 'FICT', 'USUR', 'COLP', 'COLV', 'DPOT', 'DOUB', 'DOUA', 'DESA', 'INVA', ...CONCEALING];
const HOMONYMOUS = ['HOMD', 'HOMA'];
/** Further codes of the former table: beside a status they leave it as it is. */
const ATTRIBUTES = [...BARRING, ...HOMONYMOUS, 'FILI', 'IDVER', 'IDRA', 'RECD'];

/** Returns how reliable an identity is. What cannot be read counts as provisional. */
export function readReliability(patient: Patient): Reliability {
  const said = currentOf((patient.extension ?? []).filter(({ url }) => url === EXTENSION.frIdentityReliability));
  const further = said
    .flatMap((one) => [...codingsOf(one, 'identityStatus'), ...codingsOf(one, 'comment')])
    .filter(({ system = '' }) => FURTHER_SYSTEMS.includes(system))
    .map(({ code = '' }) => code);
  const says = (codes: readonly string[]): boolean => further.some((code) => codes.includes(code));
  return {
    status: statusOf(said, bearsINS(patient)),
    isBarred: says(BARRING),
    isConcealed: says(CONCEALING),
    isHomonym: says(HOMONYMOUS),
  };
}

/** The extension that was updated last; all of them where that is not said of each. */
function currentOf(all: readonly Extension[]): readonly Extension[] {
  const times = all.map(({ extension = [] }) =>
    Date.parse(extension.find(({ url }) => url === 'lastUpdated')?.valueDateTime ?? ''),
  );
  const last = Math.max(...times);
  const current = all.filter((_, at) => times[at] === last);
  return current.length === 1 ? current : all;
}

/** The least status that is said. */
function statusOf(said: readonly Extension[], isBesideINS: boolean): Reliability['status'] {
  if (said.length === 0) return 'unsaid';
  const statuses = said.map((one) => {
    const codings = codingsOf(one, 'identityStatus').filter(({ code = '' }) => !ATTRIBUTES.includes(code));
    const ranks = codings.map((coding) => STATUSES.indexOf(readStatus(coding, isBesideINS)));
    return ranks.length === 0 ? 0 : Math.min(...ranks);
  });
  return STATUSES[Math.min(...statuses)] ?? 'provisional';
}

function readStatus({ system = '', code = '' }: Coding, isBesideINS: boolean): Status {
  if (system === CODE_SYSTEM.frIdentityStatus) return STATUS_OF.get(code) ?? 'provisional';
  const status = FORMER_SYSTEMS.includes(system) && code !== 'QUAL' ? STATUS_OF.get(code) : undefined;
  return status === 'validated' && isBesideINS ? 'qualified' : (status ?? 'provisional');
}

function bearsINS({ identifier = [] }: Patient): boolean {
  return identifier.some(
    ({ system = '', value = '', use }) =>
      use !== 'old' && isINSSystem(system) && nationalIdentifier({ system, value }) !== undefined,
  );
}

function codingsOf({ extension = [] }: Extension, url: string): Coding[] {
  return extension
    .filter((one) => one.url === url)
    .flatMap(({ valueCoding, valueCodeableConcept }) => [
      ...(valueCoding === undefined ? [] : [valueCoding]),
      ...(valueCodeableConcept?.coding ?? []),
    ]);
}
