/** The content tree of a structured report, within limits. @see DICOM PS3.3 C.17.3 */
import { itemsOf, TAG, textOf } from '../attributes.ts';
import type { DicomDataSet } from '../data-element.ts';
import { numericValues } from '../element-values.ts';
import { codeTextOf, contentValueOf, dateTimeTextOf, isKnownValueType } from './content-value.ts';

/** A content item. */
export type ContentItem = {
  /** Where it stands: `1` is the root, `1.2` its second item. */
  readonly place: string;
  /** How it belongs to the item around it, as CONTAINS. */
  readonly relationship: string | undefined;
  /** As CONTAINER or TEXT; empty for an item that stands for another one. */
  readonly valueType: string;
  readonly name: string | undefined;
  readonly value: string | undefined;
  /** When it was observed. */
  readonly observed: string | undefined;
  /** The place of the item that it stands for. */
  readonly target: string | undefined;
  readonly items: readonly ContentItem[];
  /** Some of its items are left out: there are too many, or they lie too deep. */
  readonly isCut: boolean;
};

/** What is read of a tree. */
export type TreeLimits = { readonly maxItems: number; readonly maxDepth: number };

/** The limits that hold unless a caller names others: far beyond what anybody reads on a page. */
export const TREE_LIMITS: TreeLimits = { maxItems: 10_000, maxDepth: 32 };

/** Reads the tree of a report; what is beyond the limits is left out, and marked. */
export function contentTreeOf(report: DicomDataSet, limits: TreeLimits = TREE_LIMITS): ContentItem {
  return itemOf(report, { place: '1', depth: 1 }, { left: limits.maxItems, maxDepth: limits.maxDepth });
}

/** Lists an item and all below it, in their order. */
export function* eachItem(item: ContentItem): Generator<ContentItem> {
  yield item;
  for (const inner of item.items) yield* eachItem(inner);
}

type Rest = { left: number; readonly maxDepth: number };

function itemOf(dataSet: DicomDataSet, { place, depth }: { place: string; depth: number }, rest: Rest): ContentItem {
  rest.left -= 1;
  const children = itemsOf(dataSet, TAG.ContentSequence);
  const items: ContentItem[] = [];
  for (const [at, child] of children.entries()) {
    if (rest.left <= 0 || depth >= rest.maxDepth) break;
    items.push(itemOf(child, { place: `${place}.${at + 1}`, depth: depth + 1 }, rest));
  }
  const target = targetOf(dataSet);
  const valueType = textOf(dataSet, TAG.ValueType) ?? '';
  return {
    place,
    relationship: textOf(dataSet, TAG.RelationshipType),
    valueType,
    name: codeTextOf(dataSet, TAG.ConceptNameCodeSequence),
    value: valueOf(valueType, target, dataSet),
    observed: depth === 1 ? undefined : dateTimeTextOf(dataSet, TAG.ObservationDateTime),
    target,
    items,
    isCut: items.length < children.length,
  };
}

/** An item of a type that nobody knows is not passed over in silence. */
function valueOf(valueType: string, target: string | undefined, dataSet: DicomDataSet): string | undefined {
  if (target !== undefined) return undefined;
  return isKnownValueType(valueType)
    ? contentValueOf(valueType, dataSet)
    : `[contenu de type ${valueType || 'inconnu'}, non affiché]`;
}

function targetOf(dataSet: DicomDataSet): string | undefined {
  const element = dataSet.elements.get(TAG.ReferencedContentItemIdentifier);
  return element === undefined ? undefined : numericValues(element).join('.') || undefined;
}
