/** Headers that are made to cost: time, memory, rows. Each with the status that it may be answered with. */
import { deflateRawSync } from 'node:zlib';
import { DICOM_UID } from '../../../profiles/codes.ts';
import { element, hostileDataSet, itemHeader, nested, sequence } from './raw-data-set.ts';

/** A header; in explicit VR little endian when no transfer syntax is named. */
export type CostlyHeader = {
  readonly dataSet: () => Buffer;
  readonly statuses: readonly number[];
  readonly transferSyntaxUID?: string;
};

const MIB = 1024 * 1024;
const CANNOT_UNDERSTAND = [0xc000];
const OUT_OF_RESOURCES = [0xa700];
/** Either it is stored, or it is refused for what it costs. */
const STORED_OR_NOT = [0, 0xa700];

function many(count: number, bytes: (at: number) => Buffer): Buffer {
  return Buffer.concat(Array.from({ length: count }, (_, at) => bytes(at)));
}

/** 30 000 names in one element. */
function filledName(tag: string): Buffer {
  return element(tag, 'PN', Buffer.alloc(60_000, 'A\\'));
}

/** 15 MiB of elements that repeat a text. */
function filled(vr: string, unit: string): Buffer {
  return many(241, (at) => element(privateTag(at), vr, Buffer.alloc(65_000, unit, 'latin1')));
}

function privateTag(at: number): string {
  const group = 0x0021 + 2 * Math.floor(at / 0xf000);
  return `${group.toString(16).padStart(4, '0')}${(0x1000 + (at % 0xf000)).toString(16)}`;
}

/** By what they do; each name is also that of its UIDs. */
export const COSTLY_HEADERS: Readonly<Record<string, CostlyHeader>> = {
  'sequences nested 10 000 deep': {
    dataSet: () => hostileDataSet('deep', { '00400275': nested('00400275', 10_000) }),
    statuses: CANNOT_UNDERSTAND,
  },
  'sequences nested 800 000 deep': {
    dataSet: () => hostileDataSet('deeper', { '00400275': nested('00400275', 800_000) }),
    statuses: [0xc000, 0xa700],
  },
  '400 000 empty elements': {
    dataSet: () => hostileDataSet('many', { '00211000': many(400_000, (at) => element(privateTag(at), 'LO')) }),
    statuses: OUT_OF_RESOURCES,
  },
  '74 000 items of 3 elements': {
    dataSet: () =>
      hostileDataSet('small', {
        '00400275': sequence(
          '00400275',
          Array.from({ length: 74_000 }, () => many(3, (at) => element(privateTag(at), 'LO', 'ab'))),
        ),
      }),
    statuses: STORED_OR_NOT,
  },
  '33 items of 9 000 elements': {
    dataSet: () =>
      hostileDataSet('wide', {
        '00400275': sequence(
          '00400275',
          Array.from({ length: 33 }, () => many(9_000, (at) => element(privateTag(at), 'LO', 'ab'))),
        ),
      }),
    statuses: STORED_OR_NOT,
  },
  '1 500 000 empty elements': {
    dataSet: () => hostileDataSet('more', { '00211000': many(1_500_000, (at) => element(privateTag(at), 'LO')) }),
    statuses: OUT_OF_RESOURCES,
  },
  '290 000 empty items': {
    dataSet: () =>
      hostileDataSet('items', {
        '00400275': sequence(
          '00400275',
          Array.from({ length: 290_000 }, () => Buffer.alloc(0)),
        ),
      }),
    statuses: STORED_OR_NOT,
  },
  '1 500 000 empty items of undefined length': {
    dataSet: () =>
      hostileDataSet('endless', {
        '00400275': Buffer.concat([element('00400275', 'SQ', '', 0xffff_ffff), many(1_500_000, () => itemHeader(0))]),
      }),
    statuses: [0xc000, 0xa700],
  },
  'a text of 15 MiB': {
    dataSet: () => hostileDataSet('text', { '00211001': element('00211001', 'UT', Buffer.alloc(15 * MIB, 0x41)) }),
    statuses: STORED_OR_NOT,
  },
  'a text of 15 MiB that is not UTF-8': {
    dataSet: () => hostileDataSet('garbage', { '00211001': element('00211001', 'UT', Buffer.alloc(15 * MIB, 0xff)) }),
    statuses: STORED_OR_NOT,
  },
  'a value of 8 000 000 parts': {
    dataSet: () => hostileDataSet('parts', { '00211001': element('00211001', 'UC', Buffer.alloc(8_000_000, '\\')) }),
    statuses: STORED_OR_NOT,
  },
  '60 other patient ids of 64 KB': {
    dataSet: () =>
      hostileDataSet('ids', {
        '00101002': sequence(
          '00101002',
          Array.from({ length: 60 }, (_, at) => element('00100020', 'LO', Buffer.alloc(65_000, 0x41 + (at % 26)))),
        ),
      }),
    statuses: STORED_OR_NOT,
  },
  '100 000 other patient ids': {
    dataSet: () =>
      hostileDataSet('more-ids', {
        '00101002': sequence(
          '00101002',
          Array.from({ length: 100_000 }, (_, at) =>
            Buffer.concat([
              element('00100020', 'LO', `${at}`),
              sequence('00100024', [element('00400032', 'UT', '1.2.3')]),
            ]),
          ),
        ),
      }),
    statuses: STORED_OR_NOT,
  },
  '15 MiB of person names': {
    dataSet: () => hostileDataSet('names', { '00211001': filled('PN', 'A\\') }),
    statuses: OUT_OF_RESOURCES,
  },
  '15 MiB of decimals': {
    dataSet: () => hostileDataSet('decimals', { '00211001': filled('DS', '1\\') }),
    statuses: OUT_OF_RESOURCES,
  },
  '15 MiB of tags': {
    dataSet: () => hostileDataSet('tags', { '00211001': filled('AT', '\x01') }),
    statuses: OUT_OF_RESOURCES,
  },
  '15 MiB of escapes': {
    dataSet: () =>
      hostileDataSet('escapes', {
        '00080005': element('00080005', 'CS', 'ISO 2022 IR 100'),
        '00211001': many(60, (at) =>
          element(privateTag(at), 'UT', Buffer.alloc(250_000, '\x1b-A\xe9\x1b-F\xe9', 'latin1')),
        ),
      }),
    statuses: OUT_OF_RESOURCES,
  },
  '241 names of 65 000 carets and a letter': {
    dataSet: () =>
      hostileDataSet('carets', {
        '00211001': many(241, (at) => element(privateTag(at), 'PN', `${'^'.repeat(65_000)}x`)),
      }),
    statuses: STORED_OR_NOT,
  },
  '241 decimals of 65 000 digits and a letter': {
    dataSet: () =>
      hostileDataSet('digits', {
        '00211001': many(241, (at) => element(privateTag(at), 'DS', `${'1'.repeat(65_000)}x`)),
      }),
    statuses: STORED_OR_NOT,
  },
  '140 000 orders': {
    dataSet: () =>
      hostileDataSet('orders', {
        '00400275': sequence(
          '00400275',
          Array.from({ length: 140_000 }, (_, at) => element('00080050', 'SH', `A${at}`)),
        ),
      }),
    statuses: STORED_OR_NOT,
  },
  '90 000 physicians': {
    dataSet: () =>
      hostileDataSet('physicians', {
        '00081050': filledName('00081050'),
        '00081060': filledName('00081060'),
        '00081070': filledName('00081070'),
      }),
    statuses: STORED_OR_NOT,
  },
  'a patient name of 64 KB': {
    dataSet: () => hostileDataSet('name', { '00100010': element('00100010', 'PN', Buffer.alloc(65_000, 'AB^')) }),
    statuses: STORED_OR_NOT,
  },
  'a description of 64 KB': {
    dataSet: () =>
      hostileDataSet('description', { '00081030': element('00081030', 'LO', Buffer.alloc(65_000, 'ab ')) }),
    statuses: STORED_OR_NOT,
  },
  'a deflated bomb of 100 MiB': {
    dataSet: () =>
      deflateRawSync(Buffer.concat([hostileDataSet('bomb'), element('00091001', 'UT', Buffer.alloc(100 * MIB))])),
    statuses: OUT_OF_RESOURCES,
    transferSyntaxUID: DICOM_UID.deflatedExplicitLittleEndian,
  },
  'a header of 100 MiB without pixels': {
    dataSet: () =>
      hostileDataSet('long', { '00211001': many(100, (at) => element(privateTag(at), 'OB', Buffer.alloc(MIB))) }),
    statuses: STORED_OR_NOT,
  },
};
