/** Resource types whose definitions the product loads, beside those it stores. */
import { STORED_TYPES } from '../types/visibility.ts';

/** Types that carry or describe others and are never stored. */
export const MESSAGE_TYPES = ['Bundle', 'Parameters', 'OperationOutcome', 'CapabilityStatement'] as const;

/** Types that are read inside others (contained, or an entry of a message), and not stored. */
export const NESTED_TYPES = ['Group', 'Procedure', 'Specimen'] as const;

/** Every type that can be validated. */
export const DEFINED_TYPES: readonly string[] = [
  ...new Set([...STORED_TYPES, ...MESSAGE_TYPES, ...NESTED_TYPES]),
].toSorted();
