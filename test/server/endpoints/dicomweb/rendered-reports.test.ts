import { expect } from 'chai';
import { DICOM_UID } from '../../../../profiles/codes.ts';
import { parseFileMeta } from '../../../../profiles/dicom/file/file-meta.ts';
import { renderDocument } from '../../../../server/rendering/render-document.ts';
import { openClinic, type Clinic } from '../clinic.ts';
import type { ServedRouter } from '../served-router.ts';
import { addReport, code, content, note, readPage, sequence, text } from './documents.ts';
import { ask, BASE_URL, serveDicomweb } from './door.ts';
import { addFile, element, freshUIDs, imageDataSet, part10, type StoredFile } from './files.ts';
import { partsOf } from './parts.ts';

const BROWSER = 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8';
const SCRIPT = '<script>alert(1)</script><img src=x onerror=alert(2)>"\'&\u0001\u202e';

describe('WADO-RS rendered structured reports (PS3.18 8.7.4)', function () {
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

  async function shown(file: StoredFile, accept = 'text/html'): Promise<string> {
    const response = await ask(door, `${file.instance}/rendered`, 'lambert', { Accept: accept });
    const body = await response.text();
    if (response.status !== 200) throw new Error(`${response.status} ${body}`);
    return body;
  }

  async function refused(path: string, accept = 'text/html', token = 'lambert'): Promise<[number, string]> {
    const response = await ask(door, path, token, { Accept: accept });
    return [response.status, await response.text()];
  }

  it('show who the patient is, how far the report is, and its content by headings and lists', async () => {
    const measured = sequence(
      0x0040a300,
      Buffer.concat([code(0x004008ea, 'millimètre', 'mm', 'UCUM'), text(0x0040a30a, 'DS', '12.5')]),
    );
    const image = Buffer.concat([
      text(0x00081150, 'UI', `${DICOM_UID.storageClassPrefix}2`),
      text(0x00081155, 'UI', '1.2.3.4'),
      text(0x00081160, 'IS', '2\\3'),
    ]);
    const observer = Buffer.concat([
      text(0x0040a027, 'LO', 'Clinique'),
      text(0x0040a030, 'DT', '20240115101500+0100'),
      text(0x0040a075, 'PN', 'Lambert^Luc^^Dr'),
    ]);
    const size = content(
      'CONTAINS',
      'NUM',
      'Diamètre',
      [measured],
      [content('INFERRED FROM', 'IMAGE', undefined, [sequence(0x00081199, image)])],
    );
    const file = await addReport(clinic, {
      title: 'Scanner du thorax',
      flags: [sequence(0x0040a073, observer), text(0x0040a491, 'CS', 'COMPLETE'), text(0x0040a493, 'CS', 'VERIFIED')],
      items: [
        content('HAS OBS CONTEXT', 'PNAME', 'Observateur', [text(0x0040a123, 'PN', 'Durand^Zoé')]),
        content(
          'CONTAINS',
          'CONTAINER',
          'Résultats',
          [],
          [
            note('Une lésion\r\nà droite'),
            size,
            content(
              'CONTAINS',
              'CONTAINER',
              'Détail',
              [],
              [
                content('CONTAINS', 'CODE', 'Siège', [code(0x0040a168, 'Lobe supérieur')]),
                content('CONTAINS', 'DATE', 'Jour', [text(0x0040a121, 'DA', '20240115')]),
                content('CONTAINS', 'TIME', 'Heure', [text(0x0040a122, 'TM', '101500')]),
                content('CONTAINS', 'DATETIME', 'Moment', [text(0x0040a120, 'DT', '202401151015')]),
                content('CONTAINS', 'UIDREF', 'Renvoi', [text(0x0040a124, 'UI', '1.2.840.1')]),
              ],
            ),
          ],
        ),
        content('CONTAINS', 'HOLOGRAM', 'Inconnu'),
      ],
    });
    const page = await shown(file);
    readPage(page);
    for (const piece of [
      '<title>Scanner du thorax</title>',
      '<dt>Patient</dt><dd>Anne Essai</dd>',
      '<dt>Date de naissance</dt><dd>1980-01-02</dd>',
      '<dt>Identifiant du patient</dt><dd>pat-1</dd>',
      '<dd>complet (COMPLETE)</dd>',
      '<dd>validé (VERIFIED)</dd>',
      '<dd>Dr Luc Lambert, Clinique, 2024-01-15 10:15:00 +01:00</dd>',
      '<em>Contexte d’observation</em> – <strong>Observateur</strong> : Zoé Durand',
      '<h2>Résultats</h2>',
      '<h3>Détail</h3>',
      '<strong>Note</strong> : Une lésion<br/>à droite',
      '<strong>Diamètre</strong> : 12.5 mm<ul><li><em>Déduit de</em> – Image 1.2.3.4, image 2, 3</li>',
      '<strong>Siège</strong> : Lobe supérieur',
      '<strong>Jour</strong> : 2024-01-15',
      '<strong>Heure</strong> : 10:15:00',
      '<strong>Moment</strong> : 2024-01-15 10:15',
      '<strong>Renvoi</strong> : 1.2.840.1',
      '[contenu de type HOLOGRAM, non affiché]',
    ])
      expect(page).to.include(piece);
  });

  it('are a page that runs nothing, alone as a browser asks for it, or a part', async () => {
    const file = await addReport(clinic, { items: [note('Rien')] });
    for (const accept of ['*/*', BROWSER, 'text/*', 'image/jpeg;q=0.5, text/html;q=0.1']) {
      const response = await ask(door, `${file.instance}/rendered`, 'lambert', { Accept: accept });
      expect(response.status, accept).to.equal(200);
      expect(response.headers.get('Content-Type')).to.equal('text/html; charset=utf-8');
      expect(response.headers.get('Content-Location')).to.equal(`${BASE_URL}${file.instance}/rendered`);
      expect(response.headers.get('Content-Security-Policy')).to.match(/^sandbox; default-src 'none';/);
      expect(response.headers.get('X-Content-Type-Options')).to.equal('nosniff');
      expect(response.headers.get('Referrer-Policy')).to.equal('no-referrer');
      expect(response.headers.get('Content-Length')).to.equal(String((await response.arrayBuffer()).byteLength));
    }
    for (const accept of ['multipart/related; type="text/html"', 'multipart/related']) {
      const response = await ask(door, `${file.instance}/rendered`, 'lambert', { Accept: accept });
      const [part, ...others] = await partsOf(response, 'text/html');
      expect([part?.type, others.length]).to.deep.equal(['text/html; charset=utf-8', 0]);
      readPage(part?.content.toString() ?? '');
    }
  });

  it('are no picture, and a picture is no page', async () => {
    const report = await addReport(clinic, { items: [note('Rien')] });
    for (const accept of ['image/jpeg', 'image/*', 'application/pdf', 'multipart/related; type="image/png"']) {
      const [status, message] = await refused(`${report.instance}/rendered`, accept);
      expect(status, accept).to.equal(406);
      expect(message).to.include('This instance is no picture: it is sent as text/html');
    }
    const uids = freshUIDs();
    const image = imageDataSet(uids, { rows: 1, columns: 2, bits: 8 }, element(0x7fe00010, 'OW', Buffer.of(1, 2)));
    const picture = await addFile(clinic, part10(image, uids.sop, DICOM_UID.explicitLittleEndian), uids);
    for (const accept of ['text/html', 'application/pdf', 'text/plain'])
      expect((await refused(`${picture.instance}/rendered`, accept))[0], accept).to.equal(406);
    expect((await refused(`${picture.instance}/rendered`, BROWSER))[0]).to.equal(200);
    for (const path of [report.study, report.series])
      for (const accept of ['*/*', 'text/html', 'multipart/related; type="text/html"'])
        expect((await refused(`${path}/rendered`, accept))[0], `${path} ${accept}`).to.equal(406);
  });

  it('tell of what a number is, in the unit of its report', async () => {
    const units: readonly (readonly [string, string, string, string])[] = [
      ['mm', 'millimètre', 'UCUM', '7 mm'],
      ['1', 'px', 'UCUM', '7 px'],
      ['1', 'no units', 'UCUM', '7'],
      ['{ratio}', 'rapport', 'UCUM', '7 rapport'],
      ['cm', 'Longueur', '99TEST', '7 cm (Longueur)'],
    ];
    const items = units.map(([value, meaning, scheme]) => {
      const unit = code(0x004008ea, meaning, value, scheme);
      const measured = sequence(0x0040a300, Buffer.concat([unit, text(0x0040a30a, 'DS', '7')]));
      return content('CONTAINS', 'NUM', 'Mesure', [measured]);
    });
    const missing = content('CONTAINS', 'NUM', 'Mesure', [sequence(0x0040a300), code(0x0040a301, 'non mesurable')]);
    const page = await shown(await addReport(clinic, { items: [...items, missing] }));
    const read = [...page.matchAll(/<strong>Mesure<\/strong> : ([^<]*)</g)].map(([, value]) => value);
    expect(read).to.deep.equal([...units.map(([, , , expected]) => expected), 'non mesurable']);
  });

  it('list what a key object selection refers to', async () => {
    const image = (uid: string): Buffer =>
      content('CONTAINS', 'IMAGE', undefined, [sequence(0x00081199, text(0x00081155, 'UI', uid))]);
    const file = await addReport(
      clinic,
      { title: 'Choix', items: [note('À voir'), image('1.2.3'), image('1.2.4')] },
      '88.59',
    );
    const page = await shown(file, '*/*');
    for (const piece of ['<h1>Choix</h1>', 'À voir', '<li>Image 1.2.3</li>', '<li>Image 1.2.4</li>'])
      expect(page).to.include(piece);
  });

  it('escape every value, whatever it holds', async () => {
    const file = await addReport(clinic, {
      title: SCRIPT,
      patientName: `${SCRIPT.replaceAll('\\', '')}^<b>Anne</b>`,
      flags: [text(0x0040a491, 'CS', SCRIPT), text(0x0040a492, 'LO', SCRIPT)],
      items: [
        note(SCRIPT, SCRIPT),
        content('CONTAINS', 'CODE', SCRIPT, [code(0x0040a168, SCRIPT, SCRIPT, SCRIPT)]),
        content('CONTAINS', SCRIPT, SCRIPT),
        content(SCRIPT, 'CONTAINER', SCRIPT, [], [note(SCRIPT)]),
        content('CONTAINS', 'DATE', SCRIPT, [text(0x0040a121, 'DA', SCRIPT)]),
        content('CONTAINS', 'UIDREF', SCRIPT, [text(0x0040a124, 'UI', SCRIPT)]),
        content('CONTAINS', 'PNAME', SCRIPT, [text(0x0040a123, 'PN', SCRIPT)]),
        content('CONTAINS', 'IMAGE', SCRIPT, [sequence(0x00081199, text(0x00081155, 'UI', SCRIPT))]),
        content('CONTAINS', 'SCOORD', SCRIPT, [text(0x00700023, 'CS', SCRIPT)]),
      ],
    });
    const page = await shown(file);
    expect(page).not.to.match(/<script|<img|<b>/);
    const { text: read } = readPage(page);
    expect(read.split('<script>alert(1)</script><img src=x onerror=alert(2)>').length).to.be.greaterThan(15);
    for (const unshowable of ['\u0001', '\u202e']) expect(read).not.to.include(unshowable);
  });

  it('follow a reference to another item of the report', async () => {
    const target = Buffer.from(Uint32Array.of(1, 1).buffer);
    const file = await addReport(clinic, {
      items: [
        note('Une masse', 'Lésion'),
        content(
          'CONTAINS',
          'TEXT',
          'Avis',
          [text(0x0040a160, 'UT', 'Bénin')],
          [Buffer.concat([text(0x0040a010, 'CS', 'INFERRED FROM'), element(0x0040db73, 'UL', target)])],
        ),
      ],
    });
    const page = await shown(file);
    expect(page).to.include('<li id="c1.1"><strong>Lésion</strong>');
    expect(page).to.include('<a href="#c1.1">voir : Lésion</a>');
  });

  it('are shown whole with 5,000 items, and marked as cut with more than 10,000 or nested 60 deep', async () => {
    const items = (count: number): Buffer[] => Array.from({ length: count }, (_, at) => note(`v${at}`));
    const many = await shown(await addReport(clinic, { items: items(5_000) }));
    expect(many).to.include('v4999</li>').and.not.include('Affichage incomplet');
    const short = (at: number): Buffer => content('CONTAINS', 'TEXT', undefined, [text(0x0040a160, 'UT', `v${at}`)]);
    const most = Array.from({ length: 10_100 }, (_, at) => short(at));
    const more = await shown(await addReport(clinic, { items: most }));
    expect(more).to.include('Affichage incomplet').and.include('[Suite non affichée]').and.not.include('v10000<');
    for (const type of ['CONTAINER', 'TEXT']) {
      let nested = note('tout au fond');
      for (let depth = 60; depth > 0; depth -= 1) nested = content('CONTAINS', type, `n${depth}-`, [], [nested]);
      const deep = await shown(await addReport(clinic, { items: [nested] }));
      readPage(deep);
      expect(deep).to.include('n30-').and.include('Affichage incomplet').and.not.include('tout au fond');
    }
  });

  it('are refused when they are larger than 2 MB, and when they are cut', async () => {
    const large = await addReport(clinic, { items: Array.from({ length: 12 }, () => note('x'.repeat(200_000))) });
    const [status, message] = await refused(`${large.instance}/rendered`);
    expect(status).to.equal(406);
    expect(message).to.include('2097152');
    // A text that is bulk data may not end the reading of a report in silence.
    const bulk = await addReport(clinic, {
      items: [note('fin')],
      flags: [text(0x00091010, 'UT', 'x'.repeat(3_000_000))],
    });
    expect((await refused(`${bulk.instance}/rendered`))[0]).to.equal(406);

    const uids = freshUIDs();
    const dataSet = sequence(0x0040a730, note('Rien'));
    const bytes = part10(dataSet, uids.sop, DICOM_UID.explicitLittleEndian).subarray(0, -9);
    const writer = await clinic.images.create();
    await writer.write(bytes);
    const instance = { blob: await writer.finish(), ...parseFileMeta(bytes) };
    const render = renderDocument(clinic.images);
    const error = await render({ instance, document: 'structured-report' }).catch((reason: unknown) => reason);
    expect(error).to.include({ name: 'Fault', kind: 'invalid' });
  });

  it('are absent for whoever may not see the study, and each viewing is recorded', async () => {
    const file = await addReport(clinic, { items: [note('Rien')] });
    const path = `${file.instance}/rendered`;
    expect((await refused(path, 'text/html', 'stranger'))[0]).to.equal(404);
    expect((await refused(path, 'text/html', 'weak'))[0]).to.equal(403);
    expect((await refused(path))[0]).to.equal(200);
    const events = await clinic.events(clinic.anne, 'RAD-107');
    expect(JSON.stringify(events[0])).to.include(file.uids.study);
    await clinic.withdraw();
    expect((await refused(path))[0]).to.equal(404);
    expect((await refused(path, 'image/jpeg'))[0]).to.equal(404);
  });
});
