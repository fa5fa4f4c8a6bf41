/** Expectations on refusals. */
import { expect } from 'chai';
import { Fault, type FaultKind } from '../../profiles/fault.ts';

/** Expects that a promise is rejected by a Fault of a kind, and returns the Fault. */
export async function expectFault(work: Promise<unknown>, kind: FaultKind): Promise<Fault> {
  const error = await errorOf(work);
  expect(error, 'the work was not refused').to.be.instanceOf(Fault);
  const fault = error as Fault;
  expect(fault.kind, fault.message).to.equal(kind);
  return fault;
}

/** The error that a promise is rejected with; undefined when it resolves. */
export async function errorOf(work: Promise<unknown>): Promise<unknown> {
  try {
    await work;
    return undefined;
  } catch (error) {
    return error ?? new Error('Rejected without an error');
  }
}

/** The kind of the Fault that a function throws; `accepted` when it returns. */
export function kindOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    return error instanceof Fault ? error.kind : String(error);
  }
  return 'accepted';
}
