/** What operators may ask of erasures, and what a start tells them. */
import { checkErasureKey, type CheckErasureKeyDeps } from './known-again/check-erasure-key.ts';
import { eraseStudy } from './erase-study.ts';
import { followErasures, type FollowErasuresDeps } from './known-again/follow-erasures.ts';
import { readmit } from './known-again/readmit.ts';

/** Makes these flows. */
export function erasingFlows(
  deps: Parameters<typeof eraseStudy>[0] & Parameters<typeof readmit>[0] & CheckErasureKeyDeps & FollowErasuresDeps,
) {
  return {
    eraseStudy: eraseStudy(deps),
    readmit: readmit(deps),
    checkErasureKey: checkErasureKey(deps),
    followErasures: followErasures(deps),
  };
}
