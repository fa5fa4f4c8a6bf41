import { expect } from 'chai';
import { formatSyslog, frameSyslog } from '../../../ihe/syslog/message.ts';

const MESSAGE = {
  facility: 13,
  severity: 5,
  timestamp: '2026-03-01T12:00:00.000Z',
  hostname: 'server.example',
  appName: 'passerelle',
  procId: '42',
  msgId: 'AUDIT-ANCHOR',
  message: '{"a":1}',
} as const;

describe('Syslog message (RFC 5424 section 6)', () => {
  it('has its priority, version, names, no structured data, and its text', () => {
    expect(formatSyslog(MESSAGE)).to.equal(
      '<109>1 2026-03-01T12:00:00.000Z server.example passerelle 42 AUDIT-ANCHOR - {"a":1}',
    );
  });

  it('has the NILVALUE for names that are empty or no printable ASCII, and cuts those that are too long', () => {
    const text = formatSyslog({ ...MESSAGE, hostname: 'hôte', procId: '', msgId: 'M'.repeat(40) });
    expect(text).to.equal(`<109>1 2026-03-01T12:00:00.000Z - passerelle - ${'M'.repeat(32)} - {"a":1}`);
  });

  it('is framed by its length in octets (RFC 5425 section 4.3)', () => {
    expect(Buffer.from(frameSyslog('été')).toString()).to.equal('5 été');
  });
});
