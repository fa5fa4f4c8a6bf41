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

/** A request; one with a body is a POST of FHIR JSON. */
export type Ask = { readonly path: string; readonly body?: string };

/** Runs a load for a time. `askAt` gives the nth request, `expected` the status of an answer that did not fail. */
export async function runLoad(options: {
  readonly port: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly connections: number;
  readonly seconds: number;
  readonly askAt: (sequence: number) => Ask;
  readonly expected?: number;
}): Promise<Load> {
  const { port, headers, connections, askAt, expected = 200 } = options;
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const times: number[] = [];
  const end = performance.now() + options.seconds * 1000;
  let [sequence, failed] = [0, 0];
  const connection = async (): Promise<void> => {
    while (performance.now() < end) {
      sequence += 1;
      const began = performance.now();
      // A connection that is reset is a request that failed.
      const status = await send(agent, port, askAt(sequence), headers).catch(() => 0);
      if (status !== expected) failed += 1;
      times.push(performance.now() - began);
    }
  };
  const began = performance.now();
  await Promise.all(Array.from({ length: connections }, connection));
  const seconds = (performance.now() - began) / 1000;
  agent.destroy();
  const requests = times.length;
  return { requests, perSecond: requests / seconds, p50: quantileOf(times, 0.5), p99: quantileOf(times, 0.99), failed };
}

/** Asks by GET and reads the answer to its end; resolves with its status. */
export async function get(
  agent: Agent,
  port: number,
  path: string,
  headers: Readonly<Record<string, string>>,
): Promise<number> {
  return await send(agent, port, { path }, headers);
}

async function send(
  agent: Agent,
  port: number,
  { path, body }: Ask,
  headers: Readonly<Record<string, string>>,
): Promise<number> {
  const ofBody: Record<string, string> =
    body === undefined
      ? {}
      : {
          'Content-Type': 'application/fhir+json',
          'Content-Length': String(Buffer.byteLength(body)),
          Prefer: 'return=minimal',
        };
  const method = body === undefined ? 'GET' : 'POST';
  return await new Promise((resolve, reject) => {
    const options = { agent, host: '127.0.0.1', port, path, method, headers: { ...headers, ...ofBody } };
    const sent = request(options, (response) => {
      response.resume();
      response.once('end', () => resolve(response.statusCode ?? 0));
    });
    sent.once('error', reject);
    sent.end(body);
  });
}
