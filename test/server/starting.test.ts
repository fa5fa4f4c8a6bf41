/** How the server ends when it cannot begin. */
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { expect } from 'chai';
import { startServer } from '../support/server.ts';

describe('A server that cannot start', function () {
  this.timeout(30_000);
  let other: Server;
  let port: string;

  before(async () => {
    other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    port = String((other.address() as AddressInfo).port);
  });
  after((done) => {
    other.close(done);
  });

  for (const variable of ['HTTP_PORT', 'DIMSE_PORT']) {
    it(`ends with an error and names ${variable}, when another process has its port`, async () => {
      const error = await startServer({ env: { [variable]: port } }).then(
        async (server) => await server.stop().then(() => undefined),
        (reason: unknown) => reason,
      );
      expect(String(error))
        .to.include('ended with 1')
        .and.include(`Port ${port} is taken`)
        .and.include(`PASSERELLE_${variable}`);
    });
  }
});
