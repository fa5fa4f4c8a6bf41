/** The form of a report is what its sender says of it, to the byte (FHIR R4 Attachment.size, .hash, base64Binary). */
import { createHash } from 'node:crypto';
import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Attachment, Bundle, DiagnosticReport } from '@medplum/fhirtypes';
import { expect } from 'chai';
import { expectOutcome } from '../support/clients/fhir-caller.ts';
import {
  aForm,
  aPdf,
  aReport,
  bytesAt,
  conditionOf,
  countOf,
  describeReports,
  documentsOf,
  sent,
  type ReportRegion,
} from './support/report-region.ts';

const WHOLE = aPdf('un document entier, qui dit ce qu’il pèse');
const SAID = { size: WHOLE.length, hash: createHash('sha1').update(WHOLE).digest('base64') };

/** Changes one byte in the middle. */
function altered(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes);
  copy[20] = (copy[20] ?? 0) ^ 1;
  return copy;
}

/** The files of the data folder that hold a PDF. */
async function pdfFiles({ server }: ReportRegion): Promise<readonly string[]> {
  const entries = await readdir(server.dataDir, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
  const begins = await Promise.all(
    files.map(async (path) => {
      const file = await open(path);
      const { buffer, bytesRead } = await file.read(Buffer.alloc(5), 0, 5, 0).finally(async () => await file.close());
      return buffer.subarray(0, bytesRead).equals(Buffer.from('%PDF-'));
    }),
  );
  return files.filter((_, at) => begins[at]);
}

const form = (data: string, said: Attachment = {}): Attachment => ({ ...aForm(''), data, ...said });
const base64 = (bytes: Buffer): string => bytes.toString('base64');

describeReports('The bytes of a report', {}, (region) => {
  const text = base64(WHOLE);
  const broken: readonly [name: string, form: Attachment, element: string][] = [
    ['a PDF that is cut, with size and hash of the whole', form(base64(WHOLE.subarray(0, 30)), SAID), 'size'],
    ['a PDF that is cut, with the hash of the whole', form(base64(WHOLE.subarray(0, 30)), { hash: SAID.hash }), 'hash'],
    ['a PDF that is cut, with the size of the whole', form(base64(WHOLE.subarray(0, 30)), { size: SAID.size }), 'size'],
    ['a PDF that was changed', form(base64(altered(WHOLE)), SAID), 'hash'],
    ['another size', form(text, { size: SAID.size + 1 }), 'size'],
    ['a size of none', form(text, { size: 0 }), 'size'],
    ['another hash', form(text, { hash: base64(Buffer.alloc(20)) }), 'hash'],
    ['a hash that is none', form(text, { hash: 'AAAA' }), 'hash'],
    ['characters that are not base64', form(`${text.slice(0, 12)}***${text.slice(12)}`), 'data'],
    ['the alphabet of URLs', form(`${text.slice(0, 12)}-_-_${text.slice(12)}`), 'data'],
    ['a group that is cut', form(text.slice(0, 21)), 'data'],
    ['something behind the padding', form(`${base64(WHOLE.subarray(0, 31))}${text.slice(0, 4)}`), 'data'],
    ['a space that is none of JSON', form(`${text.slice(0, 8)}\u00a0${text.slice(8)}`), 'data'],
    ['letters that look alike', form(`${text.slice(0, 4)}А${text.slice(5)}`), 'data'],
  ];

  for (const [name, presented, element] of broken) {
    it(`${name}: 422, nothing is filed and no file is left`, async () => {
      const report = aReport(region(), `broken/${name}`, { presentedForm: [presented] });
      const before = await pdfFiles(region());
      const good: DiagnosticReport = aReport(region(), `whole/${name}`);
      const bundle: Bundle = {
        resourceType: 'Bundle',
        type: 'transaction',
        entry: [good, report].map((resource) => ({ resource, request: { method: 'POST', url: 'DiagnosticReport' } })),
      };
      for (const answer of [
        await region().strasbourg.send('POST', 'DiagnosticReport', report),
        await region().strasbourg.send('PUT', `DiagnosticReport?${conditionOf(report)}`, report),
        await region().strasbourg.send('POST', '', bundle),
      ]) {
        expectOutcome(answer, 422, 'business-rule');
        expect(answer.text).to.include(`presentedForm[0].${element}`);
      }
      for (const one of [report, good])
        expect(await countOf(region().strasbourg, `DiagnosticReport?${conditionOf(one)}`)).to.equal(0);
      expect(await pdfFiles(region())).to.have.members(before);
    });
  }

  it('that are what is said of them are filed, with white space between groups too', async () => {
    const before = await pdfFiles(region());
    const spaced = (text.match(/.{1,8}/g) ?? []).join('\r\n ');
    for (const [at, presented] of [form(text, SAID), form(spaced, SAID), form(text)].entries()) {
      const id = await sent(region().strasbourg, aReport(region(), `whole-${at}`, { presentedForm: [presented] }));
      const [document] = await documentsOf(region().patient, id);
      const attachment = document?.content[0]?.attachment;
      expect([attachment?.size, attachment?.hash]).to.deep.equal([SAID.size, SAID.hash]);
      expect(await bytesAt(region().patient, attachment?.url)).to.equal(WHOLE.toString());
    }
    expect(await pdfFiles(region())).to.have.length(before.length + 3);
  });

  it('of a new version are looked at as well: the report stands as it was', async () => {
    const id = await sent(region().strasbourg, aReport(region(), 'stands'));
    const next = aReport(region(), 'stands', {
      status: 'amended',
      presentedForm: [form(base64(WHOLE.subarray(0, 30)), SAID)],
    });
    expectOutcome(await region().strasbourg.send('PUT', `DiagnosticReport/${id}`, { ...next, id }), 422);
    const standing = (await region().strasbourg.get(`DiagnosticReport/${id}`)).json<DiagnosticReport>();
    expect([standing.status, standing.meta?.versionId]).to.deep.equal(['final', '1']);
    expect(await documentsOf(region().patient, id)).to.have.length(1);
  });

  it('are a PDF, else 400', async () => {
    const page = form(base64(Buffer.from('<html>un compte rendu</html>')));
    expectOutcome(
      await region().strasbourg.send('POST', 'DiagnosticReport', aReport(region(), 'page', { presentedForm: [page] })),
      400,
      'invalid',
    );
  });
});
