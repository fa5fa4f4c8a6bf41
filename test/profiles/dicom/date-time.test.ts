import { expect } from 'chai';
import {
  offsetsOf,
  parseDate,
  parseOffset,
  parseTime,
  readableDateTime,
  toDateTime,
} from '../../../profiles/dicom/date-time.ts';

describe('Dates and times of DICOM (PS3.5 6.2)', () => {
  it('reads dates that exist, with the retired dots too', () => {
    const texts = ['20240229', '2024.02.29', '20230229', '2024.0229', '00000101', '2024', '20241301', ''];
    expect(texts.map(parseDate)).to.deep.equal(['2024-02-29', '2024-02-29', ...Array(6).fill(undefined)]);
  });

  it('reads times, missing parts as zero', () => {
    const texts = ['07', '0705', '070509', '070509.123456', '07:05:09', '235960', '2400', '0760', '7', '070509.'];
    expect(texts.map(parseTime)).to.deep.equal([
      '07:00:00',
      '07:05:00',
      '07:05:09',
      '07:05:09.123456',
      '07:05:09',
      '23:59:60',
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
  });

  it('reads the offsets that FHIR can hold', () => {
    const texts = ['+0100', '-1130', '+1400', '+1430', '-1500', '+0160', '0100', '+1'];
    expect(texts.map(parseOffset)).to.deep.equal(['+01:00', '-11:30', '+14:00', ...Array(5).fill(undefined)]);
  });

  it('gives the offset of a zone at a local time, the later one of a time that comes twice', () => {
    const paris = offsetsOf('Europe/Paris');
    expect(paris('2026-10-25T01:59:59')).to.equal('+02:00');
    expect(paris('2026-10-25T02:30:00')).to.equal('+01:00');
    expect(paris('2026-03-29T02:30:00')).to.equal('+01:00');
    expect(offsetsOf('UTC')('2026-03-29T02:30:00')).to.equal('+00:00');
    expect(offsetsOf('America/St_Johns')('2026-01-01T00:00:00')).to.equal('-03:30');
    expect(() => offsetsOf('Europe/Nowhere')).to.throw(RangeError);
  });

  it('says the date alone where there is no time, and nothing where there is no date', () => {
    const zone = offsetsOf('Europe/Luxembourg');
    expect(toDateTime({ date: '20260101', time: undefined, offset: '+0100' }, zone)).to.equal('2026-01-01');
    expect(toDateTime({ date: undefined, time: '10', offset: '+0100' }, zone)).to.equal(undefined);
    expect(toDateTime({ date: '20260101', time: '10', offset: undefined }, zone)).to.equal('2026-01-01T10:00:00+01:00');
  });

  it('writes dates and times for readers, as far as they are given, and what is none as it is', () => {
    const texts = ['2024', '202401', '20240115', '2024.01.15', '2024011510', '20240115101500.5+0100', '2024-0500', 'x'];
    expect(texts.map(readableDateTime)).to.deep.equal([
      '2024',
      '2024-01',
      '2024-01-15',
      '2024-01-15',
      '2024-01-15 10:00',
      '2024-01-15 10:15:00.5 +01:00',
      '2024 -05:00',
      'x',
    ]);
  });
});
