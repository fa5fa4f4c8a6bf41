/** Doors that ask by parameters of their own, while rows have yet to be indexed by one of them. */
import { expect } from 'chai';
import { Fault } from '../../../../profiles/fault.ts';
import type { Criterion } from '../../../../profiles/search/criterion.ts';
import type { SearchQuery } from '../../../../profiles/search/query.ts';
import { searchAcrossStudies } from '../../../../server/flows/read/search-across-studies.ts';
import { searchResources } from '../../../../server/flows/read/search-resources.ts';
import { openClinic, type Clinic } from '../../endpoints/clinic.ts';

describe('A search by a parameter that does not find every row yet', function () {
  this.timeout(30_000);
  let clinic: Clinic;
  before(async () => {
    clinic = await openClinic();
  });
  after(async () => await clinic.close());

  const byReferrer: Criterion = { kind: 'string', param: 'referrer-name', values: ['b'], match: 'starts' };
  const query = (parts: Partial<SearchQuery>): SearchQuery => ({
    type: 'ImagingStudy',
    where: [],
    count: 10,
    total: 'none',
    include: [],
    ...parts,
  });
  const searched = async (parts: Partial<SearchQuery>): Promise<string> => {
    const deps = {
      ...clinic.guard,
      isServed: (_: string, code: string) => code !== 'referrer-name' && code !== 'patient',
    };
    const visit = clinic.visitOf('lambert', 'dicom-web');
    return await searchResources(deps)(visit, { query: query(parts), text: 'q', passage: 'qido' }).then(
      () => 'answered',
      (error: unknown) => (error instanceof Fault ? `${error.kind}: ${error.message}` : String(error)),
    );
  };

  it('is refused for a while, whether it asks, is sorted or brings rows by it', async () => {
    expect(await searched({ where: [byReferrer] })).to.match(/^transient: ImagingStudy .*referrer-name/);
    expect(await searched({ order: [{ by: 'string', param: 'referrer-name', descending: true }] })).to.match(
      /^transient/,
    );
    expect(await searched({ include: [{ param: 'patient' }] })).to.match(/^transient: ImagingStudy .*patient/);
    expect(await searched({ where: [{ kind: 'id', values: ['x'] }] })).to.equal('answered');
  });

  it('is refused below studies, too', async () => {
    const deps = { ...clinic.guard, isServed: () => false };
    const visit = clinic.visitOf('lambert', 'dicom-web');
    const studies = { where: [byReferrer], include: [] };
    const asked = { text: 'q', level: 'series', studies, ofSeries: [], ofInstance: [], offset: 0, limit: 1 } as const;
    const answer = searchAcrossStudies(deps)(visit, asked);
    expect(await answer.catch((error: unknown) => error))
      .to.be.instanceOf(Fault)
      .with.property('kind', 'transient');
  });
});
