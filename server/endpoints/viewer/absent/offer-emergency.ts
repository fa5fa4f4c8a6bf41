/**
 * What is answered at the address of an exam that is not there or may not be seen, and the emergency that a
 * professional declares on that page. The answer to a declaration is the same whoever it names: it leads back to the
 * address, which then opens, or does not.
 */
import type { Context } from 'koa';
import { toFault } from '../../../../profiles/fault.ts';
import type { attempt } from '../../../flows/attempt.ts';
import type { breakGlass, mayDeclareEmergency } from '../../../flows/consent/break-glass.ts';
import type { Visit } from '../../../flows/guard.ts';
import { languageOf } from '../../pages/language.ts';
import { wantsPage } from '../../pages/pages-door.ts';
import { sendPage } from '../../pages/send-page.ts';
import type { Site } from '../../pages/site.ts';
import { readForm } from '../../smart/sign-in/form.ts';
import { linkAddressOf, PAGE_PARAMETERS } from '../link-address.ts';
import { absentPage, type EmergencyOffer, type EmergencyTerms, type LinkAddress } from './absent-page.ts';
import { emergencyOf, NOTHING_TYPED, typedEmergency, wrongFields } from './emergency-form.ts';
import type { ShownForm } from './emergency-markup.ts';

/** What the page and its form need. */
export type EmergencyDeps = {
  readonly attempt: ReturnType<typeof attempt>;
  readonly breakGlass: ReturnType<typeof breakGlass>;
  readonly mayDeclareEmergency: ReturnType<typeof mayDeclareEmergency>;
  readonly emergencyTerms: EmergencyTerms;
  readonly site: Site;
  /** The proof for the forms of a page, from the session of its request. */
  readonly proofOf: (ctx: Context) => string;
  readonly isProof: (ctx: Context, value: string | null) => boolean;
};

/** Answers a visit; where it finds nothing, a browser gets the page. */
export async function offeringEmergency(
  ctx: Context,
  deps: EmergencyDeps,
  visit: Visit,
  answer: () => Promise<void>,
): Promise<void> {
  try {
    await answer();
  } catch (error) {
    if (toFault(error).kind !== 'not-found' || !wantsPage(ctx)) throw error;
    answerAbsent(ctx, deps, visit, 404);
  }
}

/**
 * Declares an emergency by a posted form, and leads back to the address that it was posted to.
 * @throws {Fault} forbidden - the visitor is no professional
 */
export async function declareEmergency(ctx: Context, deps: EmergencyDeps, visit: Visit): Promise<void> {
  await deps.attempt(visit, { interaction: 'operation', operation: 'break-glass' });
  const posted = await readForm(ctx);
  if (!deps.isProof(ctx, posted.get('proof'))) return answerAbsent(ctx, deps, visit, 403, { isForeign: true });
  const { identifiers } = deps.emergencyTerms;
  const typed = typedEmergency(posted);
  const wrong = wrongFields(typed, identifiers);
  if (wrong.length > 0) return answerAbsent(ctx, deps, visit, 400, { typed, wrong });
  try {
    await deps.breakGlass(visit, emergencyOf(typed, identifiers));
  } catch (error) {
    if (toFault(error).kind !== 'login') throw error;
    return answerAbsent(ctx, deps, visit, 403);
  }
  ctx.status = 303;
  const address = linkAddressOf(ctx, {
    [PAGE_PARAMETERS.language]: languageOf(ctx),
    [PAGE_PARAMETERS.emergency]: DECLARED,
  });
  ctx.set({ 'Cache-Control': 'no-store', Location: address });
  ctx.body = '';
}

/** Says in the address that somebody comes back from the form. */
const DECLARED = 'declared';

function answerAbsent(
  ctx: Context,
  deps: EmergencyDeps,
  visit: Visit,
  status: number,
  posted: Partial<ShownForm> = {},
): void {
  const form = { proof: deps.proofOf(ctx), typed: NOTHING_TYPED, wrong: [], isForeign: false, ...posted };
  const at: LinkAddress = (further) => linkAddressOf(ctx, further);
  const page = absentPage({
    status,
    language: languageOf(ctx),
    at,
    isPatient: visit.requester.kind === 'patient' || visit.requester.kind === 'representative',
    wasDeclared:
      ctx.method === 'GET' && new URLSearchParams(ctx.querystring).get(PAGE_PARAMETERS.emergency) === DECLARED,
    offer: offerTo(deps.mayDeclareEmergency(visit.requester), at({}), form),
    terms: deps.emergencyTerms,
  });
  sendPage(ctx, page, deps.site);
}

function offerTo(may: ReturnType<EmergencyDeps['mayDeclareEmergency']>, link: string, form: ShownForm): EmergencyOffer {
  switch (may) {
    case 'no':
      return { kind: 'none' };
    case 'after-sign-in':
      return { kind: 'sign-in', address: `/auth/session?prompt=login&to=${encodeURIComponent(link)}` };
    case 'now':
      return { kind: 'form', form };
  }
}
