/** A server that takes over what earlier ones wrote: it answers nothing else meanwhile, but says how far it is. */
import type { Middleware } from 'koa';
import type { Config } from '../config/config.ts';
import { createHttpServer } from '../endpoints/http/app.ts';
import type { Upgrade } from '../flows/upgrade/upgrade.ts';
import type { Log } from '../log.ts';
import { closeHttp, explainPort, listenHttp } from './listening.ts';
import { Fault } from '../../profiles/fault.ts';

/**
 * Resolves when all is taken over. Doors open then: before that, a record is open as an earlier server joined it. Where
 * there is nothing, as in a new data folder, nobody has to wait, and the port is not opened for it.
 */
export async function upgradeWhileWaiting(upgrade: Upgrade, config: Config, log: Log): Promise<void> {
  if (!(await upgrade.isDue())) return await upgrade.run();
  const server = createHttpServer({
    log,
    doors: [notYet],
    health: async () => upgrade.checks(),
    report: async () => upgrade.report(),
  });
  const { host, port } = await listenHttp(server, config).catch(explainPort('PASSERELLE_HTTP_PORT', config.httpPort));
  log.info({ host, port }, 'health alone is answered until data of an earlier server are taken over');
  try {
    await upgrade.run();
  } finally {
    await closeHttp(server);
  }
}

const notYet: Middleware = () => {
  throw new Fault('transient', 'Data of an earlier server are taken over: try again later');
};
