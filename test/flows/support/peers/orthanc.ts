/** Orthanc as a peer that forwards: files are put into it by its REST API, and it sends each on. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { eventually } from '../../../support/clients/fhir-caller.ts';
import type { Sending, Verdict } from './sending.ts';
import { freePort } from '../../../support/free-port.ts';

type Answer = {
  readonly ID?: string;
  readonly FailedInstancesCount?: number;
  readonly Details?: string;
  readonly Message?: string;
};

/** Starts an Orthanc, gives it the files and has it send each to `to`. */
export async function forwardByOrthanc({
  files,
  scratch,
  to,
  aeTitle,
}: Sending): Promise<ReadonlyMap<string, Verdict>> {
  const port = await freePort();
  const folder = join(scratch, `orthanc-${port}`);
  await mkdir(folder);
  const config = {
    StorageDirectory: folder,
    IndexDirectory: folder,
    HttpPort: port,
    DicomServerEnabled: false,
    DicomAet: aeTitle,
    AuthenticationEnabled: false,
    RemoteAccessAllowed: false,
    Plugins: [],
    DicomModalities: { peer: [to.aeTitle, to.host, to.port] },
  };
  await writeFile(join(folder, 'orthanc.json'), JSON.stringify(config));
  const child = spawn('Orthanc', [join(folder, 'orthanc.json')], {
    stdio: 'ignore',
    env: { ...process.env, TCP_NODELAY: '1' },
  });
  try {
    await eventually(
      async () =>
        await fetch(`http://127.0.0.1:${port}/system`).then(
          ({ ok }) => ok || undefined,
          () => undefined,
        ),
    );
    const verdicts = new Map<string, Verdict>();
    for (const { name, bytes } of files) verdicts.set(name, await forward(port, bytes));
    return verdicts;
  } finally {
    child.kill('SIGTERM');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  }
}

async function forward(port: number, bytes: Buffer): Promise<Verdict> {
  const put = await post(port, 'instances', new Uint8Array(bytes));
  if (put.ID === undefined) return { notSent: put.Details ?? put.Message ?? 'It is not taken' };
  const sent = await post(port, 'modalities/peer/store', JSON.stringify({ Resources: [put.ID], Synchronous: true }));
  return sent.FailedInstancesCount === 0
    ? { status: 0 }
    : { notSent: sent.Details ?? sent.Message ?? 'It is not sent' };
}

async function post(port: number, path: string, body: Uint8Array<ArrayBuffer> | string): Promise<Answer> {
  const response = await fetch(`http://127.0.0.1:${port}/${path}`, { method: 'POST', body });
  const text = await response.text();
  return text.startsWith('{') ? (JSON.parse(text) as Answer) : { Message: `${response.status}` };
}
