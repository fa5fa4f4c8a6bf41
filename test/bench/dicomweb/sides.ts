/** The two DICOMweb servers that are compared, filled alike, asked by the same client. */
import { existsSync } from 'node:fs';
import { ESTABLISHMENTS } from '../../../fixtures/people.ts';
import { clientToken, signIn } from '../../../fixtures/sign-in.ts';
import { startServer } from '../../support/server.ts';
import type { Receiver } from '../support/peer-process.ts';
import { startOrthanc } from '../support/orthanc.ts';
import { missingPrograms, wireEnv } from '../support/receivers.ts';

/** A server that runs: where it is asked, and where it takes instances. */
export type Side = {
  readonly name: 'passerelle' | 'orthanc';
  readonly port: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly receiver: Pick<Receiver, 'callingAE' | 'calledAE' | 'port'>;
  readonly pid: number;
  stop(): Promise<void>;
};

/** Both servers' address of DICOMweb. */
export const ROOT = '/dicom-web';

/** Where packages put Orthanc's plugin. */
const PLUGINS = ['/usr/share/orthanc/plugins/libOrthancDicomWeb.so', '/usr/lib/orthanc/libOrthancDicomWeb.so'];

/** What the comparison lacks on this machine. */
export function missingPeers(): string[] {
  return [...missingPrograms(['storescu', 'Orthanc']), ...(PLUGINS.some(existsSync) ? [] : ['orthanc-dicomweb'])];
}

/** Starts ours, access and audit on. The establishment's client asks, or the radiologist of a filled index. */
export async function startPasserelle(options: {
  readonly dataDir?: string;
  readonly asks: 'radiologist' | 'establishment';
  /** As of startServer. */
  readonly under?: readonly string[];
}): Promise<Side> {
  const { dataDir, asks, under = [] } = options;
  const server = await startServer({
    ...(dataDir === undefined ? {} : { dataDir }),
    under,
    env: { STUDY_QUIET_SECONDS: '60' },
  });
  const { aeTitle, clientId } = ESTABLISHMENTS.strasbourg;
  const token =
    asks === 'radiologist'
      ? await signIn({ url: server.url, person: 'demo-radiologist' })
      : await clientToken({ url: server.url, client: clientId });
  return {
    name: 'passerelle',
    port: Number(new URL(server.url).port),
    headers: { Authorization: `Bearer ${token}` },
    receiver: { callingAE: aeTitle, calledAE: server.dimse.aeTitle, port: server.dimse.port },
    pid: server.pid,
    stop: async () => void (await server.stop()),
  };
}

/** Starts Orthanc with its DICOMweb plugin, whose metadata are complete, and without access control. */
export async function startOrthancWeb(): Promise<Side> {
  const DicomWeb = { Enable: true, Root: `${ROOT}/`, StudiesMetadata: 'Full', SeriesMetadata: 'Full' };
  const orthanc = await startOrthanc(wireEnv(true), { Plugins: PLUGINS.filter(existsSync).slice(0, 1), DicomWeb });
  return {
    name: 'orthanc',
    port: orthanc.httpPort,
    headers: {},
    receiver: orthanc,
    pid: orthanc.pid,
    stop: async () => await orthanc.stop(),
  };
}
