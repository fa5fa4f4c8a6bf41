import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { SERVED } from '../../../../server/endpoints/fhir/served.ts';
import { bodyLimits, bodyLimitsTable } from '../../../../server/endpoints/http/body-limits.ts';
import type { BodyPurpose, Sender } from '../../../../server/endpoints/http/body-limits.ts';

const MIB = 1024 * 1024;
const find = bodyLimits(64 * MIB);
const SENDERS = ['establishment', 'patient', 'practitioner'] as const satisfies readonly Sender[];

/** Everything that is served and has a body. */
function purposes(): BodyPurpose[] {
  const written = [...SERVED].flatMap(([type, { interactions }]) =>
    (['create', 'update', 'search-type'] as const)
      .filter((request) => interactions.includes(request))
      .map((request): BodyPurpose => ({ door: 'FHIR', request, type })),
  );
  const whole = (['transaction', 'operation'] as const).map((request): BodyPurpose => ({ door: 'FHIR', request }));
  const soap = (['ITI-18', 'ITI-43', 'RAD-69'] as const).map((request): BodyPurpose => ({ door: 'XDS', request }));
  return [...written, ...whole, ...soap, { door: 'SMART', request: 'form' }];
}

describe('Limits of bodies', () => {
  it('are there for everything that is served, and small for persons', () => {
    for (const purpose of purposes()) {
      for (const sender of SENDERS) {
        const { bytes, values } = find(purpose, sender);
        const name = JSON.stringify(purpose);
        const most = purpose.door === 'XDS' ? 2 * MIB : MIB / 4;
        if (sender !== 'establishment') expect(bytes, name).to.be.at.most(most);
        if (purpose.door === 'FHIR' && purpose.request !== 'search-type') expect(values, name).to.be.at.most(100_000);
      }
    }
    expect(find({ door: 'FHIR', request: 'create', type: 'Consent' }, 'establishment').bytes).to.equal(MIB / 4);
  });

  it('are those of the configuration for what establishments publish', () => {
    for (const request of ['transaction', 'create'] as const) {
      expect(find({ door: 'FHIR', request, type: 'DiagnosticReport' }, 'establishment').bytes).to.equal(64 * MIB);
    }
  });

  it('are never above the configuration', () => {
    for (const purpose of purposes()) {
      for (const sender of SENDERS) expect(bodyLimits(1_000)(purpose, sender).bytes).to.equal(1_000);
    }
  });

  it('are the smallest for somebody who is not known yet', () => {
    for (const request of ['ITI-18', 'ITI-43', 'RAD-69'] as const) {
      expect(find({ door: 'XDS', request }, 'nobody').bytes).to.equal(MIB / 16);
      expect(find({ door: 'XDS', request }, 'practitioner').bytes).to.be.greaterThan(MIB / 16);
    }
  });

  it('are told by the README as they are', () => {
    const readme = readFileSync(new URL('../../../../README.md', import.meta.url), 'utf8');
    expect(/<!-- body limits -->\n+([\s\S]*?)\n+<!-- \/body limits -->/.exec(readme)?.[1]).to.equal(bodyLimitsTable());
  });
});
