import type { DocumentReference } from '@medplum/fhirtypes';
import { expect } from 'chai';
import { ASSOCIATION_TYPE, STORED_QUERY, XDS_ERROR } from '../../../../ihe/codes.ts';
import { CODE_SYSTEM, IDENTIFIER_SYSTEM } from '../../../../profiles/codes.ts';
import type { Indexer } from '../../../../profiles/search/indexer.ts';
import { filedBy, putOf } from '../../../../server/flows/write/plan-parts.ts';
import { loadDefinitions } from '../../../../server/runtime/definitions.ts';
import { adhocQuery, type QuerySlots } from '../../../support/clients/xds.ts';
import { aPlan, NOW } from '../../../support/plans.ts';
import { commitPlan } from '../../../support/warrants.ts';
import { CLINIC, openClinic, type Clinic, type ClinicPatient } from '../clinic.ts';
import type { ServedRouter } from '../served-router.ts';
import { comparable, errorsOf, HOME, select, send, serveXds, statusOf, type XdsAnswer } from './door.ts';

const { replace: RPLC, append: APND, transform: XFRM } = ASSOCIATION_TYPE;

/** The documents of this test by their names, each with the end of its UUID. */
const DOCUMENTS = { old: '01', new: '02', addendum: '03', secret: '04', alone: '05', hers: '06', gone: '07' } as const;
type Name = keyof typeof DOCUMENTS;

const uuid = (name: Name): string => `urn:uuid:0197a000-0000-7000-8000-0000000000${DOCUMENTS[name]}`;
const uid = (name: Name): string => `2.25.7${DOCUMENTS[name]}`;

describe('ITI-18 GetAssociations and GetRelatedDocuments (ITI TF-2 3.18.4.1.2.3.7) over HTTP', () => {
  let clinic: Clinic;
  let door: ServedRouter;

  before(async () => {
    clinic = await openClinic();
    const { indexer } = await loadDefinitions();
    const { anne, bruno } = clinic;
    await add(indexer, anne, 'old', { status: 'superseded' });
    await add(indexer, anne, 'new', { relatesTo: [relation('replaces', 'old')] });
    await add(indexer, anne, 'addendum', { relatesTo: [relation('appends', 'new')] });
    await add(indexer, anne, 'secret', { relatesTo: [relation('transforms', 'new')] }, 'V');
    await add(indexer, anne, 'alone', {});
    await add(indexer, anne, 'gone', { status: 'entered-in-error', relatesTo: [relation('appends', 'new')] });
    await add(indexer, bruno, 'hers', {});
    door = await serveXds(clinic);
  });

  after(async () => {
    await door.close();
    await clinic.close();
  });

  async function add(
    indexer: Indexer,
    { person, resource }: ClinicPatient,
    name: Name,
    changes: Partial<DocumentReference>,
    level = 'N',
  ): Promise<void> {
    const document: DocumentReference = {
      ...clinic.ct.manifest,
      id: uuid(name).slice('urn:uuid:'.length),
      meta: { security: [{ system: CODE_SYSTEM.confidentiality, code: level }] },
      masterIdentifier: { system: IDENTIFIER_SYSTEM.uri, value: `urn:oid:${uid(name)}` },
      identifier: [
        { system: IDENTIFIER_SYSTEM.uri, value: uuid(name) },
        { system: IDENTIFIER_SYSTEM.uri, value: `urn:oid:${uid(name)}` },
      ],
      subject: { reference: `Patient/${resource.id}` },
      ...changes,
    };
    const facts = { person, subject: `Patient/${resource.id}`, released: true, origin: filedBy(CLINIC) };
    await commitPlan(clinic.stores.records, aPlan({ puts: [putOf(indexer, document, NOW, facts)] }));
  }

  function relation(code: 'replaces' | 'appends' | 'transforms', to: Name) {
    return { code, target: { reference: `DocumentReference/${uuid(to).slice('urn:uuid:'.length)}` } };
  }

  type Asked = { readonly token?: string; readonly returnType?: string };

  async function ask(query: keyof typeof STORED_QUERY, slots: QuerySlots, asked: Asked = {}): Promise<XdsAnswer> {
    const { token = 'lambert', returnType = 'LeafClass' } = asked;
    return await send(door, 'registry', adhocQuery(slots, STORED_QUERY[query], returnType), { token });
  }

  async function associations(names: readonly Name[], asked: Asked = {}): Promise<string[]> {
    return associationsOf(await ask('getAssociations', [['$uuid', listOf(names.map(uuid))]], asked));
  }

  async function related(name: Name, types: readonly string[], asked: Asked = {}): Promise<XdsAnswer> {
    const slots = [
      ['$XDSDocumentEntryEntryUUID', `'${uuid(name)}'`] as const,
      ['$AssociationTypes', listOf(types)] as const,
    ];
    return await ask('getRelatedDocuments', slots, asked);
  }

  describe('GetAssociations (3.18.4.1.2.3.7.7)', () => {
    it('tells those of which an entry is source or target, and no entry', async () => {
      expect(await associations(['new'])).to.have.members(['new RPLC old', 'addendum APND new']);
      expect(await associations(['old'])).to.deep.equal(['new RPLC old']);
      expect(await associations(['old', 'addendum'])).to.have.members(['new RPLC old', 'addendum APND new']);
      expect(await associations(['alone'])).to.deep.equal([]);
      const answer = await ask('getAssociations', [['$uuid', listOf([uuid('new')])]]);
      expect(select(answer.envelope, '//rim:ExtrinsicObject')).to.deep.equal([]);
      expect(select(answer.envelope, '//rim:Association', 'home')).to.deep.equal([HOME, HOME]);
    });

    it('tells one whose other end is visible alone: to who may see both', async () => {
      expect(await associations(['new'], { token: 'clinic-reader' })).to.have.members([
        'new RPLC old',
        'addendum APND new',
        'secret XFRM new',
      ]);
      const hidden = await ask('getAssociations', [['$uuid', listOf([uuid('secret')])]]);
      const unknown = 'urn:uuid:0197a000-0000-7000-8000-0000000000ff';
      const nothing = await ask('getAssociations', [['$uuid', listOf([unknown])]]);
      expect(comparable(hidden, uuid('secret'))).to.equal(comparable(nothing, unknown));
      expect(await associations(['new', 'old'], { token: 'stranger' })).to.deep.equal([]);
    });

    it('knows nothing of a document that was an error', async () => {
      expect(await associations(['gone'], { token: 'clinic-reader' })).to.deep.equal([]);
      const slots = [['$XDSDocumentEntryEntryUUID', listOf([uuid('gone')])] as const];
      expect(entriesOf(await ask('getDocuments', slots, { token: 'clinic-reader' }))).to.deep.equal([]);
    });

    it('gives an association the same entryUUID in every answer, references too', async () => {
      const slots = [['$uuid', listOf([uuid('old')])] as const];
      const whole = await ask('getAssociations', slots);
      const [id] = select(whole.envelope, '//rim:Association', 'id');
      const reference = await ask('getAssociations', slots, { returnType: 'ObjectRef' });
      expect(select(reference.envelope, '//rim:ObjectRef', 'id')).to.deep.equal([id]);
      const seenByClinic = await related('new', [RPLC], { token: 'clinic-reader' });
      expect(select(seenByClinic.envelope, '//rim:Association', 'id')).to.deep.equal([id]);
    });

    it('asks of several patients without refusal, as it answers no patient', async () => {
      const answer = await ask('getAssociations', [['$uuid', listOf([uuid('new'), uuid('hers')])]], {
        token: 'clinic-reader',
      });
      expect(statusOf(answer)).to.equal('Success');
    });
  });

  describe('GetRelatedDocuments (3.18.4.1.2.3.7.13)', () => {
    it('answers the associations of the asked types, and the entries at their ends, the named one too', async () => {
      const answer = await related('new', [RPLC, APND]);
      expect(associationsOf(answer)).to.have.members(['new RPLC old', 'addendum APND new']);
      expect(entriesOf(answer)).to.have.members(['new', 'old', 'addendum']);
      expect(select(answer.envelope, "//rim:Slot[@name='sourcePatientInfo']")).to.have.length(3);
      const older = await related('old', [RPLC, APND]);
      expect([associationsOf(older), entriesOf(older).toSorted()]).to.deep.equal([['new RPLC old'], ['new', 'old']]);
    });

    it('answers nothing, not even the document, where it has no such association', async () => {
      for (const [name, types] of [
        ['alone', [RPLC, APND, XFRM]],
        ['old', [APND]],
        ['new', [XFRM]],
        ['secret', [XFRM]],
      ] as const) {
        const answer = await related(name, types);
        expect(statusOf(answer), name).to.equal('Success');
        expect(select(answer.envelope, '//rim:RegistryObjectList/*'), name).to.deep.equal([]);
      }
    });

    it('finds the document by uniqueId, and answers references', async () => {
      const slots = [
        ['$XDSDocumentEntryUniqueId', `'${uid('addendum')}'`] as const,
        ['$AssociationTypes', listOf([APND])] as const,
      ];
      const answer = await ask('getRelatedDocuments', slots, { returnType: 'ObjectRef' });
      expect(select(answer.envelope, '//rim:ExtrinsicObject | //rim:Association')).to.deep.equal([]);
      const ids = select(answer.envelope, '//rim:ObjectRef', 'id');
      expect(ids)
        .to.have.length(3)
        .and.to.include.members([uuid('addendum'), uuid('new')]);
    });

    it('has one event, which the patient reads', async () => {
      const events = async () => await clinic.events(clinic.anne, 'ITI-18');
      const before = await events();
      await related('new', [RPLC, APND]);
      const [event, ...others] = (await events()).slice(0, (await events()).length - before.length);
      expect(others).to.deep.equal([]);
      expect(event?.agent.some(({ who }) => who?.reference === 'Practitioner/lambert')).to.equal(true);
      const query = event?.entity?.find(({ query: text }) => text !== undefined)?.query ?? '';
      expect(Buffer.from(query, 'base64').toString()).to.include('GetRelatedDocuments').and.to.include(uuid('new'));
    });
  });

  describe('GetDocumentsAndAssociations (3.18.4.1.2.3.7.8)', () => {
    it('answers the named entries alone, and their associations', async () => {
      const slots = [['$XDSDocumentEntryEntryUUID', listOf([uuid('old'), uuid('alone')])] as const];
      const answer = await ask('getDocumentsAndAssociations', slots);
      expect(associationsOf(answer)).to.deep.equal(['new RPLC old']);
      expect(entriesOf(answer)).to.have.members(['old', 'alone']);
    });
  });

  describe('documents of several patients (note 3 of 3.18.4.1.2.3.7.5)', () => {
    const both = [['$XDSDocumentEntryEntryUUID', listOf([uuid('new'), uuid('hers')])] as const];
    const code = XDS_ERROR.resultNotSinglePatient;

    it('are refused as LeafClass, without metadata', async () => {
      for (const query of ['getDocuments', 'getDocumentsAndAssociations'] as const) {
        const answer = await ask(query, both, { token: 'clinic-reader' });
        expect([statusOf(answer), errorsOf(answer).map(([one]) => one)]).to.deep.equal(['Failure', [code]]);
        expect(select(answer.envelope, '//rim:RegistryObjectList/*')).to.deep.equal([]);
      }
      const byUid = [['$XDSDocumentEntryUniqueId', listOf([uid('new'), uid('hers')])] as const];
      expect(errorsOf(await ask('getDocuments', byUid, { token: 'clinic-reader' }))[0]?.[0]).to.equal(code);
    });

    it('are answered as ObjectRef', async () => {
      const answer = await ask('getDocuments', both, { token: 'clinic-reader', returnType: 'ObjectRef' });
      expect(statusOf(answer)).to.equal('Success');
      expect(select(answer.envelope, '//rim:ObjectRef', 'id')).to.have.members([uuid('new'), uuid('hers')]);
    });

    it('count by what the requester sees: one that is hidden tells nothing', async () => {
      expect(entriesOf(await ask('getDocuments', both))).to.deep.equal(['new']);
    });

    it('of one patient are answered once each, an unknown one beside them', async () => {
      const unknown = 'urn:uuid:0197a000-0000-7000-8000-0000000000fe';
      const slots = [['$XDSDocumentEntryEntryUUID', listOf([uuid('new'), unknown, uuid('old')])] as const];
      const answer = await ask('getDocuments', slots);
      expect([statusOf(answer), entriesOf(answer).toSorted()]).to.deep.equal(['Success', ['new', 'old']]);
    });
  });
});

function listOf(values: readonly string[]): string {
  return `(${values.map((value) => `'${value}'`).join(',')})`;
}

function nameOf(entryUUID: string): string {
  return (Object.keys(DOCUMENTS) as Name[]).find((name) => uuid(name) === entryUUID) ?? entryUUID;
}

/** Names of the entries of an answer. */
function entriesOf({ envelope }: XdsAnswer): string[] {
  return select(envelope, '//rim:ExtrinsicObject', 'id').map(nameOf);
}

/** The associations of an answer: source, end of the type, target. */
function associationsOf({ envelope }: XdsAnswer): string[] {
  const of = (attribute: string): string[] => select(envelope, '//rim:Association', attribute);
  const [types, sources, targets] = [
    of('associationType'),
    of('sourceObject').map(nameOf),
    of('targetObject').map(nameOf),
  ];
  return types.map((type, at) => `${sources[at]} ${type.split(':').at(-1)} ${targets[at]}`);
}
