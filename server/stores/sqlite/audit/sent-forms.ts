/**
 * Forms on their way to the writer of the trail: what an event shares with others is most of it, and is sent until the
 * writer has it; then its number stands for it.
 */
import type { SentAudit, WireAudit } from '../write/protocol.ts';

/** Forms with a number. They are few; should there be more, the others are sent each time. */
const MOST = 1_000;

type SentForm = { readonly number: number; readonly entries: string; isThere: boolean };

/** The end that sends. */
export class FormSender {
  /** By their frames. */
  readonly #forms = new Map<string, SentForm>();

  /** An event with its form, or the number of it. */
  shorten({ body: { frame, values }, entries, ...event }: WireAudit): SentAudit {
    const form = this.#formOf(frame, entries);
    if (form?.isThere === true) return { ...event, values, form: form.number };
    return { ...event, values, form: { frame, entries, ...(form === undefined ? {} : { number: form.number }) } };
  }

  /** Called with what was sent, once the writer has answered. */
  areThere(sent: readonly SentAudit[]): void {
    for (const { form } of sent) {
      const there = typeof form === 'number' ? undefined : this.#forms.get(form.frame);
      if (there !== undefined) there.isThere = true;
    }
  }

  #formOf(frame: string, entries: string): SentForm | undefined {
    const known = this.#forms.get(frame);
    if (known !== undefined) return known.entries === entries ? known : undefined;
    if (this.#forms.size >= MOST) return undefined;
    const added = { number: this.#forms.size, entries, isThere: false };
    this.#forms.set(frame, added);
    return added;
  }
}

/** The end that receives. */
export class FormReceiver {
  readonly #forms: { readonly frame: string; readonly entries: string }[] = [];

  /** An event as it was before it was shortened. */
  restore({ form, values, ...event }: SentAudit): WireAudit {
    const { frame, entries } = typeof form === 'number' ? this.#numbered(form) : form;
    if (typeof form !== 'number' && form.number !== undefined) this.#forms[form.number] = { frame, entries };
    return { ...event, body: { frame, values }, entries };
  }

  #numbered(number: number): { readonly frame: string; readonly entries: string } {
    const form = this.#forms[number];
    if (form === undefined) throw new Error('An event came by a form that never came');
    return form;
  }
}
