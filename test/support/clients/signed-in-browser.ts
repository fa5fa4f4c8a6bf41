/** A browser at the server's own pages, whose person signs in at the demonstration's identity provider when asked. */
import { expect } from 'chai';
import { Browser, formOf, type Visit } from '../../../fixtures/browser.ts';

/** The browser, and the page that the opened address led to. */
export type Arrival = { readonly browser: Browser; readonly page: Visit };

/** Opens an address and signs in on the way. `authTime` (epoch seconds) is what the identity provider then states. */
export async function openSignedIn(url: string, person: string, authTime?: number): Promise<Arrival> {
  const browser = new Browser();
  return { browser, page: await signInAt(browser, await browser.open(new URL(url)), person, authTime) };
}

/** Signs in on the page of the identity provider, which must be open; gives the page that it leads back to. */
export async function signInAt(browser: Browser, chooser: Visit, person: string, authTime?: number): Promise<Visit> {
  const form = formOf(chooser);
  if (form === undefined || !chooser.text.includes('name="login"')) expect.fail(`No sign-in page: ${chooser.url.href}`);
  form.fields.set('login', person);
  if (authTime !== undefined) form.fields.set('auth_time', String(authTime));
  return await browser.submit(form);
}
