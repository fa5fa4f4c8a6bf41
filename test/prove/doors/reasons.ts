/** Why answers differ from those of the former commit, each difference that is meant. */

type Reason = { readonly request: RegExp; readonly change?: RegExp; readonly reason: string };

const REASONS: readonly Reason[] = [
  { request: /\/fhir\/metadata/, reason: 'the statement is read off the files of the types and lists what they serve' },
  { request: /\/health\/ready/, change: /"jobs"/, reason: 'readiness tells of each kind of job how many there are' },
  {
    request: /PUT \/fhir\/Organization/,
    change: /The interaction update is not served on Organization/,
    reason: 'an update by id is a route of every type, and the refusal names what is not served',
  },
  {
    request: /DELETE \/fhir\/ImagingStudy/,
    change: /The interaction delete is not served on ImagingStudy/,
    reason: 'a delete is a route of every type, and the refusal names what is not served',
  },
  { request: /POST \/fhir as author/, change: /batch-response/, reason: 'batches are served' },
  {
    request: /nonsense=1|_include=\*/,
    change: /urn:uuid:/,
    reason: 'the entry of an outcome has a fullUrl (bdl-7)',
  },
  {
    request: /\$break-glass as patient/,
    change: /Only a health professional may declare an emergency/,
    reason: 'who may is asked before the body is read',
  },
  {
    request: /^\d+ (WADO-RS (rendered|thumbnail)|WADO-URI)/,
    reason: 'pictures and WADO-URI are served',
  },
  {
    request: /POST \/fhir\/Consent as author/,
    change: /text\/plain[\s\S]*no bytes/,
    reason: 'a 201 without a body names no type of one',
  },
];

/** The reason of a difference; undefined when nobody meant it. `change` looks at both answers, the former first. */
export function reasonFor(request: string, former: string, answer: string): string | undefined {
  const meant = REASONS.find(
    (one) => one.request.test(request) && (one.change?.test(`${former}\n=>\n${answer}`) ?? true),
  );
  if (meant !== undefined) return meant.reason;
  if (inOneOrder(former) === inOneOrder(answer)) return 'meta stands behind type and id, whatever the store';
  return inOneOrder(former, withoutViewers) === inOneOrder(answer, withoutViewers)
    ? 'studies, manifests and reports lead to the viewer'
    : undefined;
}

const JSON_BODY = /^\{$[\s\S]*^\}$/m;

/** Content without contained Endpoints of viewers, and what refers to them. */
function withoutViewers(value: unknown): unknown {
  if (Array.isArray(value)) return value.filter((one) => !isViewer(one)).map(withoutViewers);
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries(value).map(([name, member]) => [name, withoutViewers(member)] as const);
  return Object.fromEntries(members.filter(([, member]) => !(Array.isArray(member) && member.length === 0)));
}

function isViewer(value: unknown): boolean {
  const { resourceType, connectionType, reference } = (value ?? {}) as {
    readonly resourceType?: unknown;
    readonly connectionType?: { readonly code?: unknown };
    readonly reference?: unknown;
  };
  if (resourceType === 'Endpoint') return connectionType?.code === 'web-viewer';
  return typeof reference === 'string' && reference.startsWith('#viewer');
}

/** An answer whose JSON has its members in one order: the order of rows and of other lists is kept. */
function inOneOrder(answer: string, of: (content: unknown) => unknown = (content) => content): string {
  return answer.replace(JSON_BODY, (json) => JSON.stringify(sorted(of(JSON.parse(json)))));
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, member]) => [name, sorted(member)]),
  );
}
