/** Whoever reads what a command prints may have read enough, as `npm run region -- show | head` has. */

/** 128 and the number of SIGPIPE, as shells tell of programs that it ends. */
const READ_ENOUGH = 141;

/**
 * Lets a command end without a word when nobody reads its output any more. What it does beside is finished, and an exit
 * code that tells how that went stays.
 */
export function endWithReader(): void {
  for (const output of [process.stdout, process.stderr])
    output.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
      process.exitCode ??= READ_ENOUGH;
    });
}
