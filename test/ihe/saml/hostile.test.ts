import { createHmac, generateKeyPairSync } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { expect } from 'chai';
import * as fc from 'fast-check';
import { XmlParseError } from 'libxml2-wasm';
import { mintAssertion, signAssertion, writeAssertion } from '../../../fixtures/saml-issuer.ts';
import { toFault } from '../../../profiles/fault.ts';
import {
  AUDIENCE,
  CONTENT,
  ISSUER,
  edited,
  envelope,
  expectRefusal,
  issuerKey,
  issuerPem,
  verifyMessage,
  verifyXml,
} from './support.ts';

const SHA1 = 'http://www.w3.org/2000/09/xmldsig#sha1';
const C14N = 'http://www.w3.org/TR/2001/REC-xml-c14n-20010315';
const EXCLUSIVE = 'http://www.w3.org/2001/10/xml-exc-c14n#';
const ENVELOPED = 'http://www.w3.org/2000/09/xmldsig#enveloped-signature';

const minted = mintAssertion({ ...CONTENT, privateKey: issuerKey });
const signature = /<ds:Signature[ >].*<\/ds:Signature>/.exec(minted)?.[0] ?? '';
const forged = writeAssertion({ ...CONTENT, id: '_forged', nameId: 'intruder' });
const signed = (search: string, replacement: string) => signAssertion(edited(search, replacement), issuerKey);

/**
 * The kind of the refusal; `unparsed` when the envelope itself no longer parses, which is the SOAP reader's case;
 * `unchanged` when the damage is outside of what is signed and the answer is that of the whole assertion.
 */
function refusedAs(assertion: string): string {
  try {
    return isDeepStrictEqual(verifyXml(assertion), verifyXml(minted)) ? 'unchanged' : 'accepted';
  } catch (error) {
    return error instanceof XmlParseError ? 'unparsed' : toFault(error).kind;
  }
}

describe('SAML assertions made to cost', () => {
  it('are refused before they are canonicalised: too many elements or attributes', () => {
    const attributes = Array.from({ length: 2_000 }, (_, at) => ` a${at}="1"`).join('');
    for (const advice of [`<saml:Advice${attributes}/>`, `<saml:Advice>${'<b/>'.repeat(2_000)}</saml:Advice>`]) {
      const costly = minted.replace('</saml:Conditions>', () => `</saml:Conditions>${advice}`);
      expectRefusal(() => verifyXml(costly), /too many elements or attributes/);
    }
  });
});

describe('SAML signature wrapping (H04)', () => {
  it('refuses a forged assertion that carries the signed one in its Advice', () => {
    const wrapped = forged
      .replace('</saml:Issuer>', () => `</saml:Issuer>${signature}`)
      .replace(
        '</saml:Conditions>',
        () => `</saml:Conditions><saml:Advice>${minted.replace(signature, '')}</saml:Advice>`,
      );
    expectRefusal(() => verifyXml(wrapped), /holds another assertion/);
  });

  it('refuses a forged assertion whose signature is over the original moved to another header', () => {
    const wrapped = forged.replace('</saml:Issuer>', () => `</saml:Issuer>${signature}`);
    const message = envelope(`${wrapped}<other>${minted.replace(signature, '')}</other>`);
    expectRefusal(() => verifyMessage(message), /signature over another element/);
  });

  it('refuses a forged assertion with the same ID as the original', () => {
    const wrapped = forged
      .replace('_forged', '_assertion-1')
      .replace('</saml:Issuer>', () => `</saml:Issuer>${signature}`);
    expectRefusal(() => verifyMessage(envelope(`${wrapped}<other>${minted}</other>`)), /not unique/);
  });

  it('refuses an ID that another attribute of the message repeats', () => {
    for (const name of ['Id', 'id', 'xml:id']) {
      expectRefusal(() => verifyMessage(envelope(minted, `<x ${name}="_assertion-1"/>`)), /not unique/);
    }
  });

  it('refuses the original inside an Object of the signature of a forged assertion', () => {
    const holder = signature.replace(
      '</ds:Signature>',
      () => `<ds:Object>${minted.replace(signature, '')}</ds:Object></ds:Signature>`,
    );
    expectRefusal(
      () => verifyXml(forged.replace('</saml:Issuer>', () => `</saml:Issuer>${holder}`)),
      /holds another assertion/,
    );
  });

  it('refuses a second signature and one that is not a direct child', () => {
    expectRefusal(() => verifyXml(minted.replace(signature, signature + signature)), /exactly one Signature/);
    const moved = minted.replace(signature, '').replace('<saml:NameID>', () => `${signature}<saml:NameID>`);
    expectRefusal(() => verifyXml(moved), /exactly one Signature/);
  });

  it('refuses a second Reference', () => {
    const reference = /<ds:Reference.*<\/ds:Reference>/.exec(minted)?.[0] ?? '';
    expectRefusal(() => verifyXml(minted.replace(reference, reference + reference)), /issuer did not make/);
  });

  it('refuses every assertion of which one letter of signed text is changed', () => {
    const body = minted.slice(minted.indexOf('<saml:Subject>'));
    const letters = [...body.matchAll(/(?<=[>"][^<>"]*)[a-z0-9](?=[^<>"]*[<"])/g)].map(({ index }) => index);
    fc.assert(
      fc.property(fc.constantFrom(...letters), (index) => {
        const changed = `${body.slice(0, index)}Z${body.slice(index + 1)}`;
        expect(refusedAs(minted.replace(body, () => changed))).to.be.oneOf(['login', 'unparsed']);
      }),
      { numRuns: 60 },
    );
  });
});

describe('SAML text tricks (H05)', () => {
  it('refuses a comment inside NameID, signed or not', () => {
    expectRefusal(() => verifyXml(signed('practitioner-0042', 'practitioner<!-- -->-0042')), /comments/);
    expectRefusal(() => verifyXml(minted.replace('practitioner-0042', 'practitioner<!-- -->-0042')), /comments/);
  });

  it('refuses a processing instruction and an element inside NameID', () => {
    expectRefusal(() => verifyXml(signed('practitioner-0042', 'practitioner<?x y?>-0042')), /processing instructions/);
    expectRefusal(() => verifyXml(signed('practitioner-0042', 'practitioner<x/>-0042')), /no plain text in NameID/);
  });

  it('reads the whole text when it is split by CDATA', () => {
    const xml = minted.replace('practitioner-0042', 'practi<![CDATA[tioner]]>-0042');
    expect(verifyXml(xml).nameId).to.equal('practitioner-0042');
  });

  it('refuses a message with a DOCTYPE', () => {
    expectRefusal(() => verifyMessage(`<!DOCTYPE x [<!ENTITY e "y">]>${minted}`), /DOCTYPE/);
  });
});

describe('SAML signature algorithms (H06)', () => {
  const unsigned = writeAssertion(CONTENT);

  it('refuses an assertion that is not signed', () => {
    expectRefusal(() => verifyXml(unsigned), /not signed/);
  });

  it('refuses SHA-1 as signature and as digest', () => {
    const signatureMethod = 'http://www.w3.org/2000/09/xmldsig#rsa-sha1';
    expectRefusal(
      () => verifyXml(signAssertion(unsigned, issuerKey, { signatureMethod, signatureHash: 'sha1' })),
      /algorithm that is not accepted/,
    );
    expectRefusal(
      () => verifyXml(signAssertion(unsigned, issuerKey, { digestMethod: SHA1, digestHash: 'sha1' })),
      /digest that is not accepted/,
    );
  });

  it('refuses an HMAC keyed with the pinned public key', () => {
    const method = 'http://www.w3.org/2001/04/xmldsig-more#hmac-sha256';
    const xml = signAssertion(unsigned, issuerKey, { signatureMethod: method });
    const info = /<ds:SignedInfo.*<\/ds:SignedInfo>/.exec(xml)?.[0] ?? '';
    const value = createHmac('sha256', issuerPem).update(info).digest('base64');
    const confused = xml.replace(/<ds:SignatureValue>[^<]*/, () => `<ds:SignatureValue>${value}`);
    expectRefusal(() => verifyXml(confused), /algorithm that is not accepted/);
  });

  it('refuses an RSA algorithm over an EC key and a short RSA key', () => {
    const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' })
      .publicKey.export({ type: 'spki', format: 'pem' })
      .toString();
    expectRefusal(() => verifyXml(minted, { trusted: [{ issuer: ISSUER, certificate: ec }] }), /issuer did not make/);
    const short = generateKeyPairSync('rsa', { modulusLength: 1024 });
    const certificate = short.publicKey.export({ type: 'spki', format: 'pem' }).toString();
    const xml = mintAssertion({ ...CONTENT, privateKey: short.privateKey });
    expectRefusal(() => verifyXml(xml, { trusted: [{ issuer: ISSUER, certificate }] }), /issuer did not make/);
  });

  it('refuses other transforms, in other numbers or another order', () => {
    for (const transforms of [
      [],
      [EXCLUSIVE],
      [ENVELOPED],
      [EXCLUSIVE, ENVELOPED],
      [ENVELOPED, C14N],
      [ENVELOPED, EXCLUSIVE, EXCLUSIVE],
    ]) {
      expectRefusal(() => verifyXml(signAssertion(unsigned, issuerKey, { transforms })), /transforms other than/);
    }
  });

  it('refuses a key that another issuer pinned, and an unknown issuer', () => {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const other = {
      issuer: 'https://other.example',
      certificate: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    };
    const trusted = [{ issuer: ISSUER, certificate: issuerPem }, other];
    expectRefusal(() => verifyXml(mintAssertion({ ...CONTENT, privateKey }), { trusted }), /issuer did not make/);
    expectRefusal(() => verifyXml(minted, { trusted: [other] }), /not trusted/);
  });

  it('does not read KeyInfo', () => {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const key = publicKey.export({ format: 'jwk' });
    const value = `<ds:RSAKeyValue><ds:Modulus>${key.n ?? ''}</ds:Modulus></ds:RSAKeyValue>`;
    const info = `<ds:KeyInfo><ds:KeyValue>${value}</ds:KeyValue></ds:KeyInfo>`;
    const xml = mintAssertion({ ...CONTENT, privateKey }).replace('</ds:Signature>', () => `${info}</ds:Signature>`);
    expectRefusal(() => verifyXml(xml), /issuer did not make/);
    expect(verifyXml(minted.replace('</ds:Signature>', () => `${info}</ds:Signature>`)).id).to.equal('_assertion-1');
  });

  it('refuses values that are not base64', () => {
    expectRefusal(() => verifyXml(minted.replace(/<ds:SignatureValue>./, '<ds:SignatureValue>\\')), /not base64/);
  });
});

describe('SAML conditions (H07)', () => {
  it('refuses an expired and a future assertion', () => {
    expectRefusal(() => verifyXml(minted, { now: new Date('2026-03-02T11:00:01Z') }), /expired/);
    expectRefusal(() => verifyXml(minted, { now: new Date('2026-03-02T09:57:59Z') }), /not yet valid/);
  });

  it('refuses another audience, a prefix of it, and none', () => {
    for (const audience of ['urn:example:other', AUDIENCE.slice(0, -1), `${AUDIENCE}/x`]) {
      expectRefusal(() => verifyXml(minted, { audience }), /another audience/);
    }
    const restriction = /<saml:AudienceRestriction>.*<\/saml:AudienceRestriction>/.exec(minted)?.[0] ?? '';
    expectRefusal(() => verifyXml(signed(restriction, '')), /no AudienceRestriction/);
  });

  it('refuses an assertion without an end, with a bad time or without conditions', () => {
    expectRefusal(
      () => verifyXml(signed(' NotOnOrAfter="2026-03-02T10:59:00.000Z"', '')),
      /no Conditions\/@NotOnOrAfter/,
    );
    expectRefusal(
      () => verifyXml(signed('NotOnOrAfter="2026-03-02T10', 'NotOnOrAfter="2026-13-02T10')),
      /time that is not valid/,
    );
    expectRefusal(
      () => verifyXml(signed('NotOnOrAfter="2026-03-02T10:59:00.000Z"', 'NotOnOrAfter="9999"')),
      /time that is not valid/,
    );
    const conditions = /<saml:Conditions.*<\/saml:Conditions>/.exec(minted)?.[0] ?? '';
    expectRefusal(() => verifyXml(signed(conditions, '')), /exactly one Conditions/);
  });

  it('refuses a confirmation that is not bearer or is over', () => {
    expectRefusal(() => verifyXml(signed('cm:bearer', 'cm:holder-of-key')), /no bearer/);
    const over =
      'cm:bearer"><saml:SubjectConfirmationData NotOnOrAfter="2026-03-02T09:00:00Z"/></saml:SubjectConfirmation>';
    expectRefusal(() => verifyXml(signed('cm:bearer"/>', over)), /expired/);
  });

  it('refuses an AuthnStatement that is missing, repeated, in the future or over', () => {
    const statement = /<saml:AuthnStatement.*<\/saml:AuthnStatement>/.exec(minted)?.[0] ?? '';
    const context = /<saml:AuthnContext>.*<\/saml:AuthnContext>/.exec(minted)?.[0] ?? '';
    expectRefusal(() => verifyXml(signed(statement, '')), /exactly one AuthnStatement/);
    expectRefusal(() => verifyXml(signed(statement, statement + statement)), /exactly one AuthnStatement/);
    expectRefusal(() => verifyXml(signed(context, context + context)), /exactly one AuthnContext/);
    expectRefusal(() => verifyXml(signed('AuthnInstant="2026', 'AuthnInstant="2027')), /not yet valid/);
    expectRefusal(
      () => verifyXml(signed('AuthnInstant=', 'SessionNotOnOrAfter="2026-03-02T09:00:00Z" AuthnInstant=')),
      /expired/,
    );
  });

  it('refuses another version and an element that is no assertion', () => {
    expectRefusal(() => verifyXml(signed('Version="2.0"', 'Version="1.1"')), /version 2.0/);
  });

  it('refuses a relative namespace, which has no canonical form', () => {
    expectRefusal(() => verifyXml(minted.replace('urn:hl7-org:v3', 'v3')), /cannot be canonicalised/);
  });

  it('answers any damage with a Fault of kind login', () => {
    fc.assert(
      fc.property(fc.nat(minted.length - 1), fc.integer({ min: 1, max: 40 }), (start, length) => {
        const damaged = minted.slice(0, start) + minted.slice(start + length);
        expect(refusedAs(damaged)).to.be.oneOf(['login', 'unparsed', 'unchanged']);
      }),
      { numRuns: 100 },
    );
  });
});
