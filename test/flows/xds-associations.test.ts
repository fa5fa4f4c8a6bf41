/** A study that is closed again has a new manifest: the consumer of XDS sees that it replaces the former. */
import type { DocumentReference } from '@medplum/fhirtypes';
import { expect } from 'chai';
import { aStudy } from '../../fixtures/dicom/a-study.ts';
import { PATIENTS } from '../../fixtures/people.ts';
import { ASSOCIATION_TYPE } from '../../ihe/codes.ts';
import { oidUri } from '../../profiles/codes.ts';
import { eventually } from '../support/clients/fhir-caller.ts';
import { sendStudy } from '../support/clients/send-study.ts';
import { fillDemonstration, type Demonstration } from '../support/demonstration.ts';
import { associationsOf, askRegistry, entriesOf, listOf, succeeded } from './support/registry-consumer.ts';
import type { RegistryQuestion, RegistryReply } from './support/registry-consumer.ts';
import { openTrail } from './support/trail.ts';
import { onEachStore } from './support/each-store.ts';

const KEY = 'associations/closed-again';
const { replace: RPLC, append: APND } = ASSOCIATION_TYPE;

onEachStore('ITI-18 associations of documents (ITI TF-2 3.18.4.1.2.3.7.7, .13)', {}, (running) => {
  let region: Demonstration;
  let [former, present]: string[] = [];

  before(async () => {
    region = await fillDemonstration(running().server);
    // The second time two of three instances stand already, and the third is new.
    for (const instances of [2, 3]) {
      const study = aStudy({ key: KEY, patient: PATIENTS.helene, instances });
      await sendStudy(region.server, study);
      await manifests(instances === 2 ? 1 : 2);
    }
    const found = await manifests(2);
    [former, present] = ['superseded', 'current'].map((status) => uuidOf(found.find((one) => one.status === status)));
  });

  async function manifests(count: number): Promise<DocumentReference[]> {
    const { studyInstanceUID } = aStudy({ key: KEY });
    const path = `DocumentReference?related:identifier=${oidUri(studyInstanceUID)}`;
    return await eventually(async () => {
      const found = await region.strasbourg.find<DocumentReference>(path);
      return found.length === count ? found : undefined;
    });
  }

  const ask = async (
    question: RegistryQuestion,
    who: 'strasbourg' | 'declared' | 'stranger' | 'patient' = 'declared',
  ): Promise<RegistryReply> => await askRegistry(region.server.url, region[who], question);
  const associations = (uuids: readonly (string | undefined)[]): RegistryQuestion => ({
    query: 'getAssociations',
    slots: [['$uuid', listOf(uuids.map((uuid) => uuid ?? ''))]],
  });
  const related = (uuid = '', ...types: string[]): RegistryQuestion => ({
    query: 'getRelatedDocuments',
    slots: [
      ['$XDSDocumentEntryEntryUUID', listOf([uuid])],
      ['$AssociationTypes', listOf(types)],
    ],
  });

  it('tells the replacement of either end, under one entryUUID', async () => {
    const answers = [await ask(associations([former])), await ask(associations([present, former]))].map(succeeded);
    const [first, second] = answers.map(associationsOf);
    expect(first).to.have.length(1);
    expect(first?.[0]).to.include({ type: 'RPLC', source: present, target: former });
    expect(second).to.deep.equal(first);
    const reference = succeeded(await ask({ ...associations([present]), returnType: 'ObjectRef' }));
    expect(reference.reply.body.toString()).to.include(`<rim:ObjectRef id="${first?.[0]?.id}"`);
  });

  it('answers both documents, Approved and Deprecated, with all their metadata', async () => {
    const answer = succeeded(await ask(related(former, RPLC, APND)));
    expect(associationsOf(answer).map(({ type }) => type)).to.deep.equal(['RPLC']);
    const entries = entriesOf(answer);
    expect(entries.map(({ entryUUID, status }) => [entryUUID, status])).to.have.deep.members([
      [present, 'Approved'],
      [former, 'Deprecated'],
    ]);
    const [one, other] = entries;
    expect(one?.patientId).to.equal(other?.patientId);
    const whole = succeeded(await ask({ query: 'getDocuments', slots: [related(present, RPLC).slots[0] ?? ['']] }));
    expect(entriesOf(whole)).to.deep.equal(entries.filter(({ entryUUID }) => entryUUID === present));
  });

  it('answers nothing where no association is of the asked type', async () => {
    const answer = succeeded(await ask(related(present, APND)));
    expect([associationsOf(answer), entriesOf(answer)]).to.deep.equal([[], []]);
  });

  it('answers who may not see the documents as of documents that are not there', async () => {
    const unknown = 'urn:uuid:0197a000-0000-7000-8000-0000000000ff';
    // The patient waits for a report.
    for (const who of ['stranger', 'patient'] as const)
      for (const uuid of [present, unknown]) {
        expect(associationsOf(succeeded(await ask(associations([uuid]), who)))).to.deep.equal([]);
        expect(entriesOf(succeeded(await ask(related(uuid, RPLC), who)))).to.deep.equal([]);
      }
  });

  it('has one event for each query, of ITI-18, which the patient may read', async () => {
    const trail = await openTrail(running().store, region.server.dataDir);
    try {
      for (const question of [associations([former]), related(former, RPLC)]) {
        const { requestId } = succeeded(await ask(question));
        const [entry, ...others] = await trail.eventsOf(requestId);
        expect(others, question.query).to.deep.equal([]);
        expect(entry?.event).to.deep.include({ outcome: '0', action: 'E' });
        expect(entry?.event.subtype?.map(({ code }) => code)).to.deep.equal(['ITI-18']);
        expect(entry?.persons, question.query).to.have.length(1);
      }
      const { requestId } = await ask(associations([former]), 'stranger');
      const [entry] = await trail.eventsOf(requestId);
      expect(entry?.persons).to.deep.equal([]);
    } finally {
      await trail.close();
    }
  });

  it('refuses metadata of two patients together, and answers references of them', async () => {
    const path = `DocumentReference?related:identifier=${oidUri(region.studies.gaetan.studyInstanceUID)}`;
    const [his] = await region.strasbourg.find<DocumentReference>(path);
    const question: RegistryQuestion = {
      query: 'getDocuments',
      slots: [['$XDSDocumentEntryEntryUUID', listOf([present ?? '', uuidOf(his)])]],
    };
    const refused = await ask(question, 'strasbourg');
    expect(refused.reply.body.toString()).to.include('XDSResultNotSinglePatient').and.to.include(':Failure');
    expect(entriesOf(refused)).to.deep.equal([]);
    const references = succeeded(await ask({ ...question, returnType: 'ObjectRef' }, 'strasbourg'));
    expect(references.reply.body.toString()).to.include(uuidOf(his)).and.to.include(present);
    // Who sees one of them alone asks of one patient.
    expect(entriesOf(succeeded(await ask(question))).map(({ entryUUID }) => entryUUID)).to.deep.equal([present]);
  });
});

function uuidOf(document: DocumentReference | undefined): string {
  return `urn:uuid:${document?.id ?? ''}`;
}
