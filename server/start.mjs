/**
 * Starts the server on compiled code that is kept: to strip the types of a module anew costs each thread 30 MB and much
 * of its start. Plain JavaScript, so that nothing is stripped before the cache is open; without one all works the same.
 */
import { enableCompileCache } from 'node:module';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('../node_modules/.cache/compiled', import.meta.url));
enableCompileCache(folder);
// For the threads that are started later.
process.env.NODE_COMPILE_CACHE = folder;
await import('./main.ts');
