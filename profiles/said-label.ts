/**
 * Who said what of an item's label. Its source says so without more; what the patient said, what images have of a
 * report, what one of several authors said of an exam, and a state that the server keeps is marked. The strictest of
 * all counts (confidentiality.ts).
 */
import type { Coding, DiagnosticReport, DocumentReference, Extension, Meta, Resource } from '@medplum/fhirtypes';
import { CODE_SYSTEM, EXTENSION } from './codes.ts';
import { codingsOf, labelOf, maskCoding, MASKS, type ItemState, type Label, type Mask } from './confidentiality.ts';

/** An author of an exam: what one of several says takes nothing back that another said. */
export type LabelAuthor = `${'Organization' | 'Practitioner'}/${string}`;

/** Who says a label; `report`: images are masked as the reports of their exam are; `server`: a state of the item. */
export type LabelSayer = 'source' | 'patient' | 'report' | 'server' | LabelAuthor;

/** Tells whether a reference is one to an author. */
export function isLabelAuthor(reference: string): reference is LabelAuthor {
  return /^(Organization|Practitioner)\//.test(reference);
}

/** The codings of a label that somebody said, without the mark. A state of the item is said by the server alone. */
export function codingsSaid(meta: Meta | undefined, sayer: LabelSayer): readonly Coding[] {
  return (meta?.security ?? [])
    .filter((coding) => sayerOf(coding) === sayer && (sayer === 'server' || coding.system !== CODE_SYSTEM.itemState))
    .map(unmarked);
}

/** The resource with other codings of one sayer; those of the others stay. */
export function withCodingsSaid<R extends Resource>(resource: R, sayer: LabelSayer, codings: readonly Coding[]): R {
  const others = (resource.meta?.security ?? []).filter((coding) => sayerOf(coding) !== sayer);
  const said = codings.map((coding) => marked(coding, sayer));
  // What has no mark stands first.
  const security = sayer === 'source' ? [...said, ...others] : [...others, ...said];
  const { security: _former, ...meta } = resource.meta ?? {};
  if (security.length > 0) return { ...resource, meta: { ...meta, security } };
  return Object.keys(meta).length > 0 ? { ...resource, meta } : withoutMeta(resource);
}

/** What a sender says of the label, and what others said of the resource that stands: no sender speaks for them. */
export function keepingSaid<R extends Resource>(sent: R, standing: Resource | undefined): R {
  const { security: _sent, ...meta } = sent.meta ?? {};
  const others = (standing?.meta?.security ?? []).filter((coding) => sayerOf(coding) !== 'source');
  const kept = { ...sent, meta: { ...meta, ...(others.length > 0 ? { security: others } : {}) } };
  return withCodingsSaid(kept, 'source', codingsSaid(sent.meta, 'source'));
}

/**
 * The masks that reports put on the images of their exam: what their source said, not what the patient said of a report
 * alone. Of a report that was an error there is none.
 */
export function masksOfReports(reports: readonly DiagnosticReport[]): readonly Mask[] {
  const counting = reports.filter(({ status }) => status !== 'entered-in-error');
  const said = counting.flatMap(({ meta }) => labelOf({ security: [...codingsSaid(meta, 'source')] }).masks);
  return MASKS.filter((mask) => said.includes(mask));
}

/** The images' resource under the masks of reports. */
export function withMasksOfReports<R extends Resource>(images: R, masks: readonly Mask[]): R {
  return withCodingsSaid(images, 'report', masks.map(maskCoding));
}

/** What is sent of an item, in the states of what stands: no sender says them. */
export function keepingStates<R extends Resource>(sent: R, standing: Resource | undefined): R {
  const said = withCodingsSaid(sent, 'source', codingsSaid(sent.meta, 'source'));
  return withCodingsSaid(said, 'server', codingsSaid(standing?.meta, 'server'));
}

/** Whether an item is in a state. */
export function isInState({ meta }: Resource, state: ItemState): boolean {
  return labelOf({ security: [...codingsSaid(meta, 'server')] }).masks.includes(state);
}

/** The item in a state, or out of it. */
export function withState<R extends Resource>(item: R, state: ItemState, isOn: boolean): R {
  const others = codingsSaid(item.meta, 'server').filter(({ code }) => code !== state);
  return withCodingsSaid(item, 'server', isOn ? [...others, maskCoding(state)] : others);
}

/** The document under a label. */
export function withLabel(document: DocumentReference, label: Label): DocumentReference {
  const security = codingsOf(label);
  return {
    ...document,
    meta: { ...document.meta, security: [...security] },
    securityLabel: security.map((coding) => ({ coding: [coding] })),
  };
}

function sayerOf({ extension = [] }: Coding): LabelSayer {
  const { valueCode, valueReference } = extension.find(isMark) ?? {};
  if (valueCode === 'patient' || valueCode === 'report' || valueCode === 'server') return valueCode;
  const author = valueReference?.reference ?? '';
  return isLabelAuthor(author) ? author : 'source';
}

function marked(coding: Coding, sayer: LabelSayer): Coding {
  if (sayer === 'source') return coding;
  const value = isLabelAuthor(sayer) ? { valueReference: { reference: sayer } } : { valueCode: sayer };
  return { ...coding, extension: [...(coding.extension ?? []), { url: EXTENSION.labelSaidBy, ...value }] };
}

function unmarked({ extension = [], ...coding }: Coding): Coding {
  const others = extension.filter((one) => !isMark(one));
  return others.length === 0 ? coding : { ...coding, extension: others };
}

function isMark({ url }: Extension): boolean {
  return url === EXTENSION.labelSaidBy;
}

function withoutMeta<R extends Resource>({ meta: _meta, ...resource }: R): R {
  return resource as R;
}
