/**
 * An Encounter. During a stay, and some days after it, the people of the establishment see the record: those of the
 * service provider that it names, which is the establishment that sends it or a part of it.
 */
import type { Encounter, Organization } from '@medplum/fhirtypes';
import { Fault } from '../../../profiles/fault.ts';
import { findById } from '../internal-reads.ts';
import { tellingOf } from '../notices/tell-news.ts';
import { organizationOf } from '../write/patient-parts.ts';
import { PLAIN_HOOK } from '../write/plain-parts.ts';
import { joinParts } from '../write/plan-parts.ts';
import type { ActParts, Work, Written } from '../write/work.ts';

/** Organizations above another that are looked at. */
const MOST_PARTS = 8;

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
  if (!(await isWithin(work, provider, organizationOf(work.visit.requester))))
    throw new Fault('business-rule', 'The service provider of a stay is the establishment that sends it, or a part', {
      expression: 'Encounter.serviceProvider',
    });
  const parts = await PLAIN_HOOK.parts(work, written, { zone, stay: { organization: provider, graceDays } });
  return { ...parts, parts: joinParts(parts.parts, { jobs: [tellingOf(`Encounter/${written.placed.id}`, work.now)] }) };
}

async function isWithin({ deps, reading }: Work, reference: string, organization: string): Promise<boolean> {
  let part: string | undefined = reference;
  for (let depth = 0; part !== undefined && depth < MOST_PARTS; depth += 1) {
    if (part === organization) return true;
    if (!part.startsWith('Organization/')) return false;
    const id: string = part.slice('Organization/'.length);
    const found: { readonly resource: Organization } | undefined = await findById<Organization>(
      deps.records,
      reading,
      'Organization',
      id,
    );
    part = found?.resource.partOf?.reference;
  }
  return false;
}
