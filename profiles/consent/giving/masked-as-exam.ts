/** The mask of a Consent that names items or a team of a record: it tells of them, so it is hidden as they are. */
import type { Consent } from '@medplum/fhirtypes';
import { labelOf, maskCoding } from '../../confidentiality.ts';
import { codingsSaid, withCodingsSaid } from '../../said-label.ts';

/** The Consent as it is kept: masked from who represents the patient where an item that it names is. */
export function maskedAsExam<C extends Consent>(consent: C, isMasked: boolean): C {
  return withCodingsSaid(consent, 'server', isMasked ? [maskCoding('representatives')] : []);
}

/** Whether one is masked so. */
export function isMaskedAsExam(consent: object): boolean {
  const { meta, provision } = consent as Partial<Consent>;
  const security = [...codingsSaid(meta, 'server')];
  // A team is an actor.
  const namesSomething = (provision?.data ?? provision?.actor) !== undefined;
  return namesSomething && labelOf({ security }).masks.includes('representatives');
}
