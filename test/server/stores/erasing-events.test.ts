/** In which events a person is found who goes out of the trail, however whoever asked wrote her name. */
import { expect } from 'chai';
import { partsOfPerson } from '../../../server/stores/erasing-events.ts';

const WHO = {
  persons: new Set<never>(),
  agents: new Set<string>(),
  names: [['De La Tour-Ormélac', '1979-05-14'], ['279051406712345']],
};

/** Whether she is found in a query as it was asked. */
function isFound(query: string, names: readonly (readonly string[])[] = WHO.names): boolean {
  const part = (content: unknown) => ({ salt: '', json: JSON.stringify(content) });
  const personal = { agents: undefined, entities: part([]), request: part(query) };
  return partsOfPerson({ body: '{}', personal }, { ...WHO, names }).entities;
}

describe('A person in events of earlier servers, which do not say who reads them', () => {
  const HER = 'Patient/her';
  const isHers = (patients: readonly string[], persons?: string): boolean => {
    const entity = [...patients, 'ImagingStudy/one'].map((reference) => ({ what: { reference } }));
    const personal = { agents: undefined, entities: { salt: '', json: '[]' } };
    const body = JSON.stringify({ entity, ...(persons === undefined ? {} : { persons }) });
    return partsOfPerson({ body, personal }, { ...WHO, agents: new Set([HER]) }).entities;
  };
  it('is found where it tells of her Patient alone', () => {
    expect([[HER], [HER, HER], [HER, 'Patient/other'], ['Patient/other'], []].map((one) => isHers(one))).to.deep.equal([
      true,
      true,
      false,
      false,
      false,
    ]);
  });
  it('is not, where an event says that nobody reads it', () => {
    expect(isHers([HER], '')).to.equal(false);
  });
});

describe('A person in queries of the trail', () => {
  for (const query of [
    'Patient?family=De%20La%20Tour-Orm%C3%A9lac&birthdate=1979-05-14',
    'Patient?family=DE+LA+TOUR-ORM%C3%89LAC&birthdate=1979-05-14',
    'Patient?family=de+la+tour+ormelac&birthdate=eq1979-05-14',
    'Patient?family=De%20La%20Tour%20Orme%CC%81lac&birthdate=ge1979-05-14T00:00:00Z',
    'studies?PatientName=DE%20LA%20TOUR-ORMELAC%5EYSOLINE&PatientBirthDate=19790514',
    'Patient?identifier=urn:oid:1.2.250.1.213.1.4.8%7C279051406712345',
  ])
    it(`finds her in ${query}`, () => {
      expect(isFound(query)).to.equal(true);
    });

  for (const query of [
    'Patient?family=de+la+tour+ormelac&birthdate=eq1979-05-15',
    'Patient?family=de+la+tour&birthdate=1979-05-14',
    'Patient?family=de+la+tour+ormelacs&birthdate=1979-05-14',
    'Patient?family=de+la+tour+ormelac&identifier=219790514',
  ])
    it(`leaves ${query}`, () => {
      expect(isFound(query)).to.equal(false);
    });

  for (const [name, query] of [
    ['ysoline@exemple.test', 'Patient?telecom=email%7Cysoline@exemple.test'],
    ['ysoline@exemple.test', 'Patient?telecom=email%7Cysoline@exemple.test&_count=%'],
    ['+33 3 90 12 34 56', 'Patient?phone=%2B33%203%2090%2012%2034%2056'],
    ['1.2.3|12', 'Patient?identifier=urn:oid:1.2.3%7C12'],
  ] as const)
    it(`finds ${name} in ${query}`, () => {
      expect(isFound(query, [[name]])).to.equal(true);
    });

  for (const [name, query] of [
    ['0', 'Patient?identifier=219790514'],
    ['line@exemple.test', 'Patient?telecom=ysoline@exemple.test'],
    ['ysoline@exemple.test', 'Patient?telecom=de.ysoline@exemple.test'],
    ['ysoline@exemple.lu', 'Patient?telecom=ysoline@exemple.lu.test'],
    ['3 90 12', 'Patient?phone=3%2090%20123'],
    ['1.2.3|12', 'Patient?identifier=urn:oid:1.2.3%7C123'],
  ] as const)
    it(`does not find ${name} in ${query}`, () => {
      expect(isFound(query, [[name]])).to.equal(false);
    });
});
