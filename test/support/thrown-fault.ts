/** Expectations on calls that refuse at once. */
import { Fault } from '../../profiles/fault.ts';

/** The Fault that a call throws; fails when it throws none. */
export function faultOf(work: () => unknown): Fault {
  try {
    work();
  } catch (error) {
    if (error instanceof Fault) return error;
    throw error;
  }
  throw new Error('Nothing was refused');
}
