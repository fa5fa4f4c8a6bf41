/**
 * An identity as it is kept: a Person, under the id of the Patient that the identity is by itself, which contains the
 * Patient as its source said it. What the product knows beside that is an extension of ours.
 */
import type { Extension, Identifier, Patient, Person, Reference } from '@medplum/fhirtypes';
import { EXTENSION } from '../codes.ts';
import type { FormerPersons } from './former-persons.ts';

/** What desks said of two identities, by the id of the other one. */
export type KnownVerdict = { readonly other: string; readonly same: boolean };

/** What a source had said before it said something else: a digest of it, and since when (epoch ms) it stood. */
export type FormerWords = { readonly digest: string; readonly changed: number };

/** What is known of an identity. Times are epoch milliseconds. */
export type IdentityContent = {
  /** Logical id of the Patient that the identity is by itself. */
  readonly id: string;
  /** The person key that it is by itself. */
  readonly home: string;
  /** When it was made: who was first. */
  readonly since: number;
  /** When its source last said something else of it. */
  readonly changed: number;
  /** What it had said before that. */
  readonly before?: FormerWords;
  /** `Organization/id` of the establishment that said it last. */
  readonly source: string;
  /** Every establishment that ever said something of it, this one included. */
  readonly sources: readonly string[];
  /** An image said it, which carries no reliability. */
  readonly fromImage: boolean;
  /** The identifier that names it in its domain. */
  readonly own: { readonly system: string; readonly value: string };
  /** The Patient as its source said it, under the id of the identity. */
  readonly said: Patient;
  readonly verdicts: readonly KnownVerdict[];
  /** Who was who before it changed, the latest first. */
  readonly formerPersons: readonly FormerPersons[];
  /** Identities (ids) beside which desks are asked to look at this one. */
  readonly reviews: readonly string[];
  /** The identity (id) that an earlier server had joined it with, until a desk has looked at that. */
  readonly formerly?: string;
  /** The identity (id) of the same source that it says replaced this one. @see IHE PIXm ITI-104, merge */
  readonly replacedBy?: string;
};

const SAID = 'said';

/** Builds the Person that keeps an identity. It is found by each identifier that its source said. */
export function toIdentityResource(content: IdentityContent): Person & { readonly id: string } {
  const { id, said, own } = content;
  const { meta, id: _id, ...rest } = said;
  const profile = meta?.profile === undefined ? {} : { meta: { profile: meta.profile } };
  const identifier = said.identifier ?? [];
  const isSaid = identifier.some((one) => one.system === own.system && one.value === own.value);
  return {
    resourceType: 'Person',
    id,
    contained: [{ ...rest, ...profile, id: SAID }],
    extension: [extensionOf(content)],
    identifier: isSaid ? identifier : [{ ...own }, ...identifier],
    link: [{ target: { reference: `#${SAID}` } }],
  };
}

function extensionOf(content: IdentityContent): Extension {
  const { home, since, changed, before, source, sources, fromImage, own } = content;
  const { verdicts, formerPersons, reviews, formerly, replacedBy } = content;
  return {
    url: EXTENSION.identity,
    extension: [
      { url: 'home', valueString: home },
      { url: 'since', valueInstant: new Date(since).toISOString() },
      { url: 'changed', valueInstant: new Date(changed).toISOString() },
      ...(before === undefined ? [] : [wordsPart(before)]),
      ...sourcesInOrder(source, sources).map((reference) => ({ url: 'source', valueReference: { reference } })),
      { url: 'fromImage', valueBoolean: fromImage },
      { url: 'own', valueIdentifier: { ...own } },
      ...(replacedBy === undefined ? [] : [{ url: 'replacedBy', valueReference: personReference(replacedBy) }]),
      ...(formerly === undefined ? [] : [{ url: 'formerly', valueReference: personReference(formerly) }]),
      ...reviews.map((other) => ({ url: 'review', valueReference: personReference(other) })),
      ...verdicts.map(({ other, same }) => ({
        url: same ? 'same' : 'notSame',
        valueReference: personReference(other),
      })),
      ...formerPersons.map(personsPart),
    ],
  };
}

/** Ids of one person stand in one text. */
function personsPart({ persons, digest }: FormerPersons): Extension {
  const each = persons.map((ids) => ({ url: 'person', valueString: ids.join(' ') }));
  return { url: 'formerPersons', extension: [{ url: 'digest', valueString: digest }, ...each] };
}

function personsIn({ url, extension = [] }: Extension): readonly FormerPersons[] {
  if (url !== 'formerPersons') return [];
  const named = (name: string): readonly string[] =>
    extension.flatMap((part) => (part.url === name ? (part.valueString ?? []) : []));
  return [{ persons: named('person').map((ids) => ids.split(' ')), digest: named('digest')[0] ?? '' }];
}

function wordsPart({ digest, changed }: FormerWords): Extension {
  const at = { url: 'changed', valueInstant: new Date(changed).toISOString() };
  return { url: 'before', extension: [{ url: 'digest', valueString: digest }, at] };
}

function wordsIn(part: Extension | undefined): Pick<IdentityContent, 'before'> {
  const [digest, changed] = ['digest', 'changed'].map((name) => part?.extension?.find(({ url }) => url === name));
  if (digest?.valueString === undefined) return {};
  return { before: { digest: digest.valueString, changed: Date.parse(changed?.valueInstant ?? '') } };
}

function personReference(id: string): Reference {
  return { reference: `Person/${id}` };
}

/** Who said it last comes first. */
function sourcesInOrder(last: string, sources: readonly string[]): readonly string[] {
  return [last, ...sources.filter((source) => source !== last)];
}

/**
 * Reads an identity.
 * @throws {Error} the Person keeps none
 */
export function identityContentOf(person: Person): IdentityContent {
  const { id = '', extension = [], contained = [] } = person;
  const parts = extension.find(({ url }) => url === EXTENSION.identity)?.extension;
  const said = contained.find((one): one is Patient => one.resourceType === 'Patient' && one.id === SAID);
  if (parts === undefined || said === undefined) throw new Error(`Person/${id} keeps no identity`);
  const part = (name: string): Extension | undefined => parts.find(({ url }) => url === name);
  const { system = '', value = '' }: Identifier = part('own')?.valueIdentifier ?? {};
  const sources = parts.flatMap(({ url, valueReference }) =>
    url === 'source' ? (valueReference?.reference ?? []) : [],
  );
  return {
    id,
    home: part('home')?.valueString ?? '',
    since: Date.parse(part('since')?.valueInstant ?? ''),
    changed: Date.parse(part('changed')?.valueInstant ?? ''),
    ...wordsIn(part('before')),
    source: sources[0] ?? '',
    sources,
    fromImage: part('fromImage')?.valueBoolean === true,
    own: { system, value },
    said: { ...said, id },
    verdicts: parts.flatMap(verdictOf),
    formerPersons: parts.flatMap(personsIn),
    reviews: parts.flatMap(({ url, valueReference }) => (url === 'review' ? [idIn(valueReference)] : [])),
    ...namedAs('replacedBy', part('replacedBy')),
    ...namedAs('formerly', part('formerly')),
  };
}

function verdictOf({ url, valueReference }: Extension): readonly KnownVerdict[] {
  return url === 'same' || url === 'notSame' ? [{ other: idIn(valueReference), same: url === 'same' }] : [];
}

function namedAs(name: 'replacedBy' | 'formerly', part: Extension | undefined): Partial<IdentityContent> {
  return part === undefined ? {} : { [name]: idIn(part.valueReference) };
}

function idIn(reference: Reference | undefined): string {
  return reference?.reference?.replace(/^Person\//, '') ?? '';
}
