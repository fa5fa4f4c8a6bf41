/** What operators may ask of erasures. */
import { eraseStudy } from './erase-study.ts';
import { readmit } from './readmit.ts';

/** Makes these flows. */
export function erasingFlows(deps: Parameters<typeof eraseStudy>[0] & Parameters<typeof readmit>[0]) {
  return { eraseStudy: eraseStudy(deps), readmit: readmit(deps) };
}
