/** Storage of the demonstration's identity provider: in memory, gone with the process. */
import type { Adapter, AdapterPayload } from 'oidc-provider';

const MAX_ENTRIES = 10_000;

/** Gives an adapter factory whose adapters share one memory; the oldest entries make room for new ones. */
export function memoryAdapter(): (model: string) => Adapter {
  const entries = new Map<string, AdapterPayload>();
  return (model) => {
    const key = (id: string) => `${model} ${id}`;
    return {
      async upsert(id, payload) {
        const oldest = entries.keys().next();
        if (entries.size >= MAX_ENTRIES && oldest.done !== true) entries.delete(oldest.value);
        entries.set(key(id), payload);
      },
      find: async (id) => entries.get(key(id)),
      findByUid: async (uid) => [...entries.values()].find((entry) => entry.kind === model && entry.uid === uid),
      findByUserCode: async () => undefined,
      async consume(id) {
        const entry = entries.get(key(id));
        if (entry !== undefined) entries.set(key(id), { ...entry, consumed: Math.floor(Date.now() / 1000) });
      },
      async destroy(id) {
        entries.delete(key(id));
      },
      async revokeByGrantId(grantId) {
        for (const [name, entry] of entries) if (entry.grantId === grantId) entries.delete(name);
      },
    };
  };
}
