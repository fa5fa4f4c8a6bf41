/** The configuration: the environment, validated and defaulted, frozen. Every error is reported at once. */
import { resolve } from 'node:path';
import { Ajv } from 'ajv';
import type { ErrorObject, ValidateFunction } from 'ajv';
import { Fault } from '../../profiles/fault.ts';
import { anchorErrors, anchorPlace } from './audit-anchor.ts';
import { closestName } from './closest-name.ts';
import { isSender, mailErrors, mailPlace } from './mail.ts';
import { PREFIX, type Environment } from './env.ts';
import { listVariables, VARIABLES, type VariableName } from './variables.ts';

/** What the server is told. Every member is a primitive, so that frozen means deeply frozen. */
export type Config = {
  readonly host: string;
  readonly httpPort: number;
  readonly dimsePort: number;
  readonly dimseAeTitle: string;
  readonly dimseTlsPort: number;
  /** Absolute paths of PEM files. All three, or none: then DICOM is not offered over TLS. */
  readonly dimseTlsCert: string | undefined;
  readonly dimseTlsKey: string | undefined;
  readonly dimseTlsCa: string | undefined;
  readonly tlsProxy: boolean;
  /** Scheme, host and port, without a slash at the end; undefined means the address that HTTP is bound to. */
  readonly publicUrl: string | undefined;
  /** A `mailto:` or `https:` address; undefined: none is shown. */
  readonly support: string | undefined;
  /** `smtp://` or `smtps://`: see mailPlace. It may hold a password: never log it. Undefined: nothing is mailed. */
  readonly mailUrl: string | undefined;
  /** One address; there when the URL is. */
  readonly mailFrom: string | undefined;
  /** Absolute path of a PEM file. */
  readonly mailTlsCa: string | undefined;
  /** Absolute. */
  readonly dataDir: string;
  /** `sqlite`, or the URI of a replica set, which may hold a password: never log it. */
  readonly store: string;
  /** A path, or `syslog+tls://host:port`: see anchorPlace. Undefined in development alone. */
  readonly auditAnchor: string | undefined;
  /** Absolute paths. The key is there when the anchor is. */
  readonly auditAnchorKey: string | undefined;
  readonly auditAnchorTlsCa: string | undefined;
  readonly auditAnchorTlsCert: string | undefined;
  readonly auditAnchorTlsKey: string | undefined;
  /** Years for which events are kept; undefined: for ever. */
  readonly auditRetentionYears: number | undefined;
  /** Absolute path of the region file. */
  readonly region: string;
  /** Absolute. The viewer OHIF is there, or nothing is. */
  readonly ohifDir: string;
  readonly repositoryUid: string;
  readonly homeCommunityId: string;
  readonly timeZone: string;
  readonly studyQuietSeconds: number;
  readonly breakGlassHours: number;
  /** Days after a stay for which its establishment sees the record. */
  readonly stayGraceDays: number;
  /** How long who redeemed a presence code sees the record. */
  readonly presenceDays: number;
  /** How long a share lasts where no end is said. */
  readonly shareDays: number;
  readonly erasureDays: number;
  readonly maxInstanceBytes: number;
  readonly maxBodyBytes: number;
  readonly maxAssociations: number;
  readonly logLevel: 'error' | 'warn' | 'info' | 'debug';
  readonly development: boolean;
};

const DIMSE_TLS_FILES = ['DIMSE_TLS_CERT', 'DIMSE_TLS_KEY', 'DIMSE_TLS_CA'] as const;

/** The variables after coercion, as their schemas say. */
type Values = {
  readonly [Name in Exclude<VariableName, NumberName | OptionalName | 'AUDIT_RETENTION_YEARS' | 'LOG_LEVEL'>]: string;
} & { readonly [Name in NumberName]: number } & { readonly [Name in OptionalName]?: string } & {
  readonly AUDIT_RETENTION_YEARS?: number;
  readonly LOG_LEVEL: Config['logLevel'];
};

type OptionalName =
  | 'PUBLIC_URL'
  | 'SUPPORT'
  | (typeof DIMSE_TLS_FILES)[number]
  | Extract<VariableName, `AUDIT_ANCHOR${string}` | `MAIL_${string}`>;

type NumberName =
  | 'HTTP_PORT'
  | 'DIMSE_PORT'
  | 'DIMSE_TLS_PORT'
  | 'STUDY_QUIET_SECONDS'
  | 'BREAK_GLASS_HOURS'
  | 'STAY_GRACE_DAYS'
  | 'PRESENCE_DAYS'
  | 'SHARE_DAYS'
  | 'ERASURE_DAYS'
  | 'MAX_INSTANCE_BYTES'
  | 'MAX_BODY_BYTES'
  | 'MAX_ASSOCIATIONS';

/**
 * Makes the configuration. Relative paths are those of the working folder.
 * @throws {Fault} invalid - one line for each variable that is wrong; values are not repeated, for they may be secret
 */
export function configFrom(environment: Environment): Config {
  const validate = compileSchema();
  // ajv fills in the defaults and turns strings into numbers.
  const values: unknown = { ...developmentDefaults(environment), ...environment };
  const isValid = validate(values);
  const errors = [
    ...(validate.errors ?? []).map(messageOf),
    ...unsafeErrors(environment),
    ...missingTLSFiles(environment),
    ...anchorErrors(environment),
    ...mailErrors(environment),
  ];
  if (!isValid || errors.length > 0)
    throw new Fault('invalid', `The configuration is not valid:\n${errors.join('\n')}`);
  return Object.freeze(toConfig(values));
}

/** Tells whether a host name or address is of this machine alone. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host === '[::1]' || /^127(\.\d{1,3}){3}$/.test(host);
}

function developmentDefaults(environment: Environment): Environment {
  if (environment['DEVELOPMENT'] !== '1') return {};
  return Object.fromEntries(
    listVariables().flatMap(([name, { developmentDefault }]) =>
      developmentDefault === undefined ? [] : [[name, developmentDefault]],
    ),
  );
}

function compileSchema(): ValidateFunction<Values> {
  const ajv = new Ajv({ allErrors: true, coerceTypes: true, useDefaults: true });
  ajv.addFormat('origin', isOrigin);
  ajv.addFormat('support', isSupport);
  ajv.addFormat('time-zone', isTimeZone);
  ajv.addFormat('mail-server', (value: string) => mailPlace(value) !== undefined);
  ajv.addFormat('mail-address', isSender);
  ajv.addFormat('anchor', (value: string) => anchorPlace(value) !== undefined);
  return ajv.compile<Values>({
    type: 'object',
    additionalProperties: false,
    required: listVariables().flatMap(([name, { developmentDefault }]) =>
      developmentDefault === undefined ? [] : [name],
    ),
    properties: Object.fromEntries(
      listVariables().map(([name, { schema, default: value }]) => [
        name,
        value === undefined ? schema : { ...schema, default: value },
      ]),
    ),
  });
}

function isOrigin(value: string): boolean {
  return URL.canParse(value) && /^https?:\/\/[^/?#@\\\s]+\/?$/.test(value);
}

/** An address that a page may link to: nothing that runs, nothing in the clear. @see RFC 6068 */
function isSupport(value: string): boolean {
  return URL.canParse(value) && /^(mailto:[^\s@?"<>]+@[^\s@?"<>]+|https:\/\/[^\s"<>\\]+)$/.test(value);
}

function isTimeZone(value: string): boolean {
  try {
    Intl.DateTimeFormat('en', { timeZone: value });
    return true;
  } catch {
    return false;
  }
}

function messageOf(error: ErrorObject): string {
  if (error.keyword === 'additionalProperties') return unknownMessage(String(error.params['additionalProperty']));
  if (error.keyword === 'required') {
    return (
      `${PREFIX}${String(error.params['missingProperty'])} is required (it has a default with ` +
      `${PREFIX}DEVELOPMENT=1 only)`
    );
  }
  return `${PREFIX}${error.instancePath.slice(1)} ${reasonOf(error)}`;
}

function unknownMessage(name: string): string {
  const closest = closestName(name, Object.keys(VARIABLES));
  const hint =
    closest === undefined ? 'the table in README.md lists those that exist' : `did you mean ${PREFIX}${closest}?`;
  return `${PREFIX}${name} is unknown: ${hint}`;
}

function reasonOf(error: ErrorObject): string {
  if (error.keyword === 'enum') return `must be one of ${(error.params['allowedValues'] as string[]).join(', ')}`;
  if (error.keyword === 'format' && error.params['format'] === 'origin') {
    return 'must be a URL of scheme, host and port alone, as https://imaging.example.org';
  }
  if (error.keyword === 'format' && error.params['format'] === 'anchor')
    return 'must be the path of a file or syslog+tls://host:port';
  if (error.keyword === 'format' && error.params['format'] === 'support')
    return 'must be an address as mailto:support@example.org or https://example.org/support';
  if (error.keyword === 'format' && error.params['format'] === 'mail-server')
    return 'must be an address as smtps://user:password@mail.example.org:465';
  if (error.keyword === 'format' && error.params['format'] === 'mail-address')
    return 'must be one e-mail address, as notices@example.org';
  if (error.keyword === 'format') return 'must name a time zone, as Europe/Paris';
  if (error.keyword === 'minLength') return 'must not be empty';
  return error.message ?? error.keyword;
}

/** What single schemas cannot say: nothing is offered in the clear beyond this machine. */
function unsafeErrors({ HOST, TLS_PROXY, PUBLIC_URL }: Environment): string[] {
  const errors: string[] = [];
  const isLocal = HOST === undefined || isLoopback(HOST);
  if (!isLocal && TLS_PROXY !== '1') {
    errors.push(`${PREFIX}HOST is not loopback: put TLS in front of the server, then set ${PREFIX}TLS_PROXY=1`);
  }
  if (!isLocal && PUBLIC_URL === undefined) {
    errors.push(`${PREFIX}PUBLIC_URL is required, for ${PREFIX}HOST is not loopback`);
  }
  if (PUBLIC_URL !== undefined && isOrigin(PUBLIC_URL)) {
    const { protocol, hostname } = new URL(PUBLIC_URL);
    if (protocol !== 'https:' && !isLoopback(hostname)) errors.push(`${PREFIX}PUBLIC_URL must be https`);
  }
  return errors;
}

/** Mutual TLS needs all of its files. */
function missingTLSFiles(environment: Environment): string[] {
  const missing = DIMSE_TLS_FILES.filter((name) => environment[name] === undefined);
  if (missing.length === DIMSE_TLS_FILES.length) return [];
  return missing.map((name) => `${PREFIX}${name} is required, for another file of DICOM over TLS is named`);
}

function resolved(path: string | undefined): string | undefined {
  return path === undefined ? undefined : resolve(path);
}

function toConfig(values: Values): Config {
  return {
    host: values.HOST,
    httpPort: values.HTTP_PORT,
    dimsePort: values.DIMSE_PORT,
    dimseAeTitle: values.DIMSE_AE_TITLE,
    dimseTlsPort: values.DIMSE_TLS_PORT,
    dimseTlsCert: resolved(values.DIMSE_TLS_CERT),
    dimseTlsKey: resolved(values.DIMSE_TLS_KEY),
    dimseTlsCa: resolved(values.DIMSE_TLS_CA),
    tlsProxy: values.TLS_PROXY === '1',
    publicUrl: values.PUBLIC_URL === undefined ? undefined : new URL(values.PUBLIC_URL).origin,
    support: values.SUPPORT,
    mailUrl: values.MAIL_URL,
    mailFrom: values.MAIL_FROM,
    mailTlsCa: resolved(values.MAIL_TLS_CA),
    dataDir: resolve(values.DATA_DIR),
    store: values.STORE,
    auditAnchor: values.AUDIT_ANCHOR,
    auditAnchorKey: resolved(values.AUDIT_ANCHOR_KEY),
    auditAnchorTlsCa: resolved(values.AUDIT_ANCHOR_TLS_CA),
    auditAnchorTlsCert: resolved(values.AUDIT_ANCHOR_TLS_CERT),
    auditAnchorTlsKey: resolved(values.AUDIT_ANCHOR_TLS_KEY),
    auditRetentionYears: values.AUDIT_RETENTION_YEARS,
    region: resolve(values.REGION),
    ohifDir: resolve(values.OHIF),
    repositoryUid: values.REPOSITORY_UID,
    homeCommunityId: values.HOME_COMMUNITY_ID,
    timeZone: values.TIME_ZONE,
    studyQuietSeconds: values.STUDY_QUIET_SECONDS,
    breakGlassHours: values.BREAK_GLASS_HOURS,
    stayGraceDays: values.STAY_GRACE_DAYS,
    presenceDays: values.PRESENCE_DAYS,
    shareDays: values.SHARE_DAYS,
    erasureDays: values.ERASURE_DAYS,
    maxInstanceBytes: values.MAX_INSTANCE_BYTES,
    maxBodyBytes: values.MAX_BODY_BYTES,
    maxAssociations: values.MAX_ASSOCIATIONS,
    logLevel: values.LOG_LEVEL,
    development: values.DEVELOPMENT === '1',
  };
}
