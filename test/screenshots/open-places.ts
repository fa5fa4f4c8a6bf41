/** The servers that the pages are asked of. */
import { Fault } from '../../profiles/fault.ts';
import type { Account } from '../../server/ports/account-directory.ts';
import type { IdentityProvider } from '../../server/ports/identity-provider.ts';
import { startPages } from '../server/endpoints/pages/pages-server.ts';
import { startSmartServer } from '../support/smart-server.ts';
import { documentsExam, DRAWN, headOf } from '../support/viewing/exams.ts';
import { declare, publishExam, startViewing, type Viewing } from '../support/viewing/viewing.ts';
import { assembleStudy } from '../../fixtures/dicom/studies.ts';
import { chestRadiograph } from '../../fixtures/dicom/acquisitions.ts';
import type { Places } from './states.ts';

/** Two providers named as those of a region; nobody signs in at them. */
const PROVIDERS = ['Pro Santé Connect', 'eHealth Luxembourg'];

/** Of whom a patient opens the records beside her own. */
const REPRESENTED: readonly Account[] = [
  ['leo', 'Léo Valbrémont', '2014-03-02'],
  ['zelie', 'Zélie Valbrémont', '2017-11-20'],
].map(([id = '', name = '', birthDate = '']) => ({
  reference: `RelatedPerson/${id}`,
  display: 'Hélène Valbrémont',
  represents: { name, birthDate },
}));

/** Starts them and sends the exams; disposing ends them. */
export async function openPlaces(): Promise<AsyncDisposable & { readonly viewing: Viewing; readonly places: Places }> {
  await using stack = new AsyncDisposableStack();
  const viewing = stack.adopt(await startViewing(), async ({ server }) => void (await server.stop()));
  const failing = stack.use(await startPages({ isDemonstration: true }));
  const choice = stack.use(
    await startSmartServer({ identityProviders: () => PROVIDERS.map(silentProvider), onError: () => undefined }),
  );
  const records = stack.use(await startSmartServer({}, () => REPRESENTED));
  const exams = {
    ct: DRAWN.ct(),
    mr: DRAWN.mr(),
    cr: DRAWN.cr(),
    us: DRAWN.us(),
    flow: DRAWN.flow(),
    documents: await documentsExam(),
    bare: assembleStudy(headOf('view/bare', 'Radiographie de contrôle', '2025-12-09T11:05:00'), [chestRadiograph()]),
  };
  const reports = {
    ct: 'ct-thorax',
    mr: 'mr-head',
    cr: 'cr-chest',
    us: 'us-heart',
    flow: 'us-flow',
    documents: 'ct-thorax',
    bare: undefined,
  } as const;
  await Promise.all(
    Object.entries(exams).map(
      async ([key, exam]) => await publishExam(viewing, exam, reports[key as keyof Places['exams']]),
    ),
  );
  await declare(viewing);
  const urls = { choiceUrl: choice.url, recordsUrl: records.url, failingUrl: failing.url };
  const places = { url: viewing.server.url, ...urls, exams };
  const kept = stack.move();
  return { viewing, places, [Symbol.asyncDispose]: async () => await kept.disposeAsync() };
}

function silentProvider(name: string): IdentityProvider {
  const silent = async (): Promise<never> => await Promise.reject(new Fault('transient', 'Nobody is there'));
  return { name, begin: silent, complete: silent };
}
