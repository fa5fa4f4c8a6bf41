/** TEMPORARY until the branch `who` brings its own. */
import type { Extension, Identifier, Patient } from '@medplum/fhirtypes';
import { EXTENSION } from '../codes.ts';
import { numberKey, type NationalNumber } from './national-numbers.ts';

export type Member = { readonly id: string; readonly patient: Patient; readonly numbers: readonly NationalNumber[]; readonly changed: number };

export function compositeOf(members: readonly Member[]): Patient {
  const rank = ({ numbers }: Member): number => (numbers.some(({ isQualified }) => isQualified) ? 1 : 0);
  const [best] = [...members].sort((a, b) => rank(b) - rank(a) || b.changed - a.changed);
  if (best === undefined) throw new Error('A person has no identity');
  const { identifier: _i, managingOrganization: _m, link: _l, meta, ...traits } = best.patient;
  const identifier = members.flatMap((member) => (member.patient.identifier ?? []).map((one) => restricted(one, member)));
  return { ...traits, ...(meta?.profile === undefined ? {} : { meta: { profile: meta.profile } }), ...(identifier.length === 0 ? {} : { identifier }) };
}

function restricted(identifier: Identifier, { id, numbers }: Member): Identifier {
  const number = numbers.find(({ system, value }) => numberKey({ system, value }) === `${identifier.system}|${identifier.value}`);
  if (number?.isQualified === true) return identifier;
  const extension: Extension[] = [
    { url: EXTENSION.saidBy, extension: [{ url: 'identity', valueString: id }, { url: 'sourceOnly', valueBoolean: number !== undefined }] },
  ];
  return { ...identifier, extension: [...(identifier.extension ?? []), ...extension] };
}

export function restrictedIdentities({ identifier = [] }: Patient): readonly string[] {
  return [...new Set(identifier.flatMap((one) => saidBy(one)?.id ?? []))];
}

function saidBy({ extension = [] }: Identifier): { id: string; sourceOnly: boolean } | undefined {
  const parts = extension.find(({ url }) => url === EXTENSION.saidBy)?.extension;
  const id = parts?.find(({ url }) => url === 'identity')?.valueString;
  return id === undefined ? undefined : { id, sourceOnly: parts?.some(({ url, valueBoolean }) => url === 'sourceOnly' && valueBoolean === true) === true };
}

export function asSeenBy(
  patient: Patient,
  reader: { readonly sees: (id: string) => boolean; readonly isSourceOf: (id: string) => boolean; readonly isSelf: boolean },
): Patient {
  const identifier = (patient.identifier ?? []).flatMap((one) => {
    const by = saidBy(one);
    if (by === undefined) return [one];
    const shown = reader.isSelf || reader.isSourceOf(by.id) || (!by.sourceOnly && reader.sees(by.id));
    if (!shown) return [];
    const { extension = [], ...rest } = one;
    const kept = extension.filter(({ url }) => url !== EXTENSION.saidBy);
    return [{ ...rest, ...(kept.length === 0 ? {} : { extension: kept }) }];
  });
  const { identifier: _i, ...rest } = patient;
  return { ...rest, ...(identifier.length === 0 ? {} : { identifier }) };
}

export function replacedPatient(formerId: string, presentId: string): Patient {
  return { resourceType: 'Patient', id: formerId, active: false, link: [{ other: { reference: `Patient/${presentId}` }, type: 'replaced-by' }] };
}
