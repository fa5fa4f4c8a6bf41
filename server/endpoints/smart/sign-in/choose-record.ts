/** Asks a person which of several records she opens, and takes the answer. */
import type { Context } from 'koa';
import { Fault } from '../../../../profiles/fault.ts';
import type { Account } from '../../../ports/account-directory.ts';
import { languageOf } from '../../pages/language.ts';
import { sendPage } from '../../pages/send-page.ts';
import type { BoundOptions } from '../options.ts';
import { REFUSAL } from '../refusals.ts';
import { choicePage, type ChoiceProblem } from './choice-page.ts';
import { csrfToken, isCsrfToken } from './csrf.ts';
import { readForm } from './form.ts';
import type { ChoosingPerson, PendingSignIns, SignedInPerson } from './pending-sign-ins.ts';
import { chosenPerson, type SigningIn } from './sign-in.ts';

/** The sign-in that the choice is part of. */
export type ChoiceDoor = {
  readonly options: BoundOptions;
  readonly pending: PendingSignIns;
  readonly signingIn: SigningIn;
  /** The address of the page. */
  readonly action: string;
};

/**
 * The person where there is nothing to choose; else she is to be asked at the address of the page (undefined).
 * @throws {Fault} transient - the sign-in cannot be recorded
 */
export async function onlyPerson(
  { options, pending, signingIn }: Omit<ChoiceDoor, 'action'>,
  choosing: ChoosingPerson,
): Promise<SignedInPerson | undefined> {
  const [only, ...others] = choosing.accounts;
  if (only !== undefined && others.length === 0) return await chosenPerson(options, signingIn, choosing, only);
  await pending.keepChoice(signingIn.uid, choosing);
  return undefined;
}

/**
 * Shows the page, with those records alone that she may open now: a name is shown no more once its record is closed.
 * @throws {Fault} login (expired) - there is no choice, or no more
 */
export async function askForRecord(ctx: Context, door: ChoiceDoor): Promise<void> {
  const open = await openNow(door, await choiceOf(door));
  show(ctx, door, open, open.length === 0 ? 'gone' : undefined);
}

/**
 * Takes the answer; undefined where the page is shown again, with what is wrong.
 * @throws {Fault} login (expired) - as {@link askForRecord}
 * @throws {Fault} forbidden (csrf) - the form is not of this sign-in
 */
export async function recordChosen(ctx: Context, door: ChoiceDoor): Promise<SignedInPerson | undefined> {
  const { options, signingIn } = door;
  const form = await readForm(ctx);
  if (!isCsrfToken(options.keys, signingIn.uid, form.get('csrf')))
    throw new Fault('forbidden', 'The form does not come from this sign-in', { protocolCode: REFUSAL.foreignForm });
  const choosing = await choiceOf(door);
  const isChosen = ({ reference }: Account): boolean => reference === form.get('account');
  const chosen = choosing.accounts.find(isChosen);
  if (chosen !== undefined && (await options.accounts.stands(chosen.reference)))
    return await chosenPerson(options, signingIn, choosing, chosen);
  const others = (await openNow(door, choosing)).filter((account) => !isChosen(account));
  return show(ctx, door, others, chosen === undefined && others.length > 0 ? 'none' : 'gone');
}

/** Those of the accounts that may be signed in to now. */
async function openNow({ options }: ChoiceDoor, { accounts }: ChoosingPerson): Promise<readonly Account[]> {
  const open: Account[] = [];
  for (const account of accounts) if (await options.accounts.stands(account.reference)) open.push(account);
  return open;
}

async function choiceOf({ pending, signingIn }: ChoiceDoor): Promise<ChoosingPerson> {
  const choosing = await pending.choice(signingIn.uid);
  if (choosing === undefined) throw new Fault('login', 'The sign-in has expired', { protocolCode: REFUSAL.expired });
  return choosing;
}

function show(
  ctx: Context,
  { options, signingIn, action }: ChoiceDoor,
  accounts: readonly Account[],
  problem?: ChoiceProblem,
): undefined {
  const csrf = csrfToken(options.keys, signingIn.uid);
  const asked = { accounts, language: languageOf(ctx), action, csrf };
  sendPage(ctx, choicePage(problem === undefined ? asked : { ...asked, problem }), options.site);
}
