/**
 * Orthanc as it is configured by default, open to every sender of this machine, with the plugins that are asked for.
 */
import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../support/free-port.ts';
import { listening, type Receiver } from './peer-process.ts';

/** Orthanc's DICOM and HTTP doors. */
export type Orthanc = Receiver & { readonly httpPort: number };

/** Starts it on free ports, in a folder of its own. `settings` are further members of its configuration. */
export async function startOrthanc(
  env: NodeJS.ProcessEnv,
  settings: Readonly<Record<string, unknown>> = {},
): Promise<Orthanc> {
  const folder = await mkdtemp(join(tmpdir(), 'passerelle-orthanc-'));
  const [port, httpPort] = [await freePort(), await freePort()];
  const config = {
    Name: 'bench',
    StorageDirectory: join(folder, 'storage'),
    IndexDirectory: join(folder, 'storage'),
    HttpPort: httpPort,
    DicomPort: port,
    AuthenticationEnabled: false,
    RemoteAccessAllowed: false,
    DicomAlwaysAllowStore: true,
    Plugins: [],
    ...settings,
  };
  await mkdir(config.StorageDirectory);
  await writeFile(join(folder, 'orthanc.json'), JSON.stringify(config));
  const child = spawn('Orthanc', [join(folder, 'orthanc.json')], { stdio: 'ignore', env });
  return { ...(await listening(child, folder, { port, calledAE: 'ORTHANC' })), httpPort };
}
