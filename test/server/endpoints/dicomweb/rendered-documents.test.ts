import { deflateRawSync } from 'node:zlib';
import { expect } from 'chai';
import { DICOM_UID } from '../../../../profiles/codes.ts';
import { openClinic, type Clinic } from '../clinic.ts';
import type { ServedRouter } from '../served-router.ts';
import { addWrapped, readPage } from './documents.ts';
import { ask, serveDicomweb } from './door.ts';
import { addFile, element, freshUIDs, part10, type StoredFile } from './files.ts';
import { partsOf } from './parts.ts';

const PDF = 'application/pdf';
const BROWSER = 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8';
const CDA = '104.2';
const ENCAPSULATED_PDF = '104.1';

/** A PDF of a length; nobody looks further than its beginning. */
function pdf(length: number): Buffer {
  return Buffer.concat([Buffer.from('%PDF-1.7\n'), Buffer.alloc(length - 9, 'a')]);
}

function cda(body: string, header = ''): Buffer {
  return Buffer.from(
    `<?xml version="1.0" encoding="UTF-8"?><ClinicalDocument xmlns="urn:hl7-org:v3"><title>Compte rendu</title>` +
      `${header}<component>${body}</component></ClinicalDocument>`,
  );
}

function section(text: string, title = 'Conclusion'): string {
  const within = `<section><title>${title}</title><text>${text}</text></section>`;
  return `<structuredBody><component>${within}</component></structuredBody>`;
}

function wrapped(mediaType: string, content: Buffer): Buffer {
  return cda(
    `<nonXMLBody><text mediaType="${mediaType}" representation="B64">${content.toString('base64')}</text></nonXMLBody>`,
  );
}

describe('WADO-RS rendered encapsulated documents (PS3.18 8.7.4)', function () {
  this.timeout(30_000);
  let clinic: Clinic;
  let door: ServedRouter;

  before(async () => {
    clinic = await openClinic();
    door = await serveDicomweb(clinic);
  });

  after(async () => {
    await door.close();
    await clinic.close();
  });

  async function asked(file: StoredFile, accept = '*/*', token = 'lambert'): Promise<Response> {
    return await ask(door, `${file.instance}/rendered`, token, { Accept: accept });
  }

  async function status(file: StoredFile, accept = '*/*', token = 'lambert'): Promise<number> {
    const response = await asked(file, accept, token);
    await response.arrayBuffer();
    return response.status;
  }

  async function bytesOf(file: StoredFile, accept = '*/*'): Promise<Buffer> {
    const response = await asked(file, accept);
    const body = Buffer.from(await response.arrayBuffer());
    if (response.status !== 200) throw new Error(`${response.status} ${body.toString()}`);
    return body;
  }

  async function pageOf(document: Buffer): Promise<string> {
    const page = (await bytesOf(await addWrapped(clinic, CDA, document))).toString();
    readPage(page);
    return page;
  }

  describe('a PDF', () => {
    it('is itself, alone or as a part, and no page or picture', async () => {
      const file = await addWrapped(clinic, ENCAPSULATED_PDF, pdf(5_001));
      for (const accept of ['*/*', BROWSER, PDF, 'application/*']) {
        const response = await asked(file, accept);
        expect(response.headers.get('Content-Type'), accept).to.equal(PDF);
        expect(response.headers.get('Content-Length')).to.equal('5001');
        expect(response.headers.get('X-Content-Type-Options')).to.equal('nosniff');
        expect(response.headers.get('Content-Security-Policy')).to.include("default-src 'none'");
        expect(Buffer.from(await response.arrayBuffer())).to.deep.equal(pdf(5_001));
      }
      const [part] = await partsOf(await asked(file, `multipart/related; type="${PDF}"`), PDF);
      expect(part?.content).to.deep.equal(pdf(5_001));
      for (const accept of ['text/html', 'image/jpeg', 'multipart/related; type="text/html"'])
        expect(await status(file, accept), accept).to.equal(406);
      for (const [token, expected] of [
        ['stranger', 404],
        ['weak', 403],
      ] as const)
        expect(await status(file, PDF, token)).to.equal(expected);
    });

    it('is as long as it says, where that can be; its padding is no part of it', async () => {
      const lengths = [
        [4_999, 0],
        [4_999, 4_999],
        [5_000, 5_000],
        [4_999, 17],
        [4_999, 4_000_000_000],
        [4_999, 4_998],
      ];
      for (const [length = 0, given] of lengths)
        expect(await bytesOf(await addWrapped(clinic, ENCAPSULATED_PDF, pdf(length), given)), `${given}`).to.deep.equal(
          pdf(length),
        );
    });

    it('is sent from where it is stored when it is large, and found in a deflated data set', async () => {
      const large = pdf(3_000_001);
      expect((await bytesOf(await addWrapped(clinic, ENCAPSULATED_PDF, large))).equals(large)).to.equal(true);
      const uids = freshUIDs();
      const sopClassUID = DICOM_UID.encapsulatedPdf;
      const dataSet = Buffer.concat([
        element(0x00080016, 'UI', `${sopClassUID}\0`),
        element(0x00080018, 'UI', uids.sop.length % 2 ? `${uids.sop}\0` : uids.sop),
        element(0x00420011, 'OB', Buffer.concat([pdf(5_001), Buffer.alloc(1)])),
        element(0x00420015, 'UL', Buffer.from(Uint32Array.of(5_001).buffer)),
      ]);
      const syntax = DICOM_UID.deflatedExplicitLittleEndian;
      const file = await addFile(clinic, part10(deflateRawSync(dataSet), uids.sop, syntax, sopClassUID), uids);
      expect(await bytesOf(file)).to.deep.equal(pdf(5_001));
    });

    it('that is something else is not sent', async () => {
      for (const content of ['<html><script>alert(1)</script></html>', ' %PDF-1.7', '%PD', '\0\0'])
        expect(await status(await addWrapped(clinic, ENCAPSULATED_PDF, Buffer.from(content))), content).to.equal(406);
      expect(await status(await addWrapped(clinic, '104.3', Buffer.from('solid')))).to.equal(406);
    });
  });

  describe('a CDA', () => {
    it('is a page of its header and narrative', async () => {
      const person = (name: string): string => `<assignedPerson><name>${name}</name></assignedPerson>`;
      const header =
        '<code code="1" displayName="CR d’imagerie"/><effectiveTime value="20240115101500+0100"/>' +
        '<languageCode code="fr-FR"/><recordTarget><patientRole><id extension="INS1" root="1.2.3"/><patient><name>' +
        '<given>Zoé</given><family>Lévêque</family></name><administrativeGenderCode code="F"/>' +
        '<birthTime value="19800101"/></patient></patientRole></recordTarget><author><time value="20240115"/>' +
        `<assignedAuthor>${person('<prefix>Dr</prefix><family>Durand</family>')}</assignedAuthor></author>` +
        '<custodian><assignedCustodian><representedCustodianOrganization><name>Hôpital</name>' +
        '</representedCustodianOrganization></assignedCustodian></custodian>';
      const text =
        '<paragraph>Une <content styleCode="Bold">lésion</content><br/>de 3 cm<sup>3</sup></paragraph>' +
        '<list listType="ordered"><caption>Avis</caption><item>Un</item><item>Deux</item></list>' +
        '<table border="1" onclick="x()"><caption>Mesures</caption><thead><tr><th scope="col">A</th></tr></thead>' +
        '<tbody><tr><td colspan="2" style="color:red">B</td></tr></tbody></table>' +
        '<linkHtml href="https://example.org/a?b=1&amp;c=2">lien</linkHtml><renderMultiMedia referencedObject="M1"/>' +
        '<content revised="delete">retiré</content>';
      const within = '<component><section><title>Détail</title><text>dedans</text></section></component>';
      const body = section(text).replace('</section>', `${within}</section>`);
      const file = await addWrapped(clinic, CDA, cda(body, header));
      const response = await asked(file, BROWSER);
      expect(response.headers.get('Content-Type')).to.equal('text/html; charset=utf-8');
      expect(response.headers.get('Content-Security-Policy')).to.match(/^sandbox; default-src 'none';/);
      const page = await response.text();
      readPage(page);
      for (const piece of [
        '<h1>Compte rendu</h1>',
        '<dd>Zoé Lévêque</dd>',
        '<dd>1980-01-01</dd>',
        '<dd>INS1 (1.2.3)</dd>',
        '<dt>Date du document</dt><dd>2024-01-15 10:15:00 +01:00</dd>',
        '<dt>Auteur</dt><dd>Dr Durand, 2024-01-15</dd>',
        '<dt>Conservé par</dt><dd>Hôpital</dd>',
        '<main lang="fr-FR">',
        '<h2>Conclusion</h2>',
        '<p>Une <strong>lésion</strong><br/>de 3 cm<sup>3</sup></p>',
        '<p><strong>Avis</strong></p><ol><li>Un</li><li>Deux</li></ol>',
        '<table><caption>Mesures</caption><thead><tr><th scope="col">A</th></tr></thead>',
        '<tr><td colspan="2">B</td></tr>',
        '<a href="https://example.org/a?b=1&#38;c=2" rel="noopener noreferrer">lien</a>',
        '<em>[Contenu multimédia non affiché]</em>',
        '<del>retiré</del>',
        '<h3>Détail</h3>dedans',
      ])
        expect(page).to.include(piece);
      expect(await status(file, 'image/jpeg')).to.equal(406);
      expect(await status(file, PDF)).to.equal(406);
    });

    it('lets nothing run that its text holds', async () => {
      const page = await pageOf(
        cda(
          section(
            '<script>alert(1)</script><paragraph onclick="alert(2)" style="x">a</paragraph>' +
              '<linkHtml href="javascript:alert(3)">b</linkHtml>' +
              '<linkHtml href=" java&#10;script:alert(4)">c</linkHtml>' +
              '<linkHtml href="data:text/html,alert(5)"/><linkHtml href="//evil.example/x">d</linkHtml>' +
              '<img xmlns="http://www.w3.org/1999/xhtml" src="x" onerror="alert(6)"/>' +
              '<svg xmlns="http://www.w3.org/2000/svg" onload="alert(7)"><script>alert(8)</script>e</svg>' +
              '<iframe src="https://evil.example">f</iframe><form action="x"><input/>g</form>' +
              '<td colspan="999999" rowspan="-1">h</td><content styleCode="Bold&quot; onclick=&quot;x">i</content>' +
              '<constructor>j</constructor><![CDATA[<b onclick="alert(9)">k</b>]]>' +
              '&lt;script&gt;alert(10)&lt;/script&gt;',
            '&lt;img src=x onerror=alert(11)&gt;',
          ),
        ),
      );
      for (const piece of [
        '<script',
        '<img',
        '<svg',
        '<iframe',
        '<form',
        '<b ',
        'href',
        'alert(1)',
        'alert(8)',
        'colspan',
      ])
        expect(page).not.to.include(piece);
      for (const piece of ['<p>a</p>', 'b', 'c', 'd', 'e', 'g', '<td>h</td>', 'j', '&#60;script&#62;alert(10)'])
        expect(page).to.include(piece);
    });

    it('is refused when its XML is no XML, or would cost too much', async () => {
      const bomb = `<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">${'bcdefghi'
        .split('')
        .map((name, at) => `<!ENTITY ${name} "${`&${'abcdefghi'[at]};`.repeat(10)}">`)
        .join('')}]>`;
      const plain = cda(section('a')).toString();
      const bad = [
        plain.replace('?>', '?><!DOCTYPE html>'),
        plain.replace('?>', `?>${bomb}`).replace('<text>a', '<text>&i;'),
        plain.replace('<text>', '<text>&unknown;'),
        plain.replace('</text>', ''),
        plain.replace('urn:hl7-org:v3', 'urn:other'),
        plain
          .replace('<text>', `<text>${'<content>'.repeat(100)}`)
          .replace('</text>', `${'</content>'.repeat(100)}</text>`),
        '<html><script>alert(1)</script></html>',
        '%PDF-1.7',
      ];
      for (const document of bad)
        expect(await status(await addWrapped(clinic, CDA, Buffer.from(document))), document).to.equal(406);
    });

    it('that wraps a PDF is that PDF, and nothing else that calls itself one', async () => {
      const file = await addWrapped(clinic, CDA, wrapped(PDF, pdf(10_001)));
      expect(await bytesOf(file, BROWSER)).to.deep.equal(pdf(10_001));
      expect((await asked(file, PDF)).headers.get('Content-Type')).to.equal(PDF);
      expect(await status(file, 'text/html')).to.equal(406);
      expect(await status(await addWrapped(clinic, CDA, wrapped(PDF, Buffer.from('<script>'))))).to.equal(406);
      expect(await pageOf(wrapped('text/plain', Buffer.from('é <b>\nfin')))).to.include('<p>é &#60;b&#62;<br/>fin</p>');
      expect(await pageOf(wrapped('image/tiff', Buffer.from('II')))).to.include(
        '[Contenu de type image/tiff, non affiché]',
      );
    });
  });
});
