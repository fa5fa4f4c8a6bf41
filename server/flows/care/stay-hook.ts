/**
 * An Encounter. During a stay, and some days after it, the people of the establishment see the record: those of the
 * service provider that it names, which is the establishment that sends it or a part of it.
 */
import type { Encounter } from '@medplum/fhirtypes';
import { stayTime } from '../../../profiles/consent/stay.ts';
import { Fault } from '../../../profiles/fault.ts';
import { tellingOf } from '../notices/tell-news.ts';
import { organizationOf } from '../write/patient-parts.ts';
import { PLAIN_HOOK } from '../write/plain-parts.ts';
import { joinParts } from '../write/plan-parts.ts';
import type { ActParts, Work, Written } from '../write/work.ts';

/** The steps of an Encounter. */
export const STAY_HOOK = { ...PLAIN_HOOK, parts: stayParts };

/**
 * Works out its parts.
 * @throws {Fault} business-rule - its service provider is neither the sender nor a part of it
 */
async function stayParts(work: Work, written: Written): Promise<ActParts> {
  const { serviceProvider } = written.resource as Encounter;
  const provider = serviceProvider?.reference;
  const { timeZone: zone, stayGraceDays: graceDays } = work.deps;
  // A version that names none takes back what one before it gave.
  if (provider === undefined) return await PLAIN_HOOK.parts(work, written, { zone });
  if (!work.deps.region.within(provider).includes(organizationOf(work.visit.requester)))
    throw new Fault('business-rule', 'The service provider of a stay is the establishment that sends it, or a part', {
      expression: 'Encounter.serviceProvider',
    });
  const made = await PLAIN_HOOK.parts(work, written, { zone, stay: { organization: provider, graceDays } });
  const isNews = made.parts.puts !== undefined && stayTime(written.resource, graceDays, zone) !== undefined;
  if (!isNews) return made;
  return { ...made, parts: joinParts(made.parts, { jobs: [tellingOf(`Encounter/${written.placed.id}`, work.now)] }) };
}
