/** What operators may ask of erasures, and what a start tells them. */
import { checkErasureKey, type CheckErasureKeyDeps } from './check-erasure-key.ts';
import { eraseStudy } from './erase-study.ts';
import { readmit } from './readmit.ts';

/** Makes these flows. */
export function erasingFlows(
  deps: Parameters<typeof eraseStudy>[0] & Parameters<typeof readmit>[0] & CheckErasureKeyDeps,
) {
  return { eraseStudy: eraseStudy(deps), readmit: readmit(deps), checkErasureKey: checkErasureKey(deps) };
}
