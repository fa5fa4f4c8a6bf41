/** The page at `/voir`: the latest exams that whoever is signed in may open. */
import { expect } from 'chai';
import type { AuditEvent } from '@medplum/fhirtypes';
import { signInOnPages } from '../../fixtures/sign-in.ts';
import { startDemonstration, type Demonstration } from '../support/demonstration.ts';

describe('The latest exams of a reader', function () {
  this.timeout(60_000);
  let region: Demonstration;

  before(async () => {
    region = await startDemonstration();
  });
  after(async () => await region?.server.stop());

  async function list(cookie: string, requestId = 'list'): Promise<{ status: number; location: string; text: string }> {
    const response = await fetch(`${region.server.url}/voir`, {
      redirect: 'manual',
      headers: { Accept: 'text/html', Cookie: cookie, 'X-Request-Id': requestId },
    });
    const location = response.headers.get('location') ?? '';
    return { status: response.status, location, text: await response.text() };
  }
  const of = async (person: string): Promise<string> => await signInOnPages({ url: region.server.url, person });
  const offered = (text: string): string[] =>
    [...text.matchAll(/href="\/viewer\/([\d.]+)"/g)].map(([, uid = '']) => uid);

  it('are those of the patient alone, the latest first, in one line of her history', async () => {
    const { helene, heleneNancy } = region.studies;
    const { status, text } = await list(await of('demo-patient'), 'her-list');
    expect(status).to.equal(200);
    expect(offered(text)).to.deep.equal([helene.studyInstanceUID, heleneNancy.studyInstanceUID]);
    expect(text).to.include('Valbrémont');
    const events = (await region.patient.find('AuditEvent?_count=20')) as AuditEvent[];
    const told = events.filter((event) => JSON.stringify(event).includes('her-list'));
    expect(told.map(({ outcome, subtype }) => [outcome, subtype?.[0]?.code])).to.deep.equal([['0', 'search-type']]);
  });

  it('are none for a stranger, who hears of nobody', async () => {
    const { status, text } = await list(await of('demo-stranger'));
    expect(status).to.equal(200);
    expect(offered(text)).to.deep.equal([]);
    expect(text).to.include('Aucun examen ne vous est ouvert').and.not.include('Valbrémont');
  });

  it('are asked of who is signed in only', async () => {
    expect(await list('')).to.deep.include({ status: 303, location: '/auth/session?to=%2Fvoir', text: '' });
  });

  it('are gone for a professional at the next request after a withdrawal', async () => {
    const session = await of('demo-declared');
    expect(offered((await list(session)).text)).to.have.length(2);
    await region.patient.send('POST', 'Patient/$withdraw');
    expect(offered((await list(session)).text)).to.deep.equal([]);
  });
});
