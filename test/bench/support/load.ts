/** A load of HTTP requests: so many connections, each asking again when it was answered. */
import { Agent, request } from 'node:http';
import { quantileOf } from './figures.ts';

/** What a load measured; times in milliseconds. */
export type Load = {
  readonly requests: number;
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
  readonly failed: number;
};

/** Runs a load for a time. `pathAt` gives the path of the nth request. */
export async function runLoad(options: {
  readonly port: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly connections: number;
  readonly seconds: number;
  readonly pathAt: (sequence: number) => string;
}): Promise<Load> {
  const agent = new Agent({ keepAlive: true, maxSockets: options.connections });
  const times: number[] = [];
  const end = performance.now() + options.seconds * 1000;
  let [sequence, failed] = [0, 0];
  const connection = async (): Promise<void> => {
    while (performance.now() < end) {
      sequence += 1;
      const began = performance.now();
      const status = await get(agent, options.port, options.pathAt(sequence), options.headers);
      if (status !== 200) failed += 1;
      times.push(performance.now() - began);
    }
  };
  const began = performance.now();
  await Promise.all(Array.from({ length: options.connections }, connection));
  const seconds = (performance.now() - began) / 1000;
  agent.destroy();
  const requests = times.length;
  return { requests, perSecond: requests / seconds, p50: quantileOf(times, 0.5), p99: quantileOf(times, 0.99), failed };
}

/** Asks and reads the answer to its end; resolves with its status. */
export async function get(
  agent: Agent,
  port: number,
  path: string,
  headers: Readonly<Record<string, string>>,
): Promise<number> {
  return await new Promise((resolve, reject) => {
    const sent = request({ agent, host: '127.0.0.1', port, path, headers }, (response) => {
      response.resume();
      response.once('end', () => resolve(response.statusCode ?? 0));
    });
    sent.once('error', reject);
    sent.end();
  });
}
