/** ITI-119 Patient Demographics Match, response. @see IHE PDQm 3.2, 2:3.119.4.2 */
import { EXTENSION } from '../../profiles/codes.ts';
import type { MatchGrade } from './grade.ts';

/** A Patient of the answer, as JSON text, and how sure it is that she is the one. */
export type MatchedPatient = { readonly id: string; readonly json: string } & MatchGrade;

/** Formats the searchset, the likeliest first as they come. Patients are put in as text, nothing is parsed again. */
export function formatMatches(matches: readonly MatchedPatient[], fhirBase: string): string {
  const entries = matches.map(({ id, json, grade, score }) => {
    const search = { extension: [{ url: EXTENSION.matchGrade, valueCode: grade }], mode: 'match', score };
    const fullUrl = JSON.stringify(`${fhirBase}/Patient/${id}`);
    return `{"fullUrl":${fullUrl},"resource":${json},"search":${JSON.stringify(search)}}`;
  });
  const link = JSON.stringify([{ relation: 'self', url: `${fhirBase}/Patient/$match` }]);
  const entry = entries.length === 0 ? '' : `,"entry":[${entries.join(',')}]`;
  return `{"resourceType":"Bundle","type":"searchset","total":${matches.length},"link":${link}${entry}}`;
}
