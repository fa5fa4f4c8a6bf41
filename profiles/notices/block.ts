/** What a patient is told of blocks that she did not set, or end, herself. */
import type { Communication } from '@medplum/fhirtypes';
import type { ByLanguage } from '../language.ts';
import type { Newcomers } from './news.ts';
import { buildNotice, type NoticeFacts } from './notice.ts';

/** What became of a block. */
export type BlockChange = 'begun' | 'ended';

const KIND = { begun: 'block', ended: 'block-ended' } as const satisfies Record<BlockChange, string>;

/** Builds the notice: `barred` are the actors of the Consent (a reference). */
export function buildBlockNotice({
  change,
  barred,
  consent,
  ...facts
}: NoticeFacts & {
  readonly change: BlockChange;
  readonly barred: Newcomers;
  readonly consent: string;
}): Communication {
  const text = textOf(change, barred.map(({ display }) => display).join(', '));
  return buildNotice({ ...facts, kind: KIND[change], about: [{ reference: consent }], text });
}

function textOf(change: BlockChange, names: string): ByLanguage<string> {
  if (change === 'begun')
    return {
      fr: `Un blocage a été enregistré en votre nom. Votre dossier est désormais fermé à : ${names}.`,
      de: `In Ihrem Namen wurde eine Sperre eingetragen. Ihre Akte ist nun geschlossen für: ${names}.`,
      en: `A block was recorded in your name. Your record is closed from now on to: ${names}.`,
    };
  return {
    fr: `Un blocage de votre dossier a pris fin. S’il leur est ouvert par ailleurs, peuvent le consulter : ${names}.`,
    de: `Eine Sperre Ihrer Akte ist beendet. Soweit sie sonst offensteht, können sie wieder einsehen: ${names}.`,
    en: `A block of your record has ended. Where it is open to them otherwise, it may be read again by: ${names}.`,
  };
}
