/** What is used of WebAssembly, which neither the language's types nor Node's declare. @see the WebAssembly JS API */
declare namespace WebAssembly {
  type Module = { readonly brand: 'module' };
  type Imports = Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  class Memory {
    readonly buffer: ArrayBuffer;
    /** By pages of 64 KiB; gives the number before. @throws {RangeError} it does not grow so far */
    grow: (pages: number) => number;
  }
  class Instance {
    readonly exports: Readonly<Record<string, unknown>>;
    constructor(module: Module, imports: Imports);
  }
  function compile(bytes: Uint8Array): Promise<Module>;
}
