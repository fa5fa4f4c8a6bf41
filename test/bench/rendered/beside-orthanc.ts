/**
 * Rendered frames and thumbnails beside Orthanc, by the same requests of DICOMweb. Orthanc has no thumbnail resources:
 * there a list is asked for by `rendered?viewport=128,128`.
 */
import { medianOf, msOf, type Row } from '../support/figures.ts';
import { ROUNDS } from '../support/rounds.ts';
import { askInTurn, askTogether, rowsOf, type Ask } from '../dicomweb/asking.ts';
import { missingPeers, ROOT, startOrthancWeb, startPasserelle, type Side } from '../dicomweb/sides.ts';
import { colourCine, compressedSlices, ctSlices, radiographs, type BenchInstance } from './images.ts';

const FIRST_BUDGET = 1;
const CACHED_BUDGET = 3;
const STUDIES = 24;
/** As many as a browser opens to one host. */
const CONNECTIONS = 6;
const ACCEPT = { Accept: 'image/jpeg' };

/** Measures; without the peer it says which one is missing. */
export async function measureBesideOrthanc(): Promise<readonly Row[]> {
  const missing = missingPeers();
  if (missing.length > 0) return [{ name: 'skipped', figures: { missing: missing.join(', ') } }];
  const sides: Side[] = [];
  try {
    sides.push(await startPasserelle({ asks: 'establishment' }), await startOrthancWeb());
    return [...(await firstFrames(sides)), ...(await thumbnails(sides))];
  } finally {
    for (const side of sides) await side.stop();
  }
}

async function firstFrames(sides: readonly Side[]): Promise<Row[]> {
  // As many again warm the servers up.
  const [few, many] = [2 * 6 * ROUNDS, 2 * 20 * ROUNDS];
  const rows: Row[] = [];
  const ct = ctSlices('bench-rendered-ct', many);
  rows.push(...(await firstOf(sides, 'CT 512 x 512', ct)));
  const asked = { path: `${ct[0]?.path}/rendered`, headers: ACCEPT };
  rows.push(...rowsOf('the same frame again', await askInTurn(sides, 100 * ROUNDS, () => asked), CACHED_BUDGET));
  rows.push(...(await firstOf(sides, 'CR 2048 x 2048', radiographs('bench-rendered-cr', few))));
  rows.push(...(await firstOf(sides, 'CT, JPEG-LS', await compressedSlices('bench-rendered-jls', many, 'jpegLs'))));
  // Orthanc has no decoder of JPEG 2000 without a further plugin.
  const jpeg2000 = await compressedSlices('bench-rendered-j2k', many, 'jpeg2000');
  rows.push(...(await firstOf(sides.slice(0, 1), 'CT, JPEG 2000', jpeg2000)));
  const cine = colourCine('bench-rendered-us', many);
  await fill(sides, [cine]);
  const frameAt = (at: number): Ask => ({ path: `${cine.path}/frames/${at + 1}/rendered`, headers: ACCEPT });
  rows.push(...rowsOf('US 640 x 480 in colour', await askInTurn(sides, many / 2, frameAt), FIRST_BUDGET));
  return rows;
}

/** Asks for the picture of each instance once. */
async function firstOf(sides: readonly Side[], title: string, instances: readonly BenchInstance[]): Promise<Row[]> {
  await fill(sides, instances);
  const askAt = (at: number): Ask => ({ path: `${instances[at]?.path}/rendered`, headers: ACCEPT });
  return rowsOf(title, await askInTurn(sides, instances.length / 2, askAt), FIRST_BUDGET);
}

async function thumbnails(sides: readonly Side[]): Promise<Row[]> {
  const lists = Array.from({ length: ROUNDS }, (_, round) =>
    Array.from({ length: STUDIES }, (_, at) => ctSlices(`bench-list-${round}-${at}`, 1)).flat(),
  );
  await fill(sides, lists.flat());
  const first = new Map<Side, number[]>(sides.map((side) => [side, []]));
  const again = new Map<Side, number[]>(sides.map((side) => [side, []]));
  for (const list of lists)
    for (const times of [first, again])
      for (const side of sides) {
        const resource = side.name === 'orthanc' ? 'rendered?viewport=128,128' : 'thumbnail';
        const askAt = (at: number): Ask => ({ path: `${list[at]?.path}/${resource}`, headers: ACCEPT });
        times.get(side)?.push((STUDIES * 1_000) / (await askTogether(side, CONNECTIONS, STUDIES, askAt)));
      }
  return [...listRows(`${STUDIES} thumbnails`, first), ...listRows('the same again', again)];
}

function listRows(title: string, times: ReadonlyMap<Side, readonly number[]>): Row[] {
  const [ours = []] = times.values();
  return [...times].map(([{ name }, each]) => ({
    name: `${title}: ${name}`,
    figures: {
      ms: msOf(medianOf(each)),
      ...(name === 'passerelle' ? {} : { ratio: msOf(medianOf(each) / medianOf(ours)) }),
    },
  }));
}

/** Stores instances on each side by STOW-RS. */
async function fill(sides: readonly Side[], instances: readonly BenchInstance[]): Promise<void> {
  const boundary = 'bench-rendered';
  for (const { port, headers, name } of sides)
    for (const { bytes } of instances) {
      const parts = [
        Buffer.from(`--${boundary}\r\nContent-Type: application/dicom\r\n\r\n`),
        bytes,
        Buffer.from(`\r\n--${boundary}--`),
      ];
      const type = `multipart/related; type="application/dicom"; boundary=${boundary}`;
      const response = await fetch(`http://127.0.0.1:${port}${ROOT}/studies`, {
        method: 'POST',
        headers: { ...headers, 'Content-Type': type, Accept: 'application/dicom+json' },
        body: Buffer.concat(parts),
      });
      await response.arrayBuffer();
      if (response.status !== 200) throw new Error(`${name} stores with ${response.status}`);
    }
}
