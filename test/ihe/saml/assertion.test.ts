import { generateKeyPairSync } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { XmlDocument } from 'libxml2-wasm';
import { SignedXml } from 'xml-crypto';
import { mintAssertion, signAssertion, writeAssertion } from '../../../fixtures/saml-issuer.ts';
import {
  AUDIENCE,
  CONTENT,
  ISSUER,
  NOW,
  edited,
  envelope,
  expectRefusal,
  issuerKey,
  issuerPem,
  verifyMessage,
  verifyXml,
} from './support.ts';
import { TESTDATA } from '../../support/testdata.ts';

const minted = mintAssertion({ ...CONTENT, privateKey: issuerKey });

/** What xml-crypto, an independent verifier, says of the signature. */
function oracleAccepts(message: string, publicKey: string): boolean {
  const [signature] = /<(ds:)?Signature [\s\S]*<\/(ds:)?Signature>/.exec(message) ?? [];
  const verifier = new SignedXml({ publicCert: publicKey, getCertFromKeyInfo: () => null });
  verifier.loadSignature(signature ?? '');
  return verifier.checkSignature(message);
}

describe('ITI-40 user assertion (ITI TF-2 3.40.4.1.2)', () => {
  it('reads every attribute of a signed assertion', () => {
    const { subjectName, organization, role, purposeOfUse, providerIdentifier, resourceId, homeCommunityId } = CONTENT;
    expect(verifyXml(minted)).to.deep.equal({
      id: '_assertion-1',
      issuer: ISSUER,
      nameId: 'practitioner-0042',
      notOnOrAfter: CONTENT.notOnOrAfter,
      authnInstant: CONTENT.notBefore,
      oneTimeUse: false,
      organizationId: { value: 'urn:oid:2.999.1.1' },
      organizationIds: [{ value: 'urn:oid:2.999.1.1' }],
      subjectName,
      organization,
      role,
      purposeOfUse,
      providerIdentifier,
      resourceId,
      homeCommunityId,
    });
  });

  it('leaves out the attributes that are not there', () => {
    const { id, issuer, audience, nameId, notBefore, notOnOrAfter } = CONTENT;
    const xml = mintAssertion({
      ...(id !== undefined && { id }),
      issuer,
      audience,
      nameId,
      notBefore,
      notOnOrAfter,
      privateKey: issuerKey,
    });
    expect(verifyXml(xml)).to.have.all.keys(
      'id',
      'issuer',
      'nameId',
      'notOnOrAfter',
      'authnInstant',
      'oneTimeUse',
      'organizationIds',
    );
  });

  it('agrees with xml-crypto on what is minted, alone and inside an envelope', () => {
    for (const message of [minted, envelope(minted)]) {
      expect(oracleAccepts(message, issuerPem)).to.equal(true);
      expect(verifyMessage(message).nameId).to.equal('practitioner-0042');
    }
  });

  it('accepts what xml-crypto signs, with inclusive prefixes declared outside the assertion', () => {
    const typed = edited(
      '<saml:AttributeValue>123',
      '<saml:AttributeValue xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:type="xs:string">123',
    );
    const signer = new SignedXml({ privateKey: issuerKey.export({ type: 'pkcs8', format: 'pem' }).toString() });
    signer.signatureAlgorithm = 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256';
    signer.canonicalizationAlgorithm = 'http://www.w3.org/2001/10/xml-exc-c14n#';
    signer.addReference({
      xpath: "//*[local-name(.)='Assertion']",
      transforms: ['http://www.w3.org/2000/09/xmldsig#enveloped-signature', 'http://www.w3.org/2001/10/xml-exc-c14n#'],
      digestAlgorithm: 'http://www.w3.org/2001/04/xmlenc#sha512',
      inclusiveNamespacesPrefixList: ['xs'],
    });
    signer.computeSignature(envelope(typed), {
      location: { reference: "//*[local-name(.)='Issuer']", action: 'after' },
    });
    const message = signer.getSignedXml();
    expect(message).to.contain('PrefixList="xs"');
    expect(verifyMessage(message).resourceId).to.equal('123^^^&2.999.4&ISO');
  });

  it('accepts rsa-sha384, rsa-sha512 and ecdsa-sha256', () => {
    for (const bits of ['384', '512']) {
      const signatureMethod = `http://www.w3.org/2001/04/xmldsig-more#rsa-sha${bits}`;
      const xml = signAssertion(writeAssertion(CONTENT), issuerKey, { signatureMethod, signatureHash: `sha${bits}` });
      expect(verifyXml(xml).id).to.equal('_assertion-1');
    }
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const certificate = publicKey.export({ type: 'spki', format: 'pem' }).toString();
    const xml = mintAssertion({ ...CONTENT, privateKey });
    expect(verifyXml(xml, { trusted: [{ issuer: ISSUER, certificate }] }).id).to.equal('_assertion-1');
  });

  it('tries every key of an issuer that changes its key', () => {
    const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const next = publicKey.export({ type: 'spki', format: 'pem' }).toString();
    const trusted = [next, issuerPem].map((certificate) => ({ issuer: ISSUER, certificate }));
    expect(verifyXml(minted, { trusted }).issuer).to.equal(ISSUER);
  });

  it('leaves the message as it was', () => {
    const message = envelope(minted);
    using document = XmlDocument.fromString(message);
    const before = document.toString();
    verifyMessage(message);
    expect(document.toString()).to.equal(before);
  });

  it('tolerates a clock that differs by the skew, and no more', () => {
    const at = (time: string) => verifyXml(minted, { now: new Date(time), clockSkewSeconds: 30 });
    expect(at('2026-03-02T09:58:30Z').id).to.equal('_assertion-1');
    expect(at('2026-03-02T10:59:29Z').id).to.equal('_assertion-1');
    expectRefusal(() => at('2026-03-02T09:58:29Z'), /not yet valid/);
    expectRefusal(() => at('2026-03-02T10:59:30Z'), /expired/);
  });

  it('tells that the issuer allows one use', () => {
    const xml = signAssertion(edited('</saml:Conditions>', '<saml:OneTimeUse/></saml:Conditions>'), issuerKey);
    expect(verifyXml(xml).oneTimeUse).to.equal(true);
  });

  it('accepts a delegation restriction and refuses a condition it does not know', () => {
    const condition = (type: string) =>
      signAssertion(
        edited(
          '</saml:Conditions>',
          `<saml:Condition xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" ` +
            `xsi:type="${type}"/></saml:Conditions>`,
        ),
        issuerKey,
      );
    expect(verifyXml(condition('del:DelegationRestrictionType')).id).to.equal('_assertion-1');
    expectRefusal(() => verifyXml(condition('x:OtherType')), /condition that is not understood/);
  });

  it('requires the audience in each of several restrictions', () => {
    const other =
      '<saml:AudienceRestriction><saml:Audience>urn:example:other</saml:Audience></saml:AudienceRestriction>';
    const xml = signAssertion(edited('</saml:Conditions>', `${other}</saml:Conditions>`), issuerKey);
    expectRefusal(() => verifyXml(xml), /another audience/);
    const both = signAssertion(
      edited('<saml:Audience>', '<saml:Audience>urn:example:other</saml:Audience><saml:Audience>'),
      issuerKey,
    );
    expect(verifyXml(both, { audience: AUDIENCE, now: NOW }).id).to.equal('_assertion-1');
  });
});

describe('ITI-40 assertion recorded in the field', () => {
  const file = join(TESTDATA, 'xca-document-source/IntegrationTests/IT_iti-39_request-multipart.txt');

  function recorded(): { message: string; certificate: string } {
    const text = readFileSync(file, 'latin1');
    const message = text.slice(
      text.indexOf('<?xml'),
      text.indexOf('</soapenv:Envelope>') + '</soapenv:Envelope>'.length,
    );
    const [, base64] = /<X509Certificate>([^<]+)</.exec(message) ?? [];
    return {
      message,
      certificate:
        `-----BEGIN CERTIFICATE-----\n${(base64 ?? '').replaceAll(/(.{64})/g, '$1\n')}\n-----END ` +
        `CERTIFICATE-----\n`,
    };
  }

  it('verifies with its pinned certificate, and not after one changed letter', function skipWithoutData() {
    if (!existsSync(file)) this.skip();
    const { message, certificate } = recorded();
    const options = {
      trusted: [{ issuer: 'https://helseid-xdssaml.test.nhn.no', certificate }],
      audience: 'nhn:dokumentdeling-saml',
      now: new Date('2025-09-02T16:45:00Z'),
    };
    const assertion = verifyMessage(message, options);
    expect(assertion.role).to.deep.equal({ code: 'LE', system: 'urn:oid:2.16.578.1.12.4.1.1.9060' });
    expect(assertion.purposeOfUse).to.deep.equal({ code: 'TREAT', system: 'urn:oid:2.16.840.1.113883.1.11.20448' });
    expect(assertion.homeCommunityId).to.equal('urn:oid:2.16.578.1.12.4.1.7.1.1');
    expect(assertion.providerIdentifier?.system).to.equal('urn:oid:2.16.578.1.12.4.1.4.4');
    expect(assertion.resourceId).to.match(/^\d+\^\^\^&2\.16\.578\.1\.12\.4\.1\.4\.1&ISO$/);
    expectRefusal(() => verifyMessage(message.replace('GRØNN', 'GRONN'), options), /digest/);
  });

  it('refuses a pretty-printed assertion', function skipWithoutData() {
    const pretty = join(TESTDATA, 'xca-document-source/SoapRequests/SamlToken01.xml');
    if (!existsSync(pretty)) this.skip();
    const { certificate } = recorded();
    const trusted = [{ issuer: 'https://helseid-xdssaml.test.nhn.no', certificate }];
    expectRefusal(() => verifyMessage(readFileSync(pretty, 'utf8'), { trusted }), /issuer did not make|digest/);
  });
});
