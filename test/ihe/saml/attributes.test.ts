import { expect } from 'chai';
import { signAssertion } from '../../../fixtures/saml-issuer.ts';
import { CONTENT, edited, expectRefusal, issuerKey, verifyXml } from './support.ts';

const XACML_ROLE = 'urn:oasis:names:tc:xacml:2.0:subject:role';
const value = (content: string) => `<saml:AttributeValue>${content}</saml:AttributeValue>`;
const role = (code: string) => `<Role xmlns="urn:hl7-org:v3" code="${code}" codeSystem="2.999.2"/>`;
const attribute = (name: string, content: string) => `<saml:Attribute Name="${name}">${content}</saml:Attribute>`;
const { role: _role, purposeOfUse: _purposeOfUse, ...plain } = CONTENT;

/** Verifies the ordinary assertion, without role and purpose, with more attributes. */
function verifyWith(...attributes: string[]) {
  const end = '</saml:AttributeStatement>';
  return verifyXml(signAssertion(edited(end, attributes.join('') + end, plain), issuerKey));
}

describe('XUA attributes as senders write them (ITI TF-2 3.40.4.1.2)', () => {
  it('reads role and purpose from escaped XML whose xsi prefix is not declared', () => {
    const escaped = (name: string, code: string) =>
      value(`&lt;${name} xmlns="urn:hl7-org:v3" xsi:type="CE" code="${code}" codeSystem="urn:oid:2.999.7"/&gt;`);
    const assertion = verifyWith(
      attribute(XACML_ROLE, escaped('Role', 'LE')),
      attribute('urn:oasis:names:tc:xspa:1.0:subject:purposeOfUse', escaped('PurposeOfUse', 'TREAT')),
    );
    expect(assertion.role).to.deep.equal({ code: 'LE', system: 'urn:oid:2.999.7' });
    expect(assertion.purposeOfUse).to.deep.equal({ code: 'TREAT', system: 'urn:oid:2.999.7' });
  });

  it('reads an element with a plain type attribute and a code system that is no OID', () => {
    const element = '<Role xmlns="urn:hl7-org:v3" type="CE" code="MD" codeSystem="https://codes.example"/>';
    expect(verifyWith(attribute(XACML_ROLE, value(element))).role).to.deep.equal({
      code: 'MD',
      system: 'https://codes.example',
    });
  });

  it('unescapes a patient identifier that was escaped twice', () => {
    const xml = edited('123^^^&amp;2.999.4&amp;ISO', '123^^^&amp;amp;2.999.4&amp;amp;ISO');
    expect(verifyXml(signAssertion(xml, issuerKey)).resourceId).to.equal('123^^^&2.999.4&ISO');
  });

  it('completes a home community without urn:oid:, and reads one in capitals', () => {
    for (const home of ['2.999.5', 'URN:OID:2.999.5']) {
      const xml = edited('>urn:oid:2.999.5<', `>${home}<`);
      expect(verifyXml(signAssertion(xml, issuerKey)).homeCommunityId).to.equal('urn:oid:2.999.5');
    }
  });

  it('passes over nil and empty values', () => {
    const nil = '<saml:AttributeValue xmlns:a="http://www.w3.org/2001/XMLSchema-instance" a:nil="true"/>';
    expect(verifyWith(attribute(XACML_ROLE, nil))).to.not.have.property('role');
  });

  it('passes over a value beside the purpose that is not coded', () => {
    const purpose = '<PurposeOfUse xmlns="urn:hl7-org:v3" code="12" codeSystem="1.0.14265.1"/>';
    const assertion = verifyWith(
      attribute('urn:oasis:names:tc:xspa:1.0:subject:purposeofuse', value(purpose) + value('something else')),
    );
    expect(assertion.purposeOfUse).to.deep.equal({ code: '12', system: 'urn:oid:1.0.14265.1' });
  });

  it('C15 refuses a purpose that it cannot read, which is never taken for care', () => {
    const name = 'urn:oasis:names:tc:xspa:1.0:subject:purposeofuse';
    const coded = '<PurposeOfUse xmlns="urn:hl7-org:v3" code="TREAT" codeSystem="2.16.840.1.113883.5.8"/>';
    const unread: readonly (readonly [string, string])[] = [
      [name, value('TREAT')],
      [name, value('HPAYMT')],
      [name, value('<PurposeOfUse xmlns="urn:hl7-org:v3" code="TREAT"/>')],
      [name, value('<PurposeOfUse xmlns="urn:example" code="TREAT" codeSystem="2.16.840.1.113883.5.8"/>')],
      [name, value('&lt;PurposeOfUse code="TREAT"')],
      [name, value(coded) + value('<PurposeOfUse xmlns="urn:hl7-org:v3" code="HPAYMT"/>')],
      ['urn:oasis:names:tc:xacml:2.0:subject:purposeofuse', value(coded)],
      ['purpose_of_use', value('HPAYMT')],
    ];
    for (const [attributeName, values] of unread)
      expect(() => verifyWith(attribute(attributeName, values)), values).to.throw(/purpose of use that cannot be read/);
    expect(verifyWith(attribute(name, value(''))).purposeOfUse).to.equal(undefined);
  });

  it('does not read a code outside the HL7 V3 namespace or from broken markup', () => {
    expect(
      verifyWith(attribute(XACML_ROLE, value('<Role xmlns="urn:example" code="MD" codeSystem="2.999.2"/>'))),
    ).to.not.have.property('role');
    expect(verifyWith(attribute(XACML_ROLE, value('&lt;Role code="MD"')))).to.not.have.property('role');
    expect(verifyWith(attribute(XACML_ROLE, value('&lt;!DOCTYPE Role>')))).to.not.have.property('role');
  });

  it('accepts the same role under the old and the new attribute name', () => {
    const assertion = verifyWith(
      attribute(XACML_ROLE, value(role('MD'))),
      attribute('urn:oasis:names:tc:xspa:1.0:subject:role', value(role('MD'))),
    );
    expect(assertion.role?.code).to.equal('MD');
  });

  it('lists every organisation, and names one only when there is one', () => {
    const more = attribute(
      'urn:oasis:names:tc:xspa:1.0:subject:organization-id',
      value('<id xmlns="urn:hl7-org:v3" root="2.999.8" extension="77"/>'),
    );
    const assertion = verifyWith(more);
    expect(assertion.organizationIds).to.deep.equal([
      { value: 'urn:oid:2.999.1.1' },
      { value: '77', system: 'urn:oid:2.999.8' },
    ]);
    expect(assertion).to.not.have.property('organizationId');
  });

  for (const [label, attributes] of [
    ['role', [attribute(XACML_ROLE, value(role('MD')) + value(role('RN')))]],
    ['role', [attribute(XACML_ROLE, value(role('MD')) + value(role('MD')))]],
    ['role', [attribute(XACML_ROLE, value(role('MD'))), attribute(XACML_ROLE, value(role('MD')))]],
    ['role', [attribute(XACML_ROLE, value(role('MD') + role('RN')))]],
    [
      'purposeofuse',
      [
        attribute('urn:oasis:names:tc:xspa:1.0:subject:purposeofuse', value(role('TREAT'))),
        attribute('urn:oasis:names:tc:xspa:1.0:subject:purposeOfUse', value(role('BTG'))),
      ],
    ],
    [
      'resource-id',
      [attribute('urn:oasis:names:tc:xacml:2.0:resource:resource-id', value('124^^^&amp;2.999.4&amp;ISO'))],
    ],
    ['homeCommunityId', [attribute('urn:ihe:iti:xca:2010:homeCommunityId', value('urn:oid:2.999.6'))]],
  ] as const) {
    it(
      `refuses more than one ${label}: ${attributes.length} attribute(s), ` +
        `${attributes.join('').split('<saml:AttributeValue>').length - 1} value(s)`,
      () => {
        expectRefusal(() => verifyWith(...attributes), new RegExp(`more than one ${label}`));
      },
    );
  }
});
