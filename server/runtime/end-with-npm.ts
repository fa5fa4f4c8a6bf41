/**
 * Commands run as the child of npm itself (`exec` in package.json), so that the signals which npm passes on reach them
 * and npm waits for their end. An npm that is killed passes nothing on: its command notices.
 */

/** The package whose scripts are meant: others may start the server and leave it. */
const PACKAGE = 'passerelle';
const LOOK_EVERY_MS = 500;

/**
 * Raises SIGTERM in this process when the npm that runs it, or a command of npm that started it, is gone: else it would
 * keep ports and data. Does nothing for a process that npm did not start.
 */
export function endWithNpm(): void {
  if (process.env['npm_package_name'] !== PACKAGE) return;
  const parent = process.ppid;
  const look = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(look);
    process.kill(process.pid, 'SIGTERM');
  }, LOOK_EVERY_MS).unref();
}
