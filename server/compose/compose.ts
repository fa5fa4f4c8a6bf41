/** The composition root: the only file that names concrete stores, clients and doors, and puts them together. */
import { existsSync } from 'node:fs';
import type { Server } from 'node:http';
import type { TlsOptions } from 'node:tls';
import type { Middleware } from 'koa';
import { openAnchoring, type OpenedAnchoring } from './anchor.ts';
import { startBackground } from './background.ts';
import { controlCommands } from './control.ts';
import { composeFlows, type Flows } from './flows/flows.ts';
import { holdIdentityProviders } from './identity-providers.ts';
import { openIntake, type Intake } from './intake.ts';
import { installedOhif, ohifDoors } from './ohif.ts';
import type { Config } from '../config/config.ts';
import { openControl } from '../control/door.ts';
import { loadRegionFile, makeDataFolder, openStores, type Stores } from './open.ts';
import { closeHttp, explainPort, listenHttp, type Bound } from './listening.ts';
import { openKeyOfErasures } from './erasure-key.ts';
import { openMailer } from './mail.ts';
import { siteOf } from './site.ts';
import { upgradeWhileWaiting } from './upgrade.ts';
import { openReloading, type HeldProviders, type ReadRegion, type Reloading } from './region.ts';
import { holdRegion, madeOf, type CurrentRegion, type HeldRegion } from '../config/current-region.ts';
import type { Region } from '../config/region-model.ts';
import {
  createDevelopmentIdentityProvider,
  type DevelopmentIdentityProvider,
} from '../endpoints/development-idp/development-idp.ts';
import { dicomwebRouter } from '../endpoints/dicomweb/router.ts';
import { serveFiling } from '../endpoints/dimse/filing.ts';
import { readTLSFiles } from '../endpoints/dimse/tls.ts';
import { fhirRoutes } from '../endpoints/fhir/routes.ts';
import { SERVED } from '../endpoints/fhir/served.ts';
import { wadoRouter } from '../endpoints/wado/router.ts';
import { patientIdentifiersOf } from '../endpoints/viewer/absent/patient-identifiers.ts';
import type { EmergencyTerms } from '../endpoints/viewer/absent/absent-page.ts';
import { viewerRouter } from '../endpoints/viewer/router.ts';
import { createHttpServer } from '../endpoints/http/app.ts';
import { bodyLimits } from '../endpoints/http/body-limits.ts';
import { createIdentify } from '../endpoints/http/identify.ts';
import { pagesDoor } from '../endpoints/pages/pages-door.ts';
import { createAuthorizationServer, type AuthorizationServer } from '../endpoints/smart/authorization-server.ts';
import type { Acceptance } from '../flows/audit/anchor-trail.ts';
import { trailHealth } from '../flows/audit/trail-health.ts';
import { recordSignIn } from '../flows/identity/record-sign-in.ts';
import { loadAuthorizationKeys } from '../endpoints/smart/stored-keys.ts';
import type { LogFactory } from '../log.ts';
import { systemClock } from '../ports/clock.ts';
import { loadDefinitions, type LoadedDefinitions } from '../runtime/definitions.ts';
import type { InstalledOhif } from '../runtime/ohif-package.ts';
import { offsetsOf } from '../../profiles/dicom/date-time.ts';
import { buildCapabilityStatement } from '../../profiles/capability-statement.ts';
import { Fault } from '../../profiles/fault.ts';

/** A running server. */
export type Running = {
  /** Every address that is bound, for the ready line. */
  readonly addresses: { readonly http: Bound; readonly dimse: BoundAE; readonly dimseTls?: BoundAE };
  /** Loads the region file again. @throws {Fault} as {@link Reloading} does; the former one stays then */
  reload(): Promise<void>;
  /** Ends doors, then background work, then stores. */
  stop(): Promise<void>;
};

type BoundAE = Bound & { readonly aeTitle: string };

/** The stores, and what anchors their trail. */
type Opened = Stores & { readonly anchoring: OpenedAnchoring };

/** What a person answers for at a start: as {@link openAnchoring} takes it, and as loadRegion does. */
export type StartAnswers = { readonly accepted?: Acceptance; readonly confirmedRegion?: number };

/** Starts the server that a configuration describes. */
export async function compose(config: Config, log: LogFactory, answers: StartAnswers = {}): Promise<Running> {
  const definitions = await loadDefinitions();
  const region = await loadRegionFile(config, definitions.validate);
  await makeDataFolder(config.dataDir);
  const stores = await openStores(config, log);
  let anchoring: OpenedAnchoring | undefined;
  try {
    anchoring = await openAnchoring(config, stores.trail, log, answers.accepted);
    const given = { config, log, region: holdRegion(region), stores: { ...stores, anchoring }, definitions };
    return await start(given, answers.confirmedRegion);
  } catch (error) {
    await anchoring?.stop();
    await stores.close();
    throw error;
  }
}

/** The flows on the data of a stopped server, for an operator's command. */
export type Stopped = {
  readonly flows: Flows;
  readonly region: Region;
  readonly validate: LoadedDefinitions['validate'];
  close(): Promise<void>;
};

/**
 * Opens the data of a server that does not run.
 * @throws {Fault} not-found - there is no such data folder
 * @throws {Fault} conflict - a server runs on it
 */
export async function composeStopped(config: Config, log: LogFactory): Promise<Stopped> {
  if (!existsSync(config.dataDir))
    throw new Fault('not-found', `There is no data folder ${config.dataDir}, and no server runs on it`);
  const definitions = await loadDefinitions();
  const region = await loadRegionFile(config, definitions.validate);
  const stores = await openStores(config, log);
  const publicUrl = (): string => config.publicUrl ?? '';
  const made = { config, region: holdRegion(region), stores, clock: systemClock, ...definitions, publicUrl };
  const flows = composeFlows({ ...made, erasureKey: await openKeyOfErasures(config), log: log('flows') });
  await flows.upgrade.run();
  await flows.servedParameters.begin();
  return {
    flows,
    region,
    validate: definitions.validate,
    close: async () => {
      await stores.renderer.close();
      await stores.images.close();
      await stores.close();
    },
  };
}

type Given = {
  readonly config: Config;
  readonly log: LogFactory;
  readonly region: HeldRegion;
  readonly stores: Opened;
  readonly definitions: LoadedDefinitions;
};

/** Looks at what another region file, or another key of erasures, makes of what stands. */
async function followRegion(flows: Flows, region: Region): Promise<void> {
  const { endTokens, askForGrounds, askForWaiting, checkErasureKey } = flows;
  await Promise.all([endTokens(region), askForGrounds(), askForWaiting(), checkErasureKey()]);
}

/** Brings the data to where this server may work on it: nothing is told or shown of who comes back with older data. */
async function bringUp(flows: Flows, config: Config, log: LogFactory): Promise<void> {
  await upgradeWhileWaiting(flows.upgrade, config, log('http'));
  await flows.followErasures();
}

async function start(given: Given, confirmedRegion: number | undefined): Promise<Running> {
  const { config, log, region, stores, definitions } = given;
  const address: { publicUrl: string } = { publicUrl: config.publicUrl ?? '' };
  const publicUrl = (): string => address.publicUrl;
  const made = { config, region, stores, clock: systemClock, ...definitions, publicUrl };
  const erasureKey = await openKeyOfErasures(config);
  const flows = composeFlows({ ...made, mailer: openMailer(config), erasureKey, log: log('flows') });
  await bringUp(flows, config, log);
  const background = await startBackground(flows, log);
  const { validate, subsets } = definitions;
  const doors: { close(): Promise<void> }[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(doors.map((door) => door.close()));
    await background.stop();
    await stores.anchoring.stop();
  };
  try {
    const parts = await withProviders({ config, log, region, stores, flows, publicUrl, validate, subsets });
    // Nobody is let in by what the file does not say any more.
    await flows.loadRegion(region.now(), confirmedRegion);
    await followRegion(flows, region.now());
    const intake = intakeOf(parts);
    doors.push(intake);
    const read: ReadRegion = async (path) => await loadRegionFile(config, validate, path);
    const reloading = openReloading({ ...parts, log: log('region'), held: region, read, intake });
    const http = await openHttp(parts, reloading);
    doors.push({ close: async () => await closeHttp(http) });
    const dimse = await intake.listen(config.dimsePort).catch(explainPort('PASSERELLE_DIMSE_PORT', config.dimsePort));
    const tls = await dimseTLSOf(config);
    const dimseTls =
      tls &&
      (await intake
        .listen(config.dimseTlsPort, tls)
        .catch(explainPort('PASSERELLE_DIMSE_TLS_PORT', config.dimseTlsPort)));
    const httpBound = await listenHttp(http, config).catch(explainPort('PASSERELLE_HTTP_PORT', config.httpPort));
    address.publicUrl = config.publicUrl ?? `http://${bracketed(httpBound.host)}:${httpBound.port}`;
    await flows.announceImages(region.now());
    doors.push(reloading.follow());
    const commands = controlCommands({ ...parts, reloading }, boundAE(config, dimse));
    doors.push(await openControl({ dataDir: config.dataDir, commands, log: log('control') }));
    return {
      addresses: {
        http: httpBound,
        dimse: boundAE(config, dimse),
        ...(dimseTls === undefined ? {} : { dimseTls: boundAE(config, dimseTls) }),
      },
      reload: async () => void (await reloading.reload()),
      stop: async () => {
        await stop();
        await stores.renderer.close();
        await stores.images.close();
        await stores.close();
      },
    };
  } catch (error) {
    // What is open already would keep the process alive.
    await stop();
    throw error;
  }
}

type Parts = {
  readonly config: Config;
  readonly log: LogFactory;
  readonly region: CurrentRegion;
  readonly stores: Opened;
  readonly flows: Flows;
  readonly publicUrl: () => string;
  readonly validate: LoadedDefinitions['validate'];
  readonly subsets: LoadedDefinitions['subsets'];
  /** Where persons sign in; in development at a provider of ours, too. */
  readonly providers: HeldProviders;
  readonly development: DevelopmentIdentityProvider | undefined;
};

async function withProviders(parts: Omit<Parts, 'providers' | 'development'>): Promise<Parts> {
  const { config, log, region, publicUrl } = parts;
  const persons = (): Region['persons'] => region.now().persons;
  const development = config.development
    ? await createDevelopmentIdentityProvider({ publicUrl, persons, site: siteOf(parts) })
    : undefined;
  const opening = { config, log: log('auth'), development, publicUrl };
  return { ...parts, development, providers: await holdIdentityProviders(opening, region.now()) };
}

async function openHttp(parts: Parts, reloading: Reloading): Promise<Server> {
  const { config, log, stores, development } = parts;
  const authorization = await openAuthorization(parts);
  const doors = [
    pagesDoor(siteOf(parts)),
    ...(development === undefined ? [] : [development.middleware]),
    authorization.middleware,
    ...dataDoors(parts, authorization, await installedOhif(config, log)),
  ];
  return createHttpServer({
    log: log('http'),
    doors,
    health: async () => ({
      ...(await trailHealth(stores.trail, systemClock)),
      ...stores.anchoring.health(),
      ...reloading.health(),
      ...(await parts.flows.jobs.health()),
    }),
    report: async () => ({
      jobs: await parts.flows.jobs.report(),
      reindex: await parts.flows.servedParameters.report(),
    }),
  });
}

async function openAuthorization(parts: Parts): Promise<AuthorizationServer> {
  const { log, region, stores, flows, publicUrl, providers } = parts;
  return createAuthorizationServer({
    publicUrl,
    clients: () => region.now().clients,
    site: siteOf(parts),
    identityProviders: providers.now,
    accounts: flows.accounts,
    tokens: stores.tokens,
    keys: await loadAuthorizationKeys(stores.tokens),
    clock: systemClock,
    onSignIn: recordSignIn({ trail: stores.trail, clock: systemClock, server: 'auth' }),
    onError: (error) => log('auth').error({ err: error }, 'sign-in failed'),
  });
}

/** The capability statement, of the time when the server started. */
function statementOf({ flows, publicUrl }: Parts, fhirBase: () => string) {
  const date = new Date(systemClock.now()).toISOString();
  return () =>
    buildCapabilityStatement({
      served: SERVED,
      isServed: flows.isServed,
      systemInteractions: ['transaction', 'batch'],
      version: '0.1.0',
      date,
      fhirBase: fhirBase(),
      authorizationEndpoint: `${publicUrl()}/auth/authorize`,
      tokenEndpoint: `${publicUrl()}/auth/token`,
    });
}

function dataDoors(parts: Parts, { authenticate, session }: AuthorizationServer, ohif: InstalledOhif | undefined) {
  const { config, region, stores, flows, publicUrl, validate, subsets } = parts;
  const { trail, images } = stores;
  const identifying = { authenticate, requesterOfToken: flows.requesterOfToken, trail, clock: systemClock };
  const identify = createIdentify(identifying);
  const bodyLimit = bodyLimits(config.maxBodyBytes);
  const fhirBase = (): string => `${publicUrl()}/fhir`;
  const offsetOf = offsetsOf(config.timeZone);
  const fhir = fhirRoutes({
    ...flows,
    identify,
    fhirBase,
    offsetOf,
    bodyLimit,
    validate,
    subsets,
    capabilityStatement: statementOf(parts, fhirBase),
  });
  const dicomweb = dicomwebRouter({
    ...flows,
    identify,
    images,
    baseUrl: () => `${publicUrl()}/dicom-web`,
    offsetOf,
  });
  const xds = whenAsked(
    '/xds/',
    async () =>
      (await import('./xds.ts')).openXds({ config, region, stores, flows, publicUrl }, identify).routes() as Middleware,
  );
  const wado = wadoRouter({ ...flows, identify, images, baseUrl: () => `${publicUrl()}/wado` });
  const ofBrowser = { ...flows, images, identify: createIdentify(identifying, session.credentialOf) };
  const viewer = viewerRouter({
    ...ofBrowser,
    proofOf: session.proofOf,
    isProof: session.isProof,
    emergencyTerms: emergencyTermsOf(parts),
    hasOhif: ohif !== undefined,
    site: siteOf(parts),
    baseUrl: () => `${publicUrl()}/viewer`,
    offsetOf,
  });
  const ofOhif = ohifDoors(ohif, {
    ...ofBrowser,
    publicUrl,
    passes: session.passes,
    baseUrl: () => `${publicUrl()}/dicom-web`,
    offsetOf,
  });
  return [fhir, dicomweb.routes(), wado.routes(), viewer.routes(), ...ofOhif, xds] as Parameters<
    typeof createHttpServer
  >[0]['doors'];
}

/** How an emergency is declared on a page: for how long, and what the region as it is now says of it. */
function emergencyTermsOf({ config, region }: Parts): EmergencyTerms {
  const identifiers = madeOf(region, patientIdentifiersOf);
  return {
    hours: config.breakGlassHours,
    get identifiers() {
      return identifiers();
    },
    get breakGlass() {
      return region.now().breakGlass ?? {};
    },
  };
}

/** A door whose modules are loaded with the first request below its path. */
function whenAsked(path: string, load: () => Promise<Middleware>): Middleware {
  let loading: Promise<Middleware> | undefined;
  return async (ctx, next) => {
    if (!ctx.path.startsWith(path)) return await next();
    loading ??= load();
    return await (
      await loading
    )(ctx, next);
  };
}

function intakeOf({ config, log, region, flows, stores }: Parts): Intake {
  const { host, dimseAeTitle: calledAETitle, maxAssociations, maxInstanceBytes: maxObjectBytes, dataDir } = config;
  const serving = serveFiling({
    association: flows.association,
    log: log('dimse'),
    trail: stores.trail,
    clock: systemClock,
  });
  const limits = { maxAssociations, maxObjectBytes };
  return openIntake({ host, calledAETitle, limits, dataDir, region: region.now() }, serving);
}

async function dimseTLSOf({
  dimseTlsCert: cert,
  dimseTlsKey: key,
  dimseTlsCa: ca,
}: Config): Promise<TlsOptions | undefined> {
  return cert === undefined || key === undefined || ca === undefined
    ? undefined
    : await readTLSFiles({ cert, key, ca });
}

function boundAE({ dimseAeTitle: aeTitle }: Config, address: Bound): BoundAE {
  return { ...address, aeTitle };
}

function bracketed(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}
