/** The house as a table: which room may import which. A room is a folder or a file; the first that fits is taken. */
import type { Import } from './source-files.ts';

/** A room: what it may import, beside its own files; of `types` only types. */
export type Room = { readonly room: string; readonly may: readonly string[]; readonly types?: readonly string[] };

const CONFIG_AND_LOG = ['server/config', 'server/log.ts'] as const;
/** How a process that npm starts ends. */
const NPM = 'server/runtime/end-with-npm.ts';
/** How a command ends whose output nobody reads any more. */
const READER = 'server/runtime/end-with-reader.ts';
/** The region that is loaded: whoever asks again hears of a reload. */
const CURRENT_REGION = 'server/config/current-region.ts';
/** What is installed beside the product. */
const OHIF_PACKAGE = 'server/runtime/ohif-package.ts';
const BELOW_STORES = [
  'profiles',
  'server/access',
  'server/ports',
  'server/stores/audit-chain.ts',
  'server/stores/chain-walk.ts',
  'server/stores/erasing-events.ts',
  'server/stores/event-chain.ts',
  'server/stores/granted.ts',
  'server/stores/homes.ts',
  'server/stores/ordered-page.ts',
  'server/stores/part-walk.ts',
  'server/stores/patient-numbers.ts',
  'server/stores/patient-versions.ts',
  'server/stores/patient-view.ts',
  'server/stores/places.ts',
  'server/stores/passage.ts',
  'server/stores/refused.ts',
  'server/stores/right-scopes.ts',
  'server/stores/shown-patient.ts',
  'server/stores/sources.ts',
  'server/stores/stamp.ts',
  'server/stores/warranted.ts',
] as const;

/**
 * The table. Nobody may import `compose`, `main`, `endpoints`, `fixtures`, `conformance` or `test`, but who is named
 * here.
 */
export const ROOMS: readonly Room[] = [
  { room: 'profiles', may: [] },
  { room: 'ihe', may: ['profiles'] },
  { room: 'server/access', may: ['profiles'] },
  { room: 'server/ports', may: ['profiles', 'server/access'] },
  // The region file says scopes.
  { room: 'server/config', may: ['profiles', 'server/access/scope.ts'] },
  { room: 'server/log.ts', may: [] },
  { room: 'server/runtime', may: ['profiles'] },
  {
    room: 'server/flows',
    may: ['profiles', 'ihe', 'server/access', 'server/ports', CURRENT_REGION],
    types: CONFIG_AND_LOG,
  },
  { room: 'server/stores/audit-chain.ts', may: BELOW_STORES },
  { room: 'server/stores/chain-walk.ts', may: BELOW_STORES },
  { room: 'server/stores/erasing-events.ts', may: BELOW_STORES },
  { room: 'server/stores/event-chain.ts', may: BELOW_STORES },
  { room: 'server/stores/granted.ts', may: BELOW_STORES },
  { room: 'server/stores/homes.ts', may: BELOW_STORES },
  { room: 'server/stores/ordered-page.ts', may: BELOW_STORES },
  { room: 'server/stores/part-walk.ts', may: BELOW_STORES },
  { room: 'server/stores/patient-numbers.ts', may: BELOW_STORES },
  { room: 'server/stores/patient-versions.ts', may: BELOW_STORES },
  { room: 'server/stores/patient-view.ts', may: BELOW_STORES },
  { room: 'server/stores/places.ts', may: BELOW_STORES },
  { room: 'server/stores/passage.ts', may: BELOW_STORES },
  { room: 'server/stores/refused.ts', may: BELOW_STORES },
  { room: 'server/stores/right-scopes.ts', may: BELOW_STORES },
  { room: 'server/stores/shown-patient.ts', may: BELOW_STORES },
  { room: 'server/stores/sources.ts', may: BELOW_STORES },
  { room: 'server/stores/stamp.ts', may: BELOW_STORES },
  { room: 'server/stores/warranted.ts', may: BELOW_STORES },
  { room: 'server/stores/sqlite', may: BELOW_STORES, types: ['server/log.ts'] },
  { room: 'server/stores/mongodb', may: BELOW_STORES, types: ['server/log.ts'] },
  { room: 'server/stores/files', may: BELOW_STORES, types: ['server/log.ts'] },
  { room: 'server/rendering', may: ['profiles', 'ihe', 'server/ports', 'server/flows'] },
  { room: 'server/clients/store-scu', may: ['profiles', 'ihe/dimse'] },
  { room: 'server/clients', may: ['profiles', 'ihe', 'server/ports'], types: CONFIG_AND_LOG },
  {
    room: 'server/endpoints',
    // The grammar of scopes is spoken at the edge, too.
    may: [
      'profiles',
      'ihe',
      'server/flows',
      'server/access/scope.ts',
      'server/config/address-range.ts',
      'server/threads/thread-talk.ts',
      OHIF_PACKAGE,
    ],
    types: [...CONFIG_AND_LOG, 'server/access', 'server/ports'],
  },
  { room: 'server/threads/background.ts', may: [] },
  { room: 'server/threads/thread-talk.ts', may: ['profiles'] },
  { room: 'server/control', may: ['profiles'], types: [...CONFIG_AND_LOG, 'server/flows'] },
  {
    room: 'server/compose/flows',
    may: ['profiles', 'ihe', 'server/access', 'server/ports', 'server/flows'],
    types: CONFIG_AND_LOG,
  },
  {
    room: 'server/compose/background.ts',
    may: ['server/threads/background.ts'],
    types: [...CONFIG_AND_LOG, 'server/compose/flows/flows.ts'],
  },
  {
    room: 'server/compose/control.ts',
    may: ['server/control', ...CONFIG_AND_LOG],
    types: ['server/compose/flows/flows.ts', 'server/compose/region.ts'],
  },
  {
    room: 'server/threads/intake-thread.ts',
    may: [
      'profiles',
      'server/flows',
      'server/endpoints/dimse',
      'server/stores/files',
      'server/threads/thread-talk.ts',
      CURRENT_REGION,
    ],
    types: CONFIG_AND_LOG,
  },
  {
    room: 'server/threads/rendering-thread.ts',
    may: ['server/rendering', 'server/stores/files', 'server/threads/thread-talk.ts'],
    types: ['server/ports'],
  },
  {
    room: 'server/compose/rendering.ts',
    may: ['profiles', 'server/rendering', 'server/threads/thread-talk.ts'],
    types: ['server/ports', 'server/threads/rendering-thread.ts'],
  },
  {
    room: 'server/compose/intake.ts',
    may: ['server/threads/thread-talk.ts'],
    types: ['server/config', 'server/endpoints/dimse', 'server/threads/intake-thread.ts'],
  },
  {
    room: 'server/compose/identity-providers.ts',
    may: ['profiles', 'server/clients/identity-provider', 'server/ports'],
    types: [...CONFIG_AND_LOG, 'server/endpoints/development-idp', 'server/compose/region.ts'],
  },
  {
    room: 'server/compose/region.ts',
    may: ['server/flows', 'server/threads/background.ts'],
    types: [
      ...CONFIG_AND_LOG,
      'server/ports',
      'server/control',
      'server/compose/flows/flows.ts',
      'server/compose/intake.ts',
    ],
  },
  { room: 'server/compose/listening.ts', may: ['profiles'], types: ['server/config'] },
  {
    room: 'server/compose/upgrade.ts',
    may: ['profiles', 'server/endpoints/http', 'server/compose/listening.ts'],
    types: [...CONFIG_AND_LOG, 'server/flows'],
  },
  { room: 'server/compose/site.ts', may: [...CONFIG_AND_LOG], types: ['server/endpoints/pages/site.ts'] },
  {
    room: 'server/compose/xds.ts',
    may: ['ihe', 'server/endpoints', 'server/ports', CURRENT_REGION],
    types: [...CONFIG_AND_LOG, 'server/compose/flows/flows.ts'],
  },
  {
    room: 'server/compose/open.ts',
    may: ['profiles', 'server/stores', 'server/rendering', 'server/compose/rendering.ts', ...CONFIG_AND_LOG],
  },
  {
    room: 'server/compose/anchor.ts',
    may: [
      'profiles',
      'server/clients/audit-anchor',
      'server/flows/audit',
      'server/ports',
      'server/threads/background.ts',
      ...CONFIG_AND_LOG,
    ],
    types: ['server/flows/health.ts'],
  },
  {
    room: 'server/compose/erasure-key.ts',
    may: ['server/clients/erasure-key', ...CONFIG_AND_LOG],
    types: ['server/ports/erasure-key.ts'],
  },
  {
    room: 'server/compose/mail.ts',
    may: ['server/clients/mail', ...CONFIG_AND_LOG],
    types: ['server/ports/mailer.ts'],
  },
  {
    room: 'server/compose/ohif.ts',
    may: ['server/endpoints/ohif', OHIF_PACKAGE, ...CONFIG_AND_LOG],
  },
  {
    room: 'server/compose/region-file.ts',
    may: [
      'profiles',
      'server/compose/compose.ts',
      'server/compose/identity-providers.ts',
      'server/compose/open.ts',
      'server/compose/region.ts',
      'server/flows',
      'server/runtime/definitions.ts',
      ...CONFIG_AND_LOG,
    ],
  },
  { room: 'server/compose/compose.ts', may: ['profiles', 'ihe', 'server'] },
  {
    room: 'server/compose/import.ts',
    may: [
      'profiles',
      'server/compose/compose.ts',
      'server/compose/control.ts',
      'server/control',
      'server/flows',
      'server/stores/files',
      ...CONFIG_AND_LOG,
    ],
  },
  { room: 'server/start.mjs', may: ['server/main.ts'] },
  {
    room: 'server/commands/audit-verify.ts',
    may: [
      'profiles',
      'server/compose/trail.ts',
      'server/compose/anchor.ts',
      'server/compose/erasure-key.ts',
      NPM,
      READER,
      ...CONFIG_AND_LOG,
      ...BELOW_STORES,
    ],
  },
  {
    room: 'server/commands',
    may: [
      'profiles',
      'server/compose/compose.ts',
      'server/compose/erasure-key.ts',
      'server/compose/import.ts',
      'server/compose/region-file.ts',
      'server/clients/store-scu',
      'server/control',
      'server/endpoints/dimse/tls.ts',
      OHIF_PACKAGE,
      NPM,
      READER,
      ...CONFIG_AND_LOG,
    ],
    types: ['server/flows'],
  },
  { room: 'server/main.ts', may: ['profiles', 'server/compose/compose.ts', NPM, ...CONFIG_AND_LOG] },
  { room: 'server/compose/trail.ts', may: ['profiles', 'server/ports', 'server/stores'] },
  {
    room: 'fixtures',
    // The demonstration sends as a modality would, and shows it as the command does.
    may: ['profiles', 'ihe', 'server/clients/store-scu', 'server/commands/progress.ts', NPM],
    types: ['server/config'],
  },
];

/** Packages and built-ins for rooms without I/O and clock; other rooms take what package.json names. */
export const PURE_ROOMS: Readonly<Record<string, readonly string[]>> = {
  profiles: ['@medplum/core', '@medplum/fhirtypes', 'ajv', 'node:buffer', 'node:crypto', 'node:zlib'],
  ihe: ['@medplum/core', '@medplum/fhirtypes', 'libxml2-wasm', 'node:buffer', 'node:crypto', 'node:zlib'],
  'server/access': ['node:crypto'],
};

/** The room of a file; undefined when the table forgets it. */
export function roomOf(path: string): Room | undefined {
  return ROOMS.find(({ room }) => isIn(path, room));
}

/** Tells whether a room may make an import of a local file. */
export function mayImport(room: Room, { target, isType }: Import): boolean {
  if (isIn(target, room.room) || room.may.some((allowed) => isIn(target, allowed))) return true;
  return isType && (room.types ?? []).some((allowed) => isIn(target, allowed));
}

/** Tells whether a path is a folder or file, or lies in it. */
export function isIn(path: string, room: string): boolean {
  return path === room || path.startsWith(`${room}/`);
}
