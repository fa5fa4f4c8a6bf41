import { expect } from 'chai';
import * as fc from 'fast-check';
import { formatCommandSet, parseCommandSet } from '../../../ihe/dimse/command-set.ts';
import { FAULT_KINDS, Fault } from '../../../profiles/fault.ts';
import { toStatus } from '../../../server/endpoints/dimse/status.ts';
import { PDUReader } from '../../../ihe/dimse/p-data.ts';
import { dataPDU } from '../../server/endpoints/dimse/door.ts';

const number = fc.integer({ min: 0, max: 0xffff });
const uid = fc.array(fc.nat(), { minLength: 1, maxLength: 4 }).map((parts) => `1.${parts.join('.')}`);

describe('DIMSE command set (PS3.7 6.3)', () => {
  it('round-trips C-ECHO and C-STORE requests and responses', () => {
    const optional = {
      messageID: number,
      messageIDBeingRespondedTo: number,
      priority: number,
      status: number,
      affectedSOPClassUID: uid,
      affectedSOPInstanceUID: uid,
    };
    const command = fc.record(
      { commandField: number, hasDataSet: fc.boolean(), ...optional },
      { requiredKeys: ['commandField', 'hasDataSet'] },
    );
    fc.assert(
      fc.property(command, (value) => {
        expect(parseCommandSet(formatCommandSet(value))).to.deep.equal(value);
      }),
    );
  });

  it('begins with a group length that counts what follows', () => {
    const bytes = formatCommandSet({
      commandField: 0x8001,
      hasDataSet: false,
      status: 0xa900,
      errorComment: 'x'.repeat(80),
    });
    expect(bytes.readUInt32LE(8)).to.equal(bytes.length - 12);
    expect(parseCommandSet(bytes).errorComment).to.have.length(64);
  });

  it('refuses anything else with a Fault', () => {
    const altered = fc.tuple(fc.nat(), fc.nat(255), fc.nat());
    const whole = formatCommandSet({ commandField: 1, hasDataSet: true, messageID: 1, affectedSOPClassUID: '1.2.3' });
    const refuses = (bytes: Uint8Array): void => {
      try {
        parseCommandSet(bytes);
      } catch (error) {
        expect(error).to.be.instanceOf(Fault);
      }
    };
    fc.assert(
      fc.property(altered, ([at, value, cut]) => {
        const bytes = Buffer.from(whole);
        bytes[at % bytes.length] = value;
        refuses(bytes.subarray(0, cut % (bytes.length + 1)));
      }),
    );
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), refuses));
    expect(() => parseCommandSet(Buffer.alloc(0))).to.throw(Fault, /CommandField/);
  });
});

describe('DIMSE status (PS3.7 Annex C)', () => {
  it('is a failure for every kind of Fault, and the more exact code when the Fault has one', () => {
    for (const kind of FAULT_KINDS) expect(toStatus(new Fault(kind, 'x'))).to.be.greaterThan(0x0100);
    expect(toStatus(new Fault('conflict', 'x', { protocolCode: 'A900' }))).to.equal(0xa900);
    expect(toStatus(new Fault('invalid', 'x', { protocolCode: 'XDSRegistryError' }))).to.equal(0xc000);
  });
});

describe('P-DATA reassembly (PS3.8 9.3.5)', () => {
  it('gives the same fragments however the bytes are cut', () => {
    const fragment = fc.record({
      bytes: fc.uint8Array({ maxLength: 40 }),
      contextId: fc.nat(255),
      isCommand: fc.boolean(),
      isLast: fc.boolean(),
    });
    const cuts = fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1 });
    fc.assert(
      fc.property(fc.array(fragment, { maxLength: 8 }), cuts, (fragments, sizes) => {
        const stream = Buffer.concat(
          fragments.map(({ contextId, bytes, ...flags }) => dataPDU(contextId, bytes, flags)),
        );
        const reader = new PDUReader({ maxDataPDUBytes: 1000, maxOtherPDUBytes: 1000 });
        reader.acceptsData = true;
        const seen: { bytes: Uint8Array; contextId: number; isCommand: boolean; isLast: boolean }[] = [];
        let pending = Buffer.alloc(0);
        for (let at = 0, turn = 0; at < stream.length; turn++) {
          const size = sizes[turn % sizes.length] ?? 1;
          reader.feed(stream.subarray(at, at + size));
          at += size;
          for (let event = reader.next(); event !== undefined; event = reader.next()) {
            if (!('contextId' in event)) throw new Error('A fragment was expected');
            const { contextId, isCommand, isLast, bytes } = event;
            pending = Buffer.concat([pending, bytes]);
            if (!isLast) continue;
            seen.push({ bytes: new Uint8Array(pending), contextId, isCommand, isLast });
            pending = Buffer.alloc(0);
          }
        }
        expect(reader.isInsidePDU).to.equal(false);
        const joined: typeof seen = [];
        let open = Buffer.alloc(0);
        for (const { bytes, contextId, isCommand, isLast } of fragments) {
          open = Buffer.concat([open, bytes]);
          if (!isLast) continue;
          joined.push({ bytes: new Uint8Array(open), contextId, isCommand, isLast });
          open = Buffer.alloc(0);
        }
        expect(seen).to.deep.equal(joined);
      }),
    );
  });
});
