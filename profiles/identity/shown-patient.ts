/** What a reader is shown of a composite Patient (composite.ts), and what a source gets back of its own. */
import type { Extension, Identifier, Patient } from '@medplum/fhirtypes';
import { canonicalText } from '../canonical-text.ts';
import { toElements } from '../elements.ts';
import { isOfSource } from './composite.ts';
import { sayerOf, withoutMark, type Sayer } from './said-by.ts';

/** Who reads, by the ids of identities. */
export type PatientReader = {
  /** It sees an item that was filed under the identity. */
  readonly sees: (identity: string) => boolean;
  /** The identity is its own. */
  readonly isSourceOf: (identity: string) => boolean;
  /** The person herself. */
  readonly isSelf: boolean;
};

/** Returns what a reader is shown of a composite: no marks, and no word of identities that it may not see. */
export function asSeenBy(composite: Patient, reader: PatientReader): Patient {
  const shown = sayerOf(composite);
  const seesAll = shown === undefined || maySee(shown, reader);
  const { resourceType, id, meta, active, identifier = [], ...told } = withoutMark(composite);
  const { extension = [], ...traits } = seesAll || !shown.isForSource ? told : {};
  return toElements<Patient>({
    resourceType,
    id,
    meta,
    extension: extension.filter((one) => seesAll || !namesOthers(one)),
    identifier: distinct(identifier.filter((one) => isShown(one, reader)).map(withoutMark)),
    active,
    ...Object.fromEntries(Object.entries(traits).filter(([name]) => seesAll || !isOfSource(name))),
  });
}

/** A part of a composite that not everybody sees, as a text to compare. */
export type RestrictedPart = Sayer & { readonly text: string };

/**
 * Returns the parts that a composite is shown in: what whoever sees the Patient sees, as a text to compare, and what
 * each identity says beside it. What a reader sees changes when one of its parts does.
 */
export function shownParts(composite: Patient): {
  readonly open: string;
  readonly restricted: readonly RestrictedPart[];
} {
  const { meta: _meta, ...open } = openWords(composite);
  const said = (composite.identifier ?? []).flatMap((one) => saidPart(sayerOf(one), withoutMark(one)));
  const shown = saidPart(sayerOf(composite), hiddenTraits(composite));
  const byReader = Map.groupBy([...said, ...shown], ({ identity, isForSource }) => `${identity} ${isForSource}`);
  const restricted = [...byReader.values()].flatMap(([first, ...others]) =>
    first === undefined ? [] : { ...first, text: [first, ...others].map(({ text }) => text).join() },
  );
  return { open: canonicalText(open), restricted };
}

function saidPart(sayer: Sayer | undefined, told: object): readonly RestrictedPart[] {
  return sayer === undefined || Object.keys(told).length === 0 ? [] : [{ ...sayer, text: canonicalText(told) }];
}

/** What of the traits is not for everybody. */
function hiddenTraits(composite: Patient): object {
  const { resourceType: _type, id: _id, meta: _meta, identifier: _said, active: _active, ...told } = composite;
  const { extension = [], ...traits } = withoutMark(told);
  if (sayerOf(composite)?.isForSource === true) return toElements<Partial<Patient>>({ extension, ...traits });
  const ofSource = Object.fromEntries(Object.entries(traits).filter(([name]) => isOfSource(name)));
  return toElements<Partial<Patient>>({ extension: extension.filter(namesOthers), ...ofSource });
}

const ANYBODY: PatientReader = { sees: () => false, isSourceOf: () => false, isSelf: false };

/** Returns what everybody who sees a composite is shown of it: what it may be found by. */
export function openWords(composite: Patient): Patient {
  return asSeenBy(composite, ANYBODY);
}

/** Returns the Patient of an identity as its source gave it, without what is stored with it. */
export function ownIdentity(stored: Patient): Patient {
  const patient = withoutMark(stored);
  return toElements<Patient>({ ...patient, identifier: patient.identifier?.map(withoutMark) });
}

/** Returns what stands at the id of a Patient that became one with another. */
export function replacedPatient(formerId: string, presentId: string): Patient {
  return {
    resourceType: 'Patient',
    id: formerId,
    active: false,
    link: [{ other: { reference: `Patient/${presentId}` }, type: 'replaced-by' }],
  };
}

/** Whether a reader sees what an identity says. */
export function maySee({ identity, isForSource }: Sayer, { sees, isSourceOf, isSelf }: PatientReader): boolean {
  return isSelf || isSourceOf(identity) || (!isForSource && sees(identity));
}

function isShown(identifier: Identifier, reader: PatientReader): boolean {
  const sayer = sayerOf(identifier);
  return sayer === undefined || maySee(sayer, reader);
}

/** Whether an extension refers to others, or bears an identifier: it may tell of the source. */
function namesOthers(extension: Extension): boolean {
  return /"(?:reference|valueReference|identifier|valueIdentifier)":/.test(JSON.stringify(extension));
}

/** Several identities may say the same identifier. */
function distinct(identifiers: readonly Identifier[]): Identifier[] {
  const known = new Set<string>();
  return identifiers.filter(({ system, value }) => {
    const key = JSON.stringify([system, value]);
    const isKnown = value !== undefined && known.has(key);
    known.add(key);
    return !isKnown;
  });
}
