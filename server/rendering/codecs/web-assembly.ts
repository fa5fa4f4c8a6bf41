/** Modules of WebAssembly, compiled once a thread, whose memory grows to a limit. */
import { readFile } from 'node:fs/promises';

/** Gives an instance to the script that was made for its module. */
export type Instantiate = (imports: WebAssembly.Imports, receive: (instance: WebAssembly.Instance) => void) => object;

/**
 * As much as one decoder may hold, in bytes: a frame of 60 million pixels as OpenJPEG holds it. Headers alone can ask
 * for more.
 */
const MAX_MEMORY_BYTES = 512 * 1024 * 1024;
const PAGE_BYTES = 65_536;

const compiled = new Map<string, Promise<WebAssembly.Module>>();

/**
 * Makes instances of the module in a file. Beyond the limit their memory does not grow, which decoders report as every
 * failure to get memory.
 */
export async function instantiateFrom(path: string): Promise<Instantiate> {
  const compiling = compiled.get(path) ?? readFile(path).then(async (bytes) => await WebAssembly.compile(bytes));
  compiled.set(path, compiling);
  const module = await compiling;
  return (imports, receive) => {
    const instance = new WebAssembly.Instance(module, imports);
    for (const exported of Object.values(instance.exports)) if (exported instanceof WebAssembly.Memory) limit(exported);
    receive(instance);
    return instance.exports;
  };
}

function limit(memory: WebAssembly.Memory): void {
  const grow = memory.grow.bind(memory);
  memory.grow = (pages) => {
    if (memory.buffer.byteLength + pages * PAGE_BYTES > MAX_MEMORY_BYTES)
      throw new RangeError('The decoder needs more memory than it may have');
    return grow(pages);
  };
}
