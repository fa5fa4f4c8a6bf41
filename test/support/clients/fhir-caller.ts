/** FHIR requests that tests make over HTTP, well formed or not, and their answers as plain data. */
import { expect } from 'chai';
import type { AuditEvent, Bundle, OperationOutcome, Resource } from '@medplum/fhirtypes';

/** An answer; `json` throws when the body is no JSON. */
export type FhirAnswer = {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly json: <T = Record<string, unknown>>() => T;
};

/** Who asks. Paths are below the FHIR base, as `Patient/1`. */
export type FhirCaller = {
  readonly token: string;
  get(path: string, headers?: Readonly<Record<string, string>>): Promise<FhirAnswer>;
  /** A body that is no string is sent as FHIR JSON. */
  send(method: string, path: string, body?: unknown, headers?: Readonly<Record<string, string>>): Promise<FhirAnswer>;
  /** The resources of a searchset, of this page alone. */
  find<T extends Resource>(path: string): Promise<T[]>;
  /** The one resource that a search must find. */
  findOne<T extends Resource>(path: string): Promise<T & { readonly id: string }>;
};

/**
 * Calls a server with an access token; without one anonymously. `renewed` gives the token of each request, where the
 * first would not last.
 */
export function fhirCaller(url: string, token = '', renewed = async (): Promise<string> => token): FhirCaller {
  const send: FhirCaller['send'] = async (method, path, body, headers = {}) => {
    const bearer = await renewed();
    const authorization: Record<string, string> = bearer === '' ? {} : { authorization: `Bearer ${bearer}` };
    const response = await fetch(`${url}/fhir${path === '' ? '' : `/${path}`}`, {
      method,
      headers: {
        ...authorization,
        ...(body === undefined ? {} : { 'content-type': 'application/fhir+json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, json: <T>() => JSON.parse(text) as T };
  };
  const find: FhirCaller['find'] = async <T extends Resource>(path: string) => {
    const answer = await send('GET', path);
    expect(answer.status, `GET ${path}: ${answer.text}`).to.equal(200);
    return resourcesOf<T>(answer.json<Bundle>());
  };
  return {
    token,
    send,
    get: async (path, headers) => await send('GET', path, undefined, headers),
    find,
    findOne: async <T extends Resource>(path: string) => {
      const [only, ...others] = await find<T>(path);
      expect(others, `GET ${path} finds several`).to.deep.equal([]);
      if (only?.id === undefined) throw new Error(`GET ${path} finds nothing`);
      return { ...only, id: only.id };
    },
  };
}

/** The resources of a Bundle. */
export function resourcesOf<T extends Resource>(bundle: Bundle): T[] {
  return (bundle.entry ?? []).flatMap(({ resource }) => (resource === undefined ? [] : [resource as T]));
}

/** Expects a refusal: its status, and an OperationOutcome with one of the issue types. Gives the issue's text. */
export function expectOutcome(answer: FhirAnswer, status: number, code?: string): string {
  expect(answer.status, answer.text).to.equal(status);
  const outcome = answer.json<OperationOutcome>();
  expect(outcome.resourceType, answer.text).to.equal('OperationOutcome');
  const [issue] = outcome.issue ?? [];
  if (code !== undefined) expect(issue?.code, answer.text).to.equal(code);
  return issue?.diagnostics ?? '';
}

/** The AuditEvents of a subtype that a caller may read, latest first. */
export async function eventsOf(caller: FhirCaller, subtype: string): Promise<AuditEvent[]> {
  return await caller.find<AuditEvent>(`AuditEvent?subtype=${subtype}&_count=100`);
}

/** Tries until a condition holds, for at most some seconds; gives what it resolved with. */
export async function eventually<T>(work: () => Promise<T | undefined>, seconds = 10): Promise<T> {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const result = await work();
    if (result !== undefined) return result;
    if (Date.now() > end) throw new Error(`Not within ${seconds} s`);
    await new Promise((resolve) => {
      setTimeout(resolve, 50);
    });
  }
}
