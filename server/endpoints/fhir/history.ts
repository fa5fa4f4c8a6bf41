/** FHIR history of a resource and of a type. @see https://hl7.org/fhir/R4/http.html#history */
import type { Context } from 'koa';
import { Fault } from '../../../profiles/fault.ts';
import { parseDateRange } from '../../../profiles/search/date-range.ts';
import type { StoredType } from '../../../profiles/types/visibility.ts';
import type { HistoryRequest } from '../../flows/read/read-history.ts';
import type { Visit } from '../../flows/guard.ts';
import { answerJson } from './answer.ts';
import { formatHistory } from './bundles.ts';
import type { FhirDeps } from './deps.ts';
import { handlingOf, requireJsonAnswer } from './request.ts';

const MAX_COUNT = 500;
const DEFAULT_COUNT = 50;

/** Parameters of a history; `_at`, which would narrow it, is refused. */
const KNOWN = ['_count', '_since', '_cursor', '_format', '_pretty'];

/** Answers a history: of one resource by its id, else of the type. */
export async function history(deps: FhirDeps, ctx: Context, type: StoredType, id?: string): Promise<void> {
  const visit = await deps.identify(ctx, deps.fhirBase());
  requireJsonAnswer(ctx);
  const parameters = new URLSearchParams(ctx.querystring);
  answerJson(ctx, 200, await historyText(deps, visit, { type, id, parameters, handling: handlingOf(ctx) }));
}

/** Which history, and the parameters of its address. */
export type AskedHistory = {
  readonly type: StoredType;
  readonly id: string | undefined;
  readonly parameters: URLSearchParams;
  readonly handling: 'strict' | 'lenient';
};

/** The Bundle of a history, as JSON text. */
export async function historyText(deps: FhirDeps, visit: Visit, asked: AskedHistory): Promise<string> {
  const { type, id, parameters } = asked;
  const page = await deps.history(visit, toRequest(asked));
  const self = new URL(`${deps.fhirBase()}/${type}${id === undefined ? '' : `/${id}`}/_history`);
  self.search = new URLSearchParams([...parameters].filter(([name]) => KNOWN.includes(name))).toString();
  return formatHistory(page, deps.fhirBase(), self);
}

function toRequest({ type, id, parameters, handling }: AskedHistory): HistoryRequest {
  if (parameters.has('_at')) throw new Fault('not-supported', 'A history is not served by _at', { expression: '_at' });
  const unknown = [...parameters.keys()].find((name) => !KNOWN.includes(name));
  if (handling === 'strict' && unknown !== undefined)
    throw new Fault('invalid', 'A history has the parameters _count and _since', { expression: unknown.slice(0, 64) });
  const [since, cursor] = [sinceOf(parameters.get('_since')), parameters.get('_cursor')];
  return {
    type,
    count: countOf(parameters.get('_count')),
    ...(id === undefined ? {} : { id }),
    ...(since === undefined ? {} : { since }),
    ...(cursor === null ? {} : { cursor }),
  };
}

function countOf(text: string | null): number {
  if (text === null) return DEFAULT_COUNT;
  if (!/^\d{1,9}$/.test(text))
    throw new Fault('invalid', 'The parameter _count must be a whole number', { expression: '_count' });
  return Math.max(1, Math.min(Number(text), MAX_COUNT));
}

/** An instant; the plus of its time zone may have come unescaped, as a space. */
function sinceOf(text: string | null): number | undefined {
  if (text === null) return undefined;
  const range = parseDateRange(text.replace(' ', '+'));
  if (range === undefined)
    throw new Fault('invalid', 'The parameter _since must be an instant', { expression: '_since' });
  return range.lo;
}
