/** One client for both servers: a kept connection, one request after the other, each answer read to its end. */
import { Agent, request, type IncomingMessage } from 'node:http';
import { medianOf, msOf, quantileOf, type Row } from '../support/figures.ts';
import { ROOT, type Side } from './sides.ts';

/** A request as the client makes it; `path` is below the DICOMweb root. */
export type Ask = {
  readonly method?: 'POST';
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: readonly Uint8Array[];
};

/** What an answer took. */
export type Answered = { readonly ms: number; readonly status: number; readonly bytes: number };

/** Asks servers in turn, `repeats` times each after some that are not counted; `askAt` gives the nth request. */
export async function askInTurn(
  sides: readonly Side[],
  repeats: number,
  askAt: (sequence: number, side: Side) => Ask,
): Promise<ReadonlyMap<Side, readonly Answered[]>> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1, scheduling: 'fifo' });
  const answers = new Map<Side, Answered[]>(sides.map((side) => [side, []]));
  // As servers are that have run for a while.
  const warming = Math.min(60, repeats);
  for (let sequence = -warming; sequence < repeats; sequence += 1) {
    for (const side of sides) {
      const answered = await ask(agent, side, askAt(sequence + warming, side));
      if (answered.status >= 300) throw new Error(`${side.name} answers ${answered.status}`);
      if (sequence >= 0) answers.get(side)?.push(answered);
    }
  }
  agent.destroy();
  return answers;
}

/** Asks a server over several connections until `count` answers are there; resolves with the answers a second. */
export async function askTogether(
  side: Side,
  connections: number,
  count: number,
  askAt: (sequence: number, side: Side) => Ask,
): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  let next = 0;
  const connection = async (): Promise<void> => {
    while (next < count) {
      const { status } = await ask(agent, side, askAt(next++, side));
      if (status >= 300) throw new Error(`${side.name} answers ${status}`);
    }
  };
  const began = performance.now();
  await Promise.all(Array.from({ length: connections }, connection));
  agent.destroy();
  return (count * 1000) / (performance.now() - began);
}

/** A row for each server: median, 99th percentile, size, and how many times faster ours is. */
export function rowsOf(title: string, answers: ReadonlyMap<Side, readonly Answered[]>, budget?: number): Row[] {
  const p50 = (answered: readonly Answered[]): number => medianOf(answered.map(({ ms }) => ms));
  const ours = [...answers].find(([{ name }]) => name === 'passerelle')?.[1] ?? [];
  return [...answers].map(([{ name }, answered]) => {
    const bytes = medianOf(answered.map((one) => one.bytes));
    const figures = {
      p50Ms: msOf(p50(answered)),
      p99Ms: msOf(
        quantileOf(
          answered.map(({ ms }) => ms),
          0.99,
        ),
      ),
      kilobytes: msOf(bytes / 1000),
    };
    const isPeer = name !== 'passerelle';
    return {
      name: `${title}: ${name}`,
      figures: {
        ...figures,
        ...(isPeer ? { ratio: msOf(p50(answered) / p50(ours)) } : {}),
        ...(isPeer && budget !== undefined ? { budget } : {}),
      },
    };
  });
}

async function ask(
  agent: Agent,
  { port, headers }: Side,
  { method, path, headers: asked, body }: Ask,
): Promise<Answered> {
  const began = performance.now();
  return await new Promise((resolve, reject) => {
    const sent = request(
      {
        agent,
        host: '127.0.0.1',
        port,
        method: method ?? 'GET',
        path: `${ROOT}${path}`,
        headers: { ...headers, ...asked },
      },
      (response: IncomingMessage) => {
        let bytes = 0;
        response.on('data', (chunk: Buffer) => (bytes += chunk.length));
        response.once('end', () => resolve({ ms: performance.now() - began, status: response.statusCode ?? 0, bytes }));
        response.once('error', reject);
      },
    );
    sent.once('error', reject);
    for (const part of body ?? []) sent.write(part);
    sent.end();
  });
}
