/** What operators may ask of the running server. */
import type { Config } from '../config/config.ts';
import { isLoopback } from '../config/config.ts';
import { establishmentNamed } from '../config/region-names.ts';
import type { Region } from '../config/region-model.ts';
import { textOf } from '../control/arguments.ts';
import type { ControlCommand } from '../control/door.ts';
import { importCommand } from '../control/import-command.ts';
import type { ImportPlace } from '../control/import-lines.ts';
import { jobsCommand } from '../control/jobs-command.ts';
import type { DimseFacts } from '../control/protocol.ts';
import type { LogFactory } from '../log.ts';
import type { Flows } from './flows.ts';

/** What the commands work on. */
export type ControlParts = {
  readonly config: Config;
  readonly log: LogFactory;
  readonly region: Region;
  readonly flows: Flows;
};

/** The commands by name. `dimse` is where the door of DICOM is. */
export function controlCommands(
  { config, log, region, flows }: ControlParts,
  dimse: Omit<DimseFacts, 'localAETitles'>,
): Readonly<Record<string, ControlCommand>> {
  const { eraseStudy, receiveImport: begin, jobs } = flows;
  const localAETitles = region.aeTitles
    .filter(({ addresses }) => addresses.some(isLoopback))
    .map(({ aeTitle }) => aeTitle);
  return {
    dimse: async () => ({ ...dimse, localAETitles }) satisfies DimseFacts,
    import: importCommand({
      placeOf: (called) => importPlaceOf(config, region, called),
      begin,
      log: log('import'),
    }),
    erase: async (args) => await eraseStudy(textOf(args, 'studyInstanceUID')),
    jobs: jobsCommand(jobs),
  };
}

/** Where an import goes. @throws {Fault} not-found, conflict - not one establishment is called so */
export function importPlaceOf({ maxInstanceBytes }: Config, region: Region, called: string): ImportPlace {
  const { organization, patientIdSystem } = establishmentNamed(region, called);
  return { organization, patientIdSystem, maxInstanceBytes };
}
