/** What operators may ask of the running server. */
import type { Config } from '../config/config.ts';
import { isAmong } from '../config/address-range.ts';
import { madeOf, type CurrentRegion } from '../config/current-region.ts';
import { establishmentNamed } from '../config/region-names.ts';
import type { Region } from '../config/region-model.ts';
import { textOf } from '../control/arguments.ts';
import type { ControlCommand } from '../control/door.ts';
import { importCommand } from '../control/import-command.ts';
import type { ImportPlace } from '../control/import-lines.ts';
import { jobsCommand } from '../control/jobs-command.ts';
import { regionCommand } from '../control/region-command.ts';
import type { DimseFacts } from '../control/protocol.ts';
import type { LogFactory } from '../log.ts';
import type { Flows } from './flows/flows.ts';
import type { Reloading } from './region.ts';

/** How this machine calls itself. */
const LOOPBACK = ['127.0.0.1', '::1'];

/** What the commands work on. */
export type ControlParts = {
  readonly config: Config;
  readonly log: LogFactory;
  readonly region: CurrentRegion;
  readonly flows: Flows;
  readonly reloading: Pick<Reloading, 'commands'>;
};

/** The commands by name. `dimse` is where the door of DICOM is. */
export function controlCommands(
  { config, log, region, flows, reloading }: ControlParts,
  dimse: Omit<DimseFacts, 'localAETitles'>,
): Readonly<Record<string, ControlCommand>> {
  const { eraseStudy, readmit, receiveImport: begin, jobs } = flows;
  const localAETitles = madeOf(region, ({ aeTitles }) =>
    aeTitles.filter(({ addresses }) => LOOPBACK.some((one) => isAmong(addresses, one))).map(({ aeTitle }) => aeTitle),
  );
  return {
    dimse: async () => ({ ...dimse, localAETitles: localAETitles() }) satisfies DimseFacts,
    region: regionCommand(reloading.commands),
    import: importCommand({
      placeOf: (called) => importPlaceOf(config, region.now(), called),
      begin,
      log: log('import'),
    }),
    erase: async (args) => await eraseStudy(textOf(args, 'studyInstanceUID')),
    readmit: async (args) => await readmit({ system: textOf(args, 'system'), value: textOf(args, 'value') }),
    jobs: jobsCommand(jobs),
  };
}

/** Where an import goes. @throws {Fault} not-found, conflict - not one establishment is called so */
export function importPlaceOf({ maxInstanceBytes }: Config, region: Region, called: string): ImportPlace {
  const { organization, patientIdSystem } = establishmentNamed(region, called);
  return { organization, patientIdSystem, maxInstanceBytes };
}
