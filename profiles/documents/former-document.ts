/** Documents that are current no more: what they say stays, but for what may not be told any longer. */
import type { DocumentReference, ImagingStudy, Reference } from '@medplum/fhirtypes';
import { labelOf, saidLabel, stricter, type Label } from '../confidentiality.ts';
import { toElements } from '../elements.ts';
import { withLabel } from '../said-label.ts';

/**
 * The document as superseded, under its own label or a stricter one: bytes of one report have one label. Its states are
 * those of the report.
 */
export function supersededDocument(document: DocumentReference, label: Label): DocumentReference {
  return { ...withLabel(document, stricter(saidLabel(labelOf(document.meta)), label)), status: 'superseded' };
}

/** The document without an exam: what it said of the act itself may have been the exam's, and goes with it. */
export function documentWithoutStudy(
  document: DocumentReference,
  study: ImagingStudy,
  manifests: readonly string[],
): DocumentReference {
  const {
    context: { event: _event, period: _period, related = [], ...context } = {},
    contained = [],
    ...rest
  } = document;
  const numbers = [...(study.identifier ?? []), ...(study.basedOn ?? []).flatMap(({ identifier }) => identifier ?? [])];
  const viewers = contained.filter(
    (resource) => resource.resourceType === 'Endpoint' && resource.address.endsWith(`/voir/${study.id}`),
  );
  const isOfIt = ({ reference = '', identifier }: Reference): boolean =>
    reference === `ImagingStudy/${study.id}` ||
    manifests.includes(reference) ||
    viewers.some(({ id }) => reference === `#${id}`) ||
    numbers.some(({ system, value }) => identifier?.system === system && identifier?.value === value);
  const others = related.filter((one) => !isOfIt(one));
  if (others.length === related.length) return document;
  return toElements<DocumentReference>({
    ...rest,
    contained: contained.filter((resource) => !viewers.includes(resource)),
    context: toElements<NonNullable<DocumentReference['context']>>({ ...context, related: others }),
  });
}
