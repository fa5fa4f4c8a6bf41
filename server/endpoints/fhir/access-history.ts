/** `Patient/$access-history` by GET and POST: who looked at the record of who asks, or of whom that one represents. */
import type { Parameters, ParametersParameter } from '@medplum/fhirtypes';
import type { Context } from 'koa';
import type { AccessLine, SeenExam } from '../../../profiles/audit/access-line.ts';
import { sentenceOf } from '../../../profiles/audit/sentence.ts';
import { isEmergency } from '../../../profiles/consent/emergency.ts';
import type { OffsetOf } from '../../../profiles/dicom/date-time.ts';
import { Fault } from '../../../profiles/fault.ts';
import { LANGUAGES, type Language } from '../../../profiles/language.ts';
import { parseDateRange, type DateRange } from '../../../profiles/search/date-range.ts';
import type { Visit } from '../../flows/guard.ts';
import { integerIn, valuesOfBody, valuesOfUrl, type ValueOf } from './access-list.ts';
import { answerJson } from './answer.ts';
import type { FhirDeps } from './deps.ts';
import { admit, readBodyResource } from './request.ts';
import { hasBody, NO_PARAMETERS } from './parameters.ts';

const ATTEMPT = { interaction: 'operation', operation: 'access-history' } as const;
const NAMES = ['start', 'end', 'own', 'language', '_count', '_offset'] as const;
const COUNT = { usual: 100, most: 500 } as const;

type Value = ValueOf<(typeof NAMES)[number]>;

/** In: start, end (date), own (boolean), language (code), _count and _offset (integer), in the URL. Out: Parameters. */
export async function getAccessHistory(deps: FhirDeps, ctx: Context): Promise<void> {
  const { visit } = await admit(deps, ctx, ATTEMPT);
  await answer(deps, ctx, visit, valuesOfUrl(ctx, NAMES));
}

/** In: the same as Parameters. */
export async function postAccessHistory(deps: FhirDeps, ctx: Context): Promise<void> {
  const admitted = await admit(deps, ctx, ATTEMPT);
  const body = hasBody(ctx) ? await readBodyResource(deps, ctx, admitted) : NO_PARAMETERS;
  await answer(deps, ctx, admitted.visit, valuesOfBody(body, NAMES));
}

async function answer(deps: FhirDeps, ctx: Context, visit: Visit, valueOf: Value): Promise<void> {
  const language = languageIn(ctx, valueOf('language'));
  const { total, page, timeZone, isOfAnother } = await deps.accessHistory(visit, {
    from: rangeIn(valueOf('start'), deps.offsetOf)?.lo,
    before: rangeIn(valueOf('end'), deps.offsetOf)?.hi,
    withOwn: booleanIn(valueOf('own'), true),
    count: Math.min(integerIn(valueOf('_count'), COUNT.usual), COUNT.most),
    offset: integerIn(valueOf('_offset'), 0),
  });
  const telling = { language, timeZone, isOfAnother };
  const accesses = page.map((line) => ({ name: 'access', part: partsOf(line, sentenceOf(line, telling)) }));
  const answered: Parameters = {
    resourceType: 'Parameters',
    parameter: [{ name: 'total', valueInteger: total }, ...accesses],
  };
  ctx.set('Content-Language', language);
  answerJson(ctx, 200, JSON.stringify(answered));
}

/** The one that is asked for, else the best of Accept-Language. */
function languageIn(ctx: Context, asked: string | undefined): Language {
  const known = LANGUAGES.find((language) => language === (asked ?? ctx.acceptsLanguages(...LANGUAGES)));
  if (known === undefined && asked !== undefined) throw invalid(`The languages are ${LANGUAGES.join(', ')}`);
  return known ?? LANGUAGES[0];
}

/** A bare day is one of the region. */
function rangeIn(text: string | undefined, offsetOf: OffsetOf): DateRange | undefined {
  const range = text === undefined ? undefined : parseDateRange(text, offsetOf);
  if (text !== undefined && range === undefined) throw invalid('A period begins and ends with a date');
  return range;
}

function booleanIn(text: string | undefined, usual: boolean): boolean {
  if (text !== undefined && text !== 'true' && text !== 'false') throw invalid('own is true or false');
  return text === undefined ? usual : text === 'true';
}

function invalid(message: string): Fault {
  return new Fault('invalid', message, { expression: 'Parameters.parameter' });
}

function partsOf(line: AccessLine, sentence: string): ParametersParameter[] {
  const { kind, at, who, isOwn, roles, institutions, exams, further, relation, consent, events } = line;
  return [
    { name: 'sentence', valueString: sentence },
    { name: 'when', valueInstant: new Date(at).toISOString() },
    { name: 'kind', valueCode: kind },
    { name: 'who', valueReference: who },
    { name: 'own', valueBoolean: isOwn },
    { name: 'emergency', valueBoolean: kind === 'emergency' || isEmergency(relation) },
    ...roles.map((valueCodeableConcept) => ({ name: 'role', valueCodeableConcept })),
    ...institutions.map((valueReference) => ({ name: 'institution', valueReference })),
    ...exams.map((exam) => ({ name: 'exam', valueReference: examReference(exam) })),
    ...(further === 0 ? [] : [{ name: 'further', valueInteger: further }]),
    ...(relation === undefined ? [] : [{ name: 'relation', valueCode: relation }]),
    ...(consent === undefined ? [] : [{ name: 'consent', valueReference: { reference: consent } }]),
    ...events.map((id) => ({ name: 'event', valueReference: { reference: `AuditEvent/${id}` } })),
  ];
}

function examReference({ reference, description, modality }: SeenExam) {
  const display = description ?? modality;
  return { reference, ...(display === undefined ? {} : { display }) };
}
