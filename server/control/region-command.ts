/** The server's side of `npm run region`: what it answers comes as lines of text, one each progress. */
import { Fault } from '../../profiles/fault.ts';
import { textOf } from './arguments.ts';
import type { ControlCommand } from './door.ts';

/** What operators ask of the region; each answers lines of text. */
export type RegionCommands = {
  /** What is loaded. */
  readonly show: () => Promise<readonly string[]>;
  /** What a file would change, by its absolute path. @throws {Fault} invalid, conflict - it would not be loaded */
  readonly check: (file: string) => Promise<readonly string[]>;
  /** Loads the region file again; `confirmed` is the serial of which somebody confirms what it takes away. */
  readonly reload: (confirmed: number | undefined) => Promise<readonly string[]>;
};

/** Makes the command. Its arguments are the action and what it needs: `file` to check, `confirmed` to reload. */
export function regionCommand(commands: RegionCommands): ControlCommand {
  return async (args, tell) => {
    for (const line of await linesOf(commands, args)) tell(line);
  };
}

async function linesOf({ show, check, reload }: RegionCommands, args: unknown): Promise<readonly string[]> {
  switch (textOf(args, 'action')) {
    case 'show':
      return await show();
    case 'check':
      return await check(textOf(args, 'file'));
    case 'reload':
      return await reload(confirmedIn(args));
    default:
      throw new Fault('not-supported', 'The region can be shown, checked and reloaded');
  }
}

function confirmedIn(args: unknown): number | undefined {
  const serial = (args as { readonly confirmed?: unknown }).confirmed;
  return typeof serial === 'number' ? serial : undefined;
}
