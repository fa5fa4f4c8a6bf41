/** Which roles a professional holds, told from the directory: active, within their period, in an organization. */
import type { Practitioner, PractitionerRole, Resource } from '@medplum/fhirtypes';
import { CODE_SYSTEM } from '../../../profiles/codes.ts';
import { regionRolesOf } from '../../../profiles/region-role.ts';
import { periodRange, type DateRange } from '../../../profiles/search/date-range.ts';
import type { BreakGlassSettings } from '../../../profiles/consent/emergency.ts';
import type { RepresentativeSettings } from '../../../profiles/consent/representation.ts';
import type { Region } from '../../config/region-model.ts';
import type { Profession, Role } from '../../access/requester.ts';
import { FOREVER } from '../../access/right.ts';

/** Roles whose coding says that the professional reads images. */
const RADIOLOGIST_CODES = new Set(['G15_10/SM44', 'SM44', 'SM28']);

/** Occupational medicine (médecine du travail), in its specialities. @see access.md C16 */
const OUTSIDE_CARE_CODES = ['G15_10/SM25', 'SM25'];

/**
 * Whether a professional may act at a time (epoch milliseconds): active, and of the roles that the directory gives or
 * gave one is held. Whoever never had one acts for nobody, and sees what names the person alone.
 */
export function mayAct({ active }: Practitioner, roles: readonly PractitionerRole[], now: number): boolean {
  return active !== false && (roles.length === 0 || roles.some((role) => isHeld(role, now)));
}

/** The roles that are held at a time (epoch milliseconds), as the decision knows them. */
export function heldRoles(roles: readonly PractitionerRole[], now: number, directory: Directory): readonly Role[] {
  return roles.flatMap((role) => (isHeld(role, now) ? roleOf(role, directory) : []));
}

/** Whether one of the roles that are held at a time (epoch milliseconds) is of no care, be it in no organization. */
export function isOutsideCare(
  roles: readonly PractitionerRole[],
  now: number,
  { outsideCare }: Pick<Directory, 'outsideCare'>,
): boolean {
  return roles.some((role) => isHeld(role, now) && hasCodeOf(role, outsideCare));
}

/**
 * What a directory tells: what organizations are parts of, and how they are called; and what the region file says
 * beside it of what its people may see.
 */
export type Directory = {
  readonly within: Within;
  readonly partsOf: PartsOf;
  readonly nameOf: NameOf;
  /** Codes of roles whose holders see no record. */
  readonly outsideCare: ReadonlySet<string>;
  /** What emergencies do. */
  readonly breakGlass: BreakGlassSettings;
  /** What legal representatives reach. */
  readonly representatives: RepresentativeSettings;
};

/** What a region file says of its directory besides. */
export type DirectorySettings = Pick<Region, 'rolesOutsideCare' | 'breakGlass' | 'representatives'>;

/** The name of an organization (`Organization/id`); undefined of one that is not known, or has none. */
export type NameOf = (organization: string) => string | undefined;

/** Gives an organization (`Organization/id`) and all of which it is a part, itself first. */
export type Within = (organization: string) => readonly string[];

/** Gives an organization (`Organization/id`) and all parts of it. */
export type PartsOf = (organization: string) => readonly string[];

/** Departments within departments, up to the establishment and its group: more are not looked at. */
const MOST_PARTS = 10;

/** Of an Organization that is not among them it knows that one alone. */
function withinOf(directory: readonly Resource[]): Within {
  const wholes = new Map(
    directory.flatMap((resource) =>
      resource.resourceType === 'Organization'
        ? [[`Organization/${resource.id ?? ''}`, resource.partOf?.reference]]
        : [],
    ),
  );
  return (organization) => {
    const found = new Set<string>();
    for (let part: string | undefined = organization; part !== undefined && found.size < MOST_PARTS;) {
      if (found.has(part)) break;
      found.add(part);
      part = wholes.get(part);
    }
    return [...found];
  };
}

/** Tells it from the resources of a directory, and the settings of the region. */
export function directoryOf(
  resources: readonly Resource[],
  { rolesOutsideCare = [], breakGlass = {}, representatives = {} }: DirectorySettings = {},
): Directory {
  const outsideCare = new Set([...OUTSIDE_CARE_CODES, ...rolesOutsideCare]);
  const within = withinOf(resources);
  const [partsOf, nameOf] = [partsIn(resources, within), namesIn(resources)];
  return { within, partsOf, nameOf, outsideCare, breakGlass, representatives };
}

/** Tells the parts; they are looked for when somebody asks. */
function partsIn(directory: readonly Resource[], within: Within): PartsOf {
  return (whole) => {
    const known = directory.flatMap(({ resourceType, id = '' }) =>
      resourceType === 'Organization' ? [`Organization/${id}`] : [],
    );
    return [whole, ...known.filter((part) => part !== whole && within(part).includes(whole))];
  };
}

/** Tells the names. */
function namesIn(directory: readonly Resource[]): NameOf {
  const names = new Map(
    directory.flatMap((resource) =>
      resource.resourceType === 'Organization' ? [[`Organization/${resource.id ?? ''}`, resource.name]] : [],
    ),
  );
  return (organization) => names.get(organization);
}

/** When time alone makes another of a professional, next after now: a role begins or ends (epoch milliseconds). */
export function nextTurn(roles: readonly PractitionerRole[], now: number): number {
  const turns = roles.flatMap((role) => Object.values(periodOf(role))).filter((moment) => moment > now);
  return Math.min(FOREVER, ...turns);
}

/** Whether a role is held at a time (epoch milliseconds). */
export function isHeld(role: PractitionerRole, now: number): boolean {
  const { lo, hi } = periodOf(role);
  return role.active !== false && lo <= now && now < hi;
}

/** When a role is held; a period that is none holds at no time. */
function periodOf({ period }: PractitionerRole): DateRange {
  return periodRange(period?.start, period?.end) ?? { lo: FOREVER, hi: FOREVER };
}

/** A role as the decision knows it, whenever it is held; none of one in no organization. */
export function roleOf(role: PractitionerRole, { within, partsOf, nameOf }: Directory): Role[] {
  const organization = role.organization?.reference;
  if (organization === undefined) return [];
  const [profession, institution] = [professionOf(role), nameOf(organization)];
  const offices = regionRolesOf(role.code);
  return [
    {
      reference: `PractitionerRole/${role.id ?? ''}`,
      organization,
      within: within(organization),
      radiologist: hasCodeOf(role, RADIOLOGIST_CODES),
      offices,
      ...(offices.includes('establishment-dpo') ? { oversees: partsOf(organization) } : {}),
      ...(profession === undefined ? {} : { profession }),
      ...(institution === undefined ? {} : { institution }),
    },
  ];
}

/** Offices of the region are no professions. */
function professionOf({ code = [], specialty = [] }: PractitionerRole): Profession | undefined {
  const codings = [...code, ...specialty].flatMap(({ coding = [] }) => coding);
  return codings.find(({ system }) => system !== CODE_SYSTEM.regionRole);
}

function hasCodeOf({ code = [], specialty = [] }: PractitionerRole, codes: ReadonlySet<string>): boolean {
  return [...code, ...specialty].some(({ coding = [] }) =>
    coding.some(({ code }) => code !== undefined && codes.has(code)),
  );
}
