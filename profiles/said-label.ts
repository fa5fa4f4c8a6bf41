/**
 * Who said what of an item's label. Its source says so without more; what the patient said, and what images have of a
 * report, is marked. The strictest of all counts (confidentiality.ts).
 */
import type { Coding, DiagnosticReport, DocumentReference, Extension, Meta, Resource } from '@medplum/fhirtypes';
import { EXTENSION } from './codes.ts';
import { codingsOf, labelOf, maskCoding, MASKS, type Label, type Mask } from './confidentiality.ts';

/** Who may say a label, in the order in which their codings stand. */
const SAYERS = ['source', 'patient', 'report'] as const;

/** One of them; `report`: images are masked as the reports of their exam are. */
export type LabelSayer = (typeof SAYERS)[number];

/** The codings of a label that somebody said, without the mark. */
export function codingsSaid(meta: Meta | undefined, sayer: LabelSayer): readonly Coding[] {
  return (meta?.security ?? []).filter((coding) => sayerOf(coding) === sayer).map(unmarked);
}

/** The resource with other codings of one sayer; those of the others stay. */
export function withCodingsSaid<R extends Resource>(resource: R, sayer: LabelSayer, codings: readonly Coding[]): R {
  const security = SAYERS.flatMap((one) =>
    (one === sayer ? codings : codingsSaid(resource.meta, one)).map((coding) => marked(coding, one)),
  );
  const { security: _former, ...meta } = resource.meta ?? {};
  if (security.length > 0) return { ...resource, meta: { ...meta, security } };
  return Object.keys(meta).length > 0 ? { ...resource, meta } : withoutMeta(resource);
}

/** What a sender says of the label, and what others said of the resource that stands: no sender speaks for them. */
export function keepingSaid<R extends Resource>(sent: R, standing: Resource | undefined): R {
  const others = ['patient', 'report'] as const;
  return others.reduce(
    (kept, sayer) => withCodingsSaid(kept, sayer, codingsSaid(standing?.meta, sayer)),
    withCodingsSaid(sent, 'source', codingsSaid(sent.meta, 'source')),
  );
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
  const said = extension.find(isMark)?.valueCode;
  return SAYERS.find((sayer) => sayer === said) ?? 'source';
}

function marked(coding: Coding, sayer: LabelSayer): Coding {
  if (sayer === 'source') return coding;
  return { ...coding, extension: [...(coding.extension ?? []), { url: EXTENSION.labelSaidBy, valueCode: sayer }] };
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
