/** Good instances between bad ones: each must be taken, and none of them may be lost. */
import { createHash } from 'node:crypto';
import { expect } from 'chai';
import { aStudy } from '../../../fixtures/dicom/a-study.ts';
import type { DemoInstance, DemoStudy } from '../../../fixtures/dicom/studies.ts';
import { clientToken } from '../../../fixtures/sign-in.ts';
import { partsOf, readReply } from '../../flows/support/door.ts';
import { eventually } from '../../support/clients/fhir-caller.ts';
import type { TestServer } from '../../support/server.ts';
import { rowsOfStudy } from '../kill/data-folder.ts';
import { dataSetOf } from '../kill/store-sender.ts';
import { associateModality, storeBytes } from './store.ts';

const MOST = 500;
const WHOLE = 'multipart/related; type="application/dicom"; transfer-syntax=*';

/** A study of Strasbourg that grows by one instance at a time. */
export class AcceptedStudy {
  readonly #study: DemoStudy;
  readonly #instances: Iterator<DemoInstance>;
  readonly #accepted: DemoInstance[] = [];

  constructor(key: string) {
    this.#study = aStudy({ key, instances: MOST });
    this.#instances = this.#study.instances()[Symbol.iterator]();
  }

  /** Stores the next instance, on an association of its own; it must be taken. */
  async grow(server: TestServer): Promise<void> {
    const next = this.#instances.next();
    if (next.done === true) throw new Error('The study has no more instances');
    const association = await associateModality(server);
    expect(
      await storeBytes(association, next.value.sopInstanceUID, dataSetOf(next.value.bytes)),
      'the next good instance',
    ).to.equal(0);
    association.socket.destroy();
    this.#accepted.push(next.value);
  }

  /** Expects that all that was taken stands, once, and comes back whole. */
  async expectWhole(server: TestServer): Promise<void> {
    expect(rowsOfStudy(server.dataDir, this.#study.studyInstanceUID)).to.have.members(
      this.#accepted.map(({ sopInstanceUID }) => sopInstanceUID),
    );
    const headers = {
      Authorization: `Bearer ${await clientToken({ url: server.url, client: 'demo-establishment' })}`,
      Accept: WHOLE,
    };
    const reply = await eventually(async () => {
      const one = await readReply(
        await fetch(`${server.url}/dicom-web/studies/${this.#study.studyInstanceUID}`, { headers }),
      );
      return one.status === 200 ? one : undefined;
    });
    expect(partsOf(reply).map(({ content }) => digestOf(content))).to.have.members(
      this.#accepted.map(({ bytes }) => digestOf(bytes)),
    );
  }
}

function digestOf(file: Uint8Array): string {
  return createHash('sha256').update(dataSetOf(file)).digest('hex');
}
