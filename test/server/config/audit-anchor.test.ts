import { resolve } from 'node:path';
import { expect } from 'chai';
import { anchorErrors, anchorPlace } from '../../../server/config/audit-anchor.ts';

describe('Configuration of the audit anchor', () => {
  it('names a file, or a collector of syslog over TLS, whose port is 6514 when left out (RFC 5425 section 4.1)', () => {
    expect(anchorPlace('mount/anchor')).to.deep.equal({ kind: 'file', path: resolve('mount/anchor') });
    expect(anchorPlace('syslog+tls://log.example')).to.deep.equal({ kind: 'syslog', host: 'log.example', port: 6514 });
    expect(anchorPlace('syslog+tls://[::1]:99/')).to.deep.equal({ kind: 'syslog', host: '::1', port: 99 });
    for (const other of [
      'syslog://log.example',
      'https://log.example',
      'syslog+tls://',
      'syslog+tls://a@b',
      'syslog+tls://a:0',
      'syslog+tls://a:70000',
      'syslog+tls://a/b',
    ])
      expect(anchorPlace(other), other).to.equal(undefined);
  });

  const PLACED = { AUDIT_ANCHOR: '/mount/anchor', AUDIT_ANCHOR_KEY: '/keys/key', DATA_DIR: '/data' };
  const errorsOf = (changes: Readonly<Record<string, string>>) => anchorErrors({ ...PLACED, ...changes }).join('\n');

  it('is needed outside development alone, with its key', () => {
    expect(anchorErrors(PLACED)).to.deep.equal([]);
    expect(anchorErrors({ DEVELOPMENT: '1' })).to.deep.equal([]);
    expect(anchorErrors({}).join('\n')).to.include('PASSERELLE_AUDIT_ANCHOR is required outside development');
    expect(anchorErrors({ AUDIT_ANCHOR: '/mount/anchor' }).join('\n')).to.include('AUDIT_ANCHOR_KEY is required');
  });

  it('lies outside the data folder, and its key apart from both', () => {
    expect(errorsOf({ AUDIT_ANCHOR: '/data/sub/anchor' })).to.include('PASSERELLE_AUDIT_ANCHOR must lie outside');
    expect(errorsOf({ AUDIT_ANCHOR_KEY: '/data/key' })).to.include('PASSERELLE_AUDIT_ANCHOR_KEY must lie outside');
    expect(errorsOf({ AUDIT_ANCHOR_KEY: '/mount/key' })).to.include('must lie in another folder');
    expect(errorsOf({ AUDIT_ANCHOR: '/data-mount/anchor' })).to.equal('');
    expect(errorsOf({ AUDIT_ANCHOR: '/other/../data/anchor' })).to.include('must lie outside');
  });

  it('shows the collector a certificate with its key, or none', () => {
    expect(errorsOf({ AUDIT_ANCHOR_TLS_CERT: '/c.pem' })).to.include('AUDIT_ANCHOR_TLS_KEY is required');
    expect(errorsOf({ AUDIT_ANCHOR_TLS_CERT: '/c.pem', AUDIT_ANCHOR_TLS_KEY: '/k.pem' })).to.equal('');
  });
});
