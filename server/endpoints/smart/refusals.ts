/** Why a sign-in stops, for the person in front of it. */
import type { Fault } from '../../../profiles/fault.ts';
import type { Page } from '../pages/send-page.ts';
import { refusalPage } from './sign-in/pages.ts';
import { SIGN_IN_TEXTS } from './sign-in/texts.ts';

/** Codes of Faults that a person is told of apart. */
export const REFUSAL = {
  unknownPerson: 'unknown-person',
  assurance: 'acr',
  foreignForm: 'csrf',
  expired: 'expired',
  otherWindow: 'other-window',
} as const;

const texts = SIGN_IN_TEXTS;

/** The page for a Fault of the sign-in. */
export function refusalOf(fault: Fault): Page {
  switch (fault.protocolCode) {
    case REFUSAL.unknownPerson:
      return refusalPage(403, texts.unknownTitle, texts.unknown);
    case REFUSAL.assurance:
      return refusalPage(403, texts.weakTitle, texts.weak);
    case REFUSAL.foreignForm:
      return refusalPage(403, texts.foreignFormTitle, texts.foreignForm);
    case REFUSAL.expired:
      return refusalPage(400, texts.expiredTitle, texts.expired);
    case REFUSAL.otherWindow:
      return refusalPage(400, texts.otherWindowTitle, texts.otherWindow);
    default:
      return otherRefusal(fault);
  }
}

function otherRefusal(fault: Fault): Page {
  switch (fault.kind) {
    case 'transient':
      return refusalPage(503, texts.awayTitle, texts.away);
    case 'exception':
      return refusalPage(500, texts.failedTitle, texts.failed);
    case 'too-long':
      return refusalPage(413, texts.longTitle, texts.long, fault.message);
    case 'not-found':
      return refusalPage(404, texts.absentTitle, texts.absent);
    default:
      return refusalPage(400, texts.brokenTitle, texts.broken);
  }
}
