import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { hasProgram, sample, sampleNames, samplePath } from '../../../profiles/dicom/samples.ts';
import { openClinic, type Clinic } from '../clinic.ts';
import type { ServedRouter } from '../served-router.ts';
import { readPage } from './documents.ts';
import { ask, serveDicomweb } from './door.ts';
import { addFile } from './files.ts';

/** What DCMTK calls the ways in which items belong together; here it is French. */
const EXPLAINED: ReadonlySet<string> = new Set([
  'Concept Modifier',
  'Observation Context',
  'Acquisition Context',
  'Selected from',
  'Inferred from',
  'Properties',
]);

/** How DCMTK's dump shows values that a reader must find: (tag) VR [value]. */
const VALUES = /\((?:0040,a160|0040,a30a|0008,0104)\) \w\w \[([^\]]*)\]/g;

/** A code of UCUM, up to its meaning. */
const UNITS = /\(0008,0102\) SH \[UCUM\][^]*?\(0008,0104\) LO \[[^\]]*\]/g;

/** Texts, numbers and meanings of codes of a report, as DCMTK reads them. */
function valuesByDCMTK(name: string): readonly string[] {
  const { stdout } = spawnSync('dcmdump', ['-q', '+L', '+U8', samplePath(name)], { encoding: 'utf8' });
  // A unit is told by its code, as in print.
  const content = stdout.slice(stdout.indexOf('ContentSequence')).replaceAll(UNITS, '');
  return [...content.matchAll(VALUES)].map(([, value = '']) => flat(value)).filter((value) => value !== '');
}

/** What stands between the tags of DCMTK's own page: words, in their order. */
function wordsByDCMTK(name: string): readonly string[] {
  const { stdout } = spawnSync('dsr2html', ['-q', '+U8', samplePath(name)], { encoding: 'utf8' });
  const body = stdout.slice(stdout.indexOf('<hr>'), stdout.lastIndexOf('<div class="footnote">'));
  // Of UCUM's unit 1 it prints the code, where what is counted is in the meaning.
  const spans = [...body.matchAll(/<span class="(?:code|num|text|under)">([^<]+)<\/span>/g)];
  return spans.map(([, text = '']) => flat(text).replace(/^([\d.]+) 1$/, '$1')).filter((text) => text !== '');
}

function flat(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim();
}

describe('WADO-RS rendered documents of published samples', function () {
  this.timeout(60_000);
  let clinic: Clinic;
  let door: ServedRouter;

  before(async function () {
    if (sampleNames().length === 0) this.skip();
    clinic = await openClinic();
    door = await serveDicomweb(clinic);
  });

  after(async () => {
    await door?.close();
    await clinic?.close();
  });

  async function rendered(name: string): Promise<{ readonly type: string; readonly body: Buffer }> {
    const file = await addFile(clinic, sample(name));
    const response = await ask(door, `${file.instance}/rendered`, 'lambert');
    const body = Buffer.from(await response.arrayBuffer());
    if (response.status !== 200) throw new Error(`${name}: ${response.status} ${body.toString()}`);
    return { type: response.headers.get('Content-Type') ?? '', body };
  }

  it('are pages with every text, number and code of a report', async function () {
    if (!hasProgram('dcmdump') || !hasProgram('dsr2html')) this.skip();
    let compared = 0;
    for (const name of sampleNames().filter((one) => /^(sr|kos)_/.test(one))) {
      const { type, body } = await rendered(name);
      expect(type).to.equal('text/html; charset=utf-8');
      const page = body.toString().replaceAll('<br/>', ' ');
      const read = flat(readPage(page).text);
      for (const value of [...valuesByDCMTK(name), ...wordsByDCMTK(name)]) {
        if (EXPLAINED.has(value)) continue;
        expect(read, `${name}: ${value}`).to.include(value);
        compared += 1;
      }
    }
    expect(compared).to.be.greaterThan(60);
  });

  it('are the PDF that DCMTK takes out, and a page of the CDA', async function () {
    const { type, body } = await rendered('encapsulated_pdf_synthetic.dcm');
    expect(type).to.equal('application/pdf');
    if (hasProgram('dcm2pdf')) {
      const folder = mkdtempSync(join(tmpdir(), 'passerelle-document-'));
      try {
        const target = join(folder, 'document.pdf');
        spawnSync('dcm2pdf', ['-q', samplePath('encapsulated_pdf_synthetic.dcm'), target]);
        expect(body).to.deep.equal(readFileSync(target));
      } finally {
        rmSync(folder, { recursive: true });
      }
    }
    const page = (await rendered('encapsulated_cda_synthetic.dcm')).body.toString();
    readPage(page);
    for (const piece of ['<h1>Compte rendu test</h1>', '<dd>Zoe LEVEQUE</dd>', '<dd>CR imagerie</dd>', '1980-01-01'])
      expect(page).to.include(piece);
  });
});
