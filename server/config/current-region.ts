/** The region of this process: whoever asks again hears of a reload. */
import type { Region } from './region-model.ts';

/** What is loaded. */
export type CurrentRegion = {
  readonly now: () => Region;
  /** A number that moves when another file is loaded. */
  readonly version: () => number;
};

/** The same, for who loads. */
export type HeldRegion = CurrentRegion & { readonly replace: (region: Region) => void };

/** Holds the region that the server starts with. */
export function holdRegion(first: Region): HeldRegion {
  let held = { region: first, version: 1 };
  return {
    now: () => held.region,
    version: () => held.version,
    replace: (region) => void (held = { region, version: held.version + 1 }),
  };
}

/** What is made of the region, made anew when another is loaded. */
export function madeOf<Value>(current: CurrentRegion, make: (region: Region) => Value): () => Value {
  let made: { readonly version: number; readonly value: Value } | undefined;
  return () => {
    const version = current.version();
    if (made?.version !== version) made = { version, value: make(current.now()) };
    return made.value;
  };
}
