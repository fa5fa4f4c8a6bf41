/**
 * Who the identities of an answer are by themselves. A row says the person that it is of at present; only where that is
 * another than its identity's own, the identity is looked up: an identity keeps who it is by itself for good.
 */
import type { Person } from '@medplum/fhirtypes';
import { identityContentOf } from '../../profiles/identity/identity-resource.ts';
import { personKey } from '../access/requester.ts';
import type { AnswerTo, Question, ShownStudy, VisibleRow } from '../ports/record-store.ts';
import type { Homes } from '../ports/telling.ts';

/** The homes of an answer whose rows are all of the persons that their identities are by themselves. */
export const NO_HOMES: Homes = new Map();

/** The identities (`Patient/id`) of an answer that have to be looked up. */
export function identitiesToLookUp(answer: AnswerTo<Question>): readonly string[] {
  return [...new Set(identitiesOf(answer))];
}

function identitiesOf(answer: AnswerTo<Question>): readonly string[] {
  if (answer === undefined) return [];
  if ('rows' in answer) return ofRows('included' in answer ? [...answer.rows, ...answer.included] : answer.rows);
  if ('studies' in answer)
    return [
      ...ofRows(answer.studies),
      ...ofOthers(
        answer.studies,
        answer.parts.map(({ row }) => row.subject),
      ),
    ];
  if (!('study' in answer)) return ofRows([answer]);
  if (answer.study === undefined) return [];
  const filed = 'instances' in answer ? answer.instances.map(({ subject }) => subject) : (answer.identities ?? []);
  return [...ofRows([answer.study]), ...ofOthers([answer.study], filed)];
}

function ofRows(rows: readonly Pick<VisibleRow, 'identity'>[]): readonly string[] {
  return rows.flatMap(({ identity }) => identity ?? []);
}

/** What instances are filed under, but for the present Patients of their studies. */
function ofOthers(studies: readonly Omit<ShownStudy, 'id'>[], filed: readonly string[]): readonly string[] {
  const present = new Set(studies.map(({ subject }) => subject));
  return filed.filter((identity) => identity !== '' && !present.has(identity));
}

/** The homes that rows of type Person say, each with its id and its resource as JSON. */
export function homesIn(persons: readonly { readonly id: string; readonly json: string }[]): Homes {
  return new Map(
    persons.map(({ id, json }) => [`Patient/${id}`, personKey(identityContentOf(JSON.parse(json) as Person).home)]),
  );
}
