/** Every variable of the environment: its JSON Schema, its meaning, its default. The README's table is made from it. */
import { LEAST_RETENTION_YEARS } from '../../profiles/audit/retention.ts';
import { MOST_ERASURE_DAYS } from '../../profiles/consent/erasure-request.ts';

/** One variable. Values are strings that ajv coerces to the type of the schema. */
export type Variable = {
  readonly description: string;
  readonly schema: Readonly<Record<string, unknown>>;
  /** Taken when the variable is not set; without it the variable is optional or required. */
  readonly default?: string | number;
  /** Taken in development only: elsewhere the variable is required. */
  readonly developmentDefault?: string;
  /** How the table writes the default, where the number itself says little. */
  readonly shownDefault?: string;
};

const port = { type: 'integer', minimum: 0, maximum: 65_535 } as const;
const flag = { enum: ['0', '1'] } as const;
const text = { type: 'string', minLength: 1, maxLength: 1000 } as const;
// PS3.5 section 9.1: components of digits without leading zeros, 64 characters at most.
const oid = { type: 'string', maxLength: 64, pattern: '^[0-2](\\.(0|[1-9][0-9]*))+$' } as const;

function count(maximum: number): Variable['schema'] {
  return { type: 'integer', minimum: 1, maximum };
}

function period(maximum: number): Variable['schema'] {
  return { type: 'number', exclusiveMinimum: 0, maximum };
}

/** The variables by name without `PASSERELLE_`, in the order of the README. */
export const VARIABLES = {
  HOST: {
    description: 'Address that every door listens on. Another than loopback needs `PASSERELLE_TLS_PROXY=1`.',
    schema: text,
    default: '127.0.0.1',
  },
  HTTP_PORT: { description: 'Port of HTTP; 0 takes a free one.', schema: port, default: 8080 },
  DIMSE_PORT: { description: 'Port of DICOM associations; 0 takes a free one.', schema: port, default: 11_112 },
  DIMSE_AE_TITLE: {
    description: 'AE title of the server (PS3.5 section 6.2: 1 to 16 characters).',
    schema: { type: 'string', pattern: '^(?! )[ -\\[\\]-~]{1,16}(?<! )$' },
    default: 'PASSERELLE',
  },
  DIMSE_TLS_PORT: {
    description:
      'Port of DICOM associations over TLS (PS3.15 B.9), open when the three files below are named; 0 takes a free ' +
      'one.',
    schema: port,
    default: 2762,
  },
  DIMSE_TLS_CERT: {
    description: 'PEM file: the certificate of the server for DICOM over TLS, and its chain.',
    schema: text,
  },
  DIMSE_TLS_KEY: { description: 'PEM file: the private key of that certificate.', schema: text },
  DIMSE_TLS_CA: {
    description:
      'PEM file: the authorities whose certificates callers must show. The region file may tie an AE title to ' +
      'certificates.',
    schema: text,
  },
  TLS_PROXY: {
    description: '1: a proxy or tunnel of yours ends TLS for HTTP and DICOM, and nobody reaches the ports around it.',
    schema: flag,
    default: '0',
  },
  PUBLIC_URL: {
    description:
      'Address at which others reach the server: scheme, host and port, `https` unless loopback. Required when ' +
      '`PASSERELLE_HOST` is not loopback; else the address that HTTP is bound to.',
    schema: { type: 'string', maxLength: 300, format: 'origin' },
  },
  SUPPORT: {
    description:
      'Where persons find help: a `mailto:` or `https:` address, which pages then show. Not shown when it is not set.',
    schema: { type: 'string', maxLength: 500, format: 'support' },
  },
  MAIL_URL: {
    description:
      'The mail server that takes notices to patients: `smtp://` or `smtps://`, with user and password (`user:…@`) ' +
      'and port (587, 465) where they are needed. Beyond loopback `smtp://` needs STARTTLS. Without it nothing is ' +
      'mailed: each notice is one of the letters that desks list.',
    schema: { type: 'string', maxLength: 1000, format: 'mail-server' },
  },
  MAIL_FROM: {
    description: 'Address that notices come from. Required with `PASSERELLE_MAIL_URL`.',
    schema: { type: 'string', maxLength: 254, format: 'mail-address' },
    shownDefault: 'required with `PASSERELLE_MAIL_URL`',
  },
  MAIL_TLS_CA: {
    description: 'PEM file: the authorities that vouch for the mail server.',
    schema: text,
    shownDefault: 'those of the system',
  },
  DATA_DIR: { description: 'Folder of the data. One server at a time uses it.', schema: text, default: './data' },
  STORE: {
    description:
      'Where records live: `sqlite` (in the data folder), or the `mongodb://` or `mongodb+srv://` URI of a replica ' +
      'set.',
    schema: { type: 'string', maxLength: 2000, pattern: '^(sqlite|mongodb(\\+srv)?://\\S+)$' },
    default: 'sqlite',
  },
  AUDIT_ANCHOR: {
    description:
      'Where the head of the audit trail is anchored, each minute or 1,000 events: a file on another mount than the ' +
      'data, or `syslog+tls://host:port` (RFC 5425; port 6514 when left out). The server refuses to start on a trail ' +
      'that does not hold its last anchor.',
    schema: { ...text, format: 'anchor' },
    shownDefault: 'required outside development',
  },
  AUDIT_ANCHOR_KEY: {
    description:
      'File of the key that anchors are signed with (HMAC-SHA-256), made at the first start. It lies neither in the ' +
      'data folder nor in the folder of the anchor; every process of a store needs the same. With syslog the last ' +
      'anchor is kept beside it; so are the key of erasures (`.erasure`, its public part `.erasure.pub`) and the ' +
      'list of who was erased (`.erasure.erased`), which is never put back to an older state: a start with another ' +
      'key than that of former erasures says so in the log (`error`), as nobody who was erased is known ' +
      'again.',
    schema: text,
    shownDefault: 'required with `PASSERELLE_AUDIT_ANCHOR`',
  },
  AUDIT_ANCHOR_TLS_CA: {
    description: 'PEM file: the authorities that vouch for the collector of syslog messages.',
    schema: text,
    shownDefault: 'those of the system',
  },
  AUDIT_ANCHOR_TLS_CERT: {
    description: 'PEM file: the certificate that the server shows to the collector, and its chain.',
    schema: text,
  },
  AUDIT_ANCHOR_TLS_KEY: { description: 'PEM file: the private key of that certificate.', schema: text },
  AUDIT_RETENTION_YEARS: {
    description:
      `Years after which events are removed from the audit trail, ${LEAST_RETENTION_YEARS} at least. What the law ` +
      'demands of you is for you to say: patients read in the trail who opened their records. Every process of a ' +
      'store needs the same: the longest counts.',
    schema: { type: 'integer', minimum: LEAST_RETENTION_YEARS, maximum: 100 },
    shownDefault: 'kept for ever',
  },
  REGION: {
    description: 'The region file: the establishments, professionals, SMART clients and AE titles of the region.',
    schema: text,
    developmentDefault: 'fixtures/region/region.json',
  },
  OHIF: {
    description: 'Folder that `npm run ohif` installs the viewer OHIF in. When it is there, the server offers it.',
    schema: text,
    default: './.ohif',
  },
  REPOSITORY_UID: {
    description: 'OID of the document repository (XDS repositoryUniqueId) and imaging source.',
    schema: oid,
    developmentDefault: '2.25.206875368712831322602221010714274556034',
  },
  HOME_COMMUNITY_ID: {
    description: 'OID of the community (XCA homeCommunityId), without `urn:oid:`.',
    schema: oid,
    developmentDefault: '2.25.8716194440378150970602551791127962250',
  },
  TIME_ZONE: {
    description:
      'Zone of DICOM dates and times that carry none, of bare days of Consents, circles, stays and erasures, of ' +
      'birthdays, and of lists of accesses (a name of the IANA database).',
    schema: { type: 'string', maxLength: 60, format: 'time-zone' },
    default: 'Europe/Paris',
  },
  STUDY_QUIET_SECONDS: {
    description: 'A study that received no instance for so long is closed and published.',
    schema: period(86_400),
    default: 60,
  },
  BREAK_GLASS_HOURS: {
    description: 'How long an emergency access lasts at most, and where no duration is said.',
    schema: period(72),
    default: 4,
  },
  STAY_GRACE_DAYS: {
    description: 'Days after a stay for which the people of its establishment see the record; 90 at most.',
    schema: count(90),
    default: 7,
  },
  PRESENCE_DAYS: {
    description: 'Days for which a professional who redeemed a presence code sees the record; 90 at most.',
    schema: count(90),
    default: 15,
  },
  SHARE_DAYS: {
    description: 'Days after which a share ends where no end is said; 90 at most.',
    schema: count(90),
    default: 30,
  },
  ERASURE_DAYS: {
    description: 'Days from the receipt of a request to erase a record to its erasure; 45 at most.',
    schema: count(MOST_ERASURE_DAYS),
    default: 30,
  },
  MAX_INSTANCE_BYTES: {
    description: 'Largest DICOM instance that is received.',
    schema: count(2 ** 40),
    default: 4 * 2 ** 30,
    shownDefault: '4294967296 (4 GiB)',
  },
  MAX_BODY_BYTES: {
    description: 'Largest body of an HTTP request, STOW-RS excepted. Most have a smaller limit (section Limits).',
    schema: count(2 ** 30),
    default: 64 * 2 ** 20,
    shownDefault: '67108864 (64 MiB)',
  },
  MAX_ASSOCIATIONS: {
    description: 'DICOM associations at one time; further ones are rejected.',
    schema: count(10_000),
    default: 100,
  },
  LOG_LEVEL: {
    description: 'Least level that is logged to stderr: `error`, `warn`, `info` or `debug`.',
    schema: { enum: ['error', 'warn', 'info', 'debug'] },
    default: 'info',
  },
  DEVELOPMENT: {
    description: '1: accepts the demonstration region, whose keys are public. Never where real patients are.',
    schema: flag,
    default: '0',
  },
} as const satisfies Readonly<Record<string, Variable>>;

/** A name of {@link VARIABLES}. */
export type VariableName = keyof typeof VARIABLES;

/** The variables as pairs. */
export function listVariables(): readonly (readonly [VariableName, Variable])[] {
  return Object.entries(VARIABLES) as [VariableName, Variable][];
}
