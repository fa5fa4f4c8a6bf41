/** An exam of the wrong person: once it is gone and the number corrected, nothing is left of the mistake. */
import type { DiagnosticReport, ImagingStudy } from '@medplum/fhirtypes';
import { expect } from 'chai';
import type { FhirCaller } from '../../support/clients/fhir-caller.ts';
import { byStudyUid, personCaller } from '../../support/demonstration.ts';
import { runErase } from '../../support/data-folder/erasing.ts';
import { aLocalId, anINS, feed, idIn, somebody } from './people.ts';
import { expectToldAsBefore, publish, signInAtPortal, tellOnEachStore, toldToAll, uidsOf } from './story.ts';

const numbers = { mistaken: anINS() };

tellOnEachStore('An exam of the wrong person (field case A5)', { persons: numbers }, (story) => {
  it('A5 erased and corrected, it leaves the radiologists of its sender nothing of her record', async () => {
    const one = somebody({ numbers: [numbers.mistaken] });
    const [hers, wrong] = [aLocalId(), aLocalId()];
    expect((await feed(story().nancy, 'nancy', hers, one)).status).to.equal(201);
    const key = `mistaken/${story().server.url}`;
    const exam = await publish(story(), { key: `${key}/hers`, at: 'nancy', localId: hers });
    expect((await feed(story().strasbourg, 'strasbourg', wrong, { ...one, numbers: [] })).status).to.equal(201);
    const { caller } = await signInAtPortal(story(), 'mistaken');
    const radiologist = await personCaller(story().server, 'demo-radiologist');
    const before = await toldToAll(story(), { caller, radiologist });
    const sees = async (who: FhirCaller): Promise<readonly string[]> =>
      (await who.find<ImagingStudy>('ImagingStudy?_count=100')).map(
        ({ identifier = [] }) => identifier[0]?.value ?? '',
      );
    const uid = `urn:oid:${uidsOf(exam)[0] ?? ''}`;
    expect(await sees(radiologist)).to.not.include(uid);

    expect((await feed(story().strasbourg, 'strasbourg', wrong, one)).status).to.equal(200);
    const mistake = await publish(story(), { key: `${key}/wrong`, at: 'strasbourg', localId: wrong });
    expect(await sees(radiologist), 'the mistake opens her record').to.include(uid);

    const erased = await runErase(story().server.dataDir, mistake.studyInstanceUID, '--yes');
    expect(erased.code, erased.stderr).to.equal(0);
    expect(await sees(radiologist), 'no right is left').to.not.include(uid);
    expect((await feed(story().strasbourg, 'strasbourg', wrong, { ...one, numbers: [] })).status).to.equal(200);
    expectToldAsBefore(await toldToAll(story(), { caller, radiologist }), before);
  });

  it('A5 a report of the wrong person opens her record until its sender says that it was an error', async () => {
    const one = somebody({ numbers: [anINS()] });
    const [hers, wrong] = [aLocalId(), aLocalId()];
    expect((await feed(story().nancy, 'nancy', hers, one)).status).to.equal(201);
    const exam = await publish(story(), { key: `reported/${story().server.url}`, at: 'nancy', localId: hers });
    const fed = await feed(story().strasbourg, 'strasbourg', wrong, one);
    expect(fed.status, fed.text).to.equal(201);
    const radiologist = await personCaller(story().server, 'demo-radiologist');
    const seen = async () => (await radiologist.find(`ImagingStudy?${byStudyUid(exam)}`)).length;
    const identifier = [{ system: 'urn:oid:2.25.331', value: `reported/${wrong}` }];
    const say = async (status: DiagnosticReport['status']): Promise<void> => {
      const report: DiagnosticReport = {
        resourceType: 'DiagnosticReport',
        identifier,
        status,
        code: { text: 'Scanner thoracique' },
        subject: { reference: `Patient/${idIn(fed)}` },
      };
      const path = `DiagnosticReport?identifier=${identifier[0]?.system}|${identifier[0]?.value}`;
      const answer = await story().strasbourg.send('PUT', path, report);
      expect(answer.status, answer.text).to.be.oneOf([200, 201]);
    };
    expect(await seen()).to.equal(0);
    await say('preliminary');
    expect(await seen(), 'who made the exam reads the record').to.equal(1);
    await say('entered-in-error');
    expect(await seen(), 'nobody made it').to.equal(0);
  });
});
