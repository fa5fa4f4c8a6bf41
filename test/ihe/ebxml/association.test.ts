import { expect } from 'chai';
import type { DocumentReference } from '@medplum/fhirtypes';
import { ACTION, ASSOCIATION_TYPE } from '../../../ihe/codes.ts';
import { associationIdOf, associationsAmong } from '../../../ihe/ebxml/association.ts';
import { formatAdhocQueryResponse } from '../../../ihe/iti-18/response.ts';
import { formatEnvelope } from '../../../ihe/soap/envelope.ts';
import { attributeOf, selectElements } from '../../../ihe/xml/select.ts';
import { withXml } from '../../../ihe/xml/parse.ts';
import { aDocument, hasSchemas, schemaErrors } from '../../support/clients/xds.ts';

type RelatesTo = NonNullable<DocumentReference['relatesTo']>;

const UUID = {
  first: 'urn:uuid:1415538d-41bc-41b2-9ae6-8b785f7f3aa1',
  second: 'urn:uuid:1415538d-41bc-41b2-9ae6-8b785f7f3aa2',
} as const;

/** A document of the registry, and what it says of others. */
function entry(id: keyof typeof UUID, relatesTo?: RelatesTo): { document: DocumentReference } {
  const identifier = [{ system: 'urn:ietf:rfc:3986', value: UUID[id] }];
  return { document: aDocument({ id, identifier, ...(relatesTo === undefined ? {} : { relatesTo }) }) };
}

function to(reference: string, code: RelatesTo[number]['code'] = 'replaces'): RelatesTo {
  return [{ code, target: { reference } }];
}

const REPLACED = { type: ASSOCIATION_TYPE.replace, source: UUID.second, target: UUID.first } as const;

describe('Associations of DocumentReferences (ITI TF-3 4.2.2)', () => {
  it('go from the document that says it to the one that it names', () => {
    expect(associationsAmong([entry('first'), entry('second', to('DocumentReference/first'))])).to.deep.equal([
      REPLACED,
    ]);
  });

  it('are RPLC, APND, XFRM and signs', () => {
    const types = (['replaces', 'appends', 'transforms', 'signs'] as const).map((code) => {
      const [only] = associationsAmong([entry('first'), entry('second', to('DocumentReference/first', code))]);
      return only?.type.split(':').at(-1);
    });
    expect(types).to.deep.equal(['RPLC', 'APND', 'XFRM', 'signs']);
  });

  it('are told once, by a reference with a version too, and not to what is not there', () => {
    const twice = [...to('DocumentReference/first'), ...to('DocumentReference/first/_history/2')];
    expect(associationsAmong([entry('first'), entry('second', twice)])).to.deep.equal([REPLACED]);
    for (const reference of ['DocumentReference/other', 'Patient/first', '#first', ''])
      expect(associationsAmong([entry('first'), entry('second', to(reference))]), reference).to.deep.equal([]);
    expect(associationsAmong([entry('second', to('DocumentReference/first'))])).to.deep.equal([]);
  });

  it('have an entryUUID that follows from type and ends alone', () => {
    const id = associationIdOf(REPLACED);
    expect(id).to.match(/^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(associationIdOf({ ...REPLACED, homeCommunityId: 'urn:oid:2.25.3' })).to.equal(id);
    const others = [
      { ...REPLACED, type: ASSOCIATION_TYPE.append },
      { ...REPLACED, source: UUID.first, target: UUID.second },
      { ...REPLACED, target: UUID.second },
    ];
    for (const other of others) expect(associationIdOf(other)).to.not.equal(id);
  });

  it('are written with both ends, and as references when the caller asks for those', function () {
    if (!hasSchemas()) this.skip();
    const association = { ...REPLACED, homeCommunityId: 'urn:oid:2.25.3' };
    const written = (returnType: 'LeafClass' | 'ObjectRef'): Record<string, string>[] => {
      const body = formatAdhocQueryResponse({ returnType, documents: [], associations: [association] });
      const envelope = formatEnvelope({ action: ACTION.registryStoredQueryResponse, body });
      expect(schemaErrors(envelope)).to.equal('');
      return withXml(Buffer.from(envelope), (document) =>
        selectElements(document, '//rim:RegistryObjectList/*').map((element) => ({
          ...Object.fromEntries(element.attrs.map(({ name }) => [name, attributeOf(element, name) ?? ''])),
          element: element.name,
        })),
      );
    };
    const id = associationIdOf(association);
    expect(written('LeafClass')).to.deep.equal([
      {
        element: 'Association',
        id,
        lid: id,
        home: 'urn:oid:2.25.3',
        objectType: 'urn:oasis:names:tc:ebxml-regrep:ObjectType:RegistryObject:Association',
        status: 'urn:oasis:names:tc:ebxml-regrep:StatusType:Approved',
        associationType: 'urn:ihe:iti:2007:AssociationType:RPLC',
        sourceObject: UUID.second,
        targetObject: UUID.first,
      },
    ]);
    expect(written('ObjectRef')).to.deep.equal([{ element: 'ObjectRef', id, home: 'urn:oid:2.25.3' }]);
  });
});
