/** How a running server takes another region file: by a command, by SIGHUP, or as another process of its store did. */
import type { Config } from '../config/config.ts';
import type { HeldRegion } from '../config/current-region.ts';
import type { Region, RegionClient } from '../config/region-model.ts';
import type { RegionCommands } from '../control/region-command.ts';
import type { DirectoryChange } from '../flows/directory/directory-changes.ts';
import { changeLines, forecastLines, regionLines } from '../flows/directory/region-lines.ts';
import { isSameFile, markOf, type RegionMark } from '../flows/directory/region-mark.ts';
import type { Checks } from '../flows/health.ts';
import type { Log } from '../log.ts';
import type { IdentityProvider } from '../ports/identity-provider.ts';
import { repeat } from '../threads/background.ts';
import type { Flows } from './flows/flows.ts';
import type { Intake } from './intake.ts';

/** What a reload works on. */
export type ReloadParts = {
  readonly config: Config;
  readonly log: Log;
  readonly held: HeldRegion;
  readonly flows: Flows;
  /** Reads and checks the file. */
  readonly read: ReadRegion;
  readonly intake: Pick<Intake, 'takeRegion'>;
  readonly providers: HeldProviders;
};

/** The identity providers of the region: those of a file are opened, then put in the place of the former. */
export type HeldProviders = {
  readonly now: () => readonly IdentityProvider[];
  readonly open: (region: Region) => Promise<readonly IdentityProvider[]>;
  readonly replace: (providers: readonly IdentityProvider[]) => void;
};

/** Reads and checks a region file, by default that of the configuration. @throws {Fault} invalid - it does not hold */
export type ReadRegion = (path?: string) => Promise<Region>;

type Reloaded = {
  readonly former: Region;
  readonly region: Region;
  readonly changes: readonly DirectoryChange[];
  /** Tokens and sessions of whom the region knows no more. */
  readonly endedTokens: number;
};

/** The loaded region, and how another comes in its place. */
export type Reloading = {
  /**
   * Loads the region file again; `confirmed` is as loadRegion takes it. When it is refused the former one stays.
   * @throws {Fault} invalid - the file or a secret of a provider does not hold
   * @throws {Fault} conflict - as loadRegion does
   */
  readonly reload: (confirmed?: number) => Promise<Reloaded>;
  readonly commands: RegionCommands;
  readonly health: () => Checks;
  /** Follows what other processes of the store load, until it is closed. */
  readonly follow: () => { close(): Promise<void> };
};

/** What another process has loaded is seen within so long. */
const FOLLOW_PAUSE_MS = 5_000;

/** Makes it. */
export function openReloading(parts: ReloadParts): Reloading {
  const { config, log } = parts;
  const inTurn = oneAtATime();
  let behind: number | undefined;
  const follow = async (): Promise<void> => {
    const was = behind;
    behind = await inTurn(async () => await follows(parts));
    if (behind !== undefined && behind !== was)
      log.error({ serial: behind }, 'another process loaded a newer region file than this process can read');
  };
  const reloaded = async (confirmed?: number): Promise<Reloaded> =>
    await inTurn(async () => await reload(parts, confirmed));
  const told = (error: unknown): void => log.error({ err: error }, 'the region could not be followed');
  return {
    reload: reloaded,
    commands: {
      show: async () => regionLines(parts.held.now()),
      check: async (file) => await foresee(parts.flows, parts.held.now(), await parts.read(file)),
      reload: async (confirmed) => changeLines(await reloaded(confirmed)),
    },
    health: () => ({ 'region:serial': checkOf(parts.held.now().serial, behind) }),
    follow: () => {
      // The data folder of SQLite has one process.
      const following = config.store === 'sqlite' ? undefined : repeat(follow, FOLLOW_PAUSE_MS, told);
      return { close: async () => await following?.stop() };
    },
  };
}

/** Which region file a store was written from. */
export function serialLine(mark: RegionMark | undefined): string {
  return mark === undefined
    ? 'the store was written from no region file'
    : `the store was written from serial ${mark.serial}`;
}

/**
 * What a file would change, in lines; without a running server the former clients and AE titles are not known.
 * @throws {Fault} conflict - it would not be loaded: as forecastRegion does
 */
export async function foresee(
  {
    forecastRegion: forecast,
    weighRegion: weigh,
    weighGrounds,
  }: Pick<Flows, 'forecastRegion' | 'weighRegion' | 'weighGrounds'>,
  former: Region | undefined,
  region: Region,
): Promise<readonly string[]> {
  const { standing, directory, changes, reasons } = await forecast(region);
  const weights = await weigh(directory, changes, former, region);
  const grounds = await weighGrounds(former, region);
  return forecastLines({ standing, former, region, changes, reasons, weights, grounds });
}

async function reload(parts: ReloadParts, confirmed: number | undefined): Promise<Reloaded> {
  const { held, flows, intake, providers, log } = parts;
  const region = await parts.read();
  const opened = await providers.open(region);
  const former = held.now();
  const changes = await flows.loadRegion(region, confirmed);
  held.replace(region);
  providers.replace(opened);
  await intake.takeRegion(region);
  await flows.announceImages(region);
  await flows.askForGrounds();
  await flows.askForWaiting();
  const endedTokens = await flows.endTokens(region, endedClients(former, region));
  log.info({ serial: region.serial, changes: changes.length, endedTokens }, 'the region file is loaded');
  return { former, region, changes, endedTokens };
}

/** Takes the file that another process has loaded; the serial of a file that this process does not have. */
async function follows(parts: ReloadParts): Promise<number | undefined> {
  const mark = await parts.flows.regionMark();
  if (mark?.state !== 'written') return undefined;
  const mine = markOf(parts.held.now(), 'written');
  if (mark.serial < mine.serial || isSameFile(mark, mine)) return undefined;
  const isHere = await parts.read().then(
    (region) => isSameFile(markOf(region, 'written'), mark),
    () => false,
  );
  if (!isHere) return mark.serial;
  await reload(parts, undefined);
  return undefined;
}

/** Clients that act for somebody else now, or lost a key: what they were given before ends, too. */
function endedClients(former: Region, region: Region): readonly string[] {
  const now = new Map(region.clients.map((client) => [client.client_id, client]));
  return former.clients.filter((client) => isAnother(client, now.get(client.client_id))).map((one) => one.client_id);
}

function isAnother(former: RegionClient, client: RegionClient | undefined): boolean {
  if (client === undefined || client.organization !== former.organization) return true;
  const keys = new Set((client.jwks?.keys ?? []).map((key) => JSON.stringify(key)));
  return (former.jwks?.keys ?? []).some((key) => !keys.has(JSON.stringify(key)));
}

function checkOf(serial: number, behind: number | undefined): Checks[string] {
  if (behind === undefined) return { status: 'pass', observedValue: serial, observedUnit: 'serial' };
  const output = `Another process loaded the region file with serial ${behind}, which this process does not have`;
  return { status: 'warn', observedValue: serial, observedUnit: 'serial', output };
}

function oneAtATime(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return async (work) => {
    const turn = last.then(work, work);
    last = turn.catch(() => undefined);
    return await turn;
  };
}
