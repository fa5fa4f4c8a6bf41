/** Warnings of an answer. @see DICOM PS3.18 section 8.3.4 */
import type { Context } from 'koa';

/** Sets a Warning header for each text. */
export function setWarnings(ctx: Context, baseUrl: string, texts: readonly string[]): void {
  if (texts.length > 0) ctx.set('Warning', texts.map((text) => `299 ${new URL(baseUrl).host} "${text}"`));
}
