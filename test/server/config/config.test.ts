import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect } from 'chai';
import { configurationTable } from '../../../server/config/configuration-table.ts';
import { configFrom, isLoopback, type Config } from '../../../server/config/config.ts';
import { readEnv } from '../../../server/config/env.ts';
import { Fault } from '../../../profiles/fault.ts';

const production = {
  PASSERELLE_REGION: '/etc/passerelle/region.json',
  PASSERELLE_REPOSITORY_UID: '1.2.250.1.999.1',
  PASSERELLE_HOME_COMMUNITY_ID: '1.2.250.1.999.2',
  PASSERELLE_AUDIT_ANCHOR: '/mnt/anchors/passerelle',
  PASSERELLE_AUDIT_ANCHOR_KEY: '/etc/passerelle/anchor-key',
};

function configOf(variables: Record<string, string>): Config {
  return configFrom(readEnv({ ...production, ...variables }));
}

function refusalOf(variables: Record<string, string | undefined>): string {
  try {
    configFrom(readEnv(variables));
  } catch (error) {
    expect(error).to.be.instanceOf(Fault);
    expect((error as Fault).kind).to.equal('invalid');
    return (error as Fault).message;
  }
  throw new Error('The configuration was accepted');
}

function refusalBeside(variables: Record<string, string>): string {
  return refusalOf({ ...production, ...variables });
}

describe('Configuration', () => {
  it('needs region, OIDs and audit anchor alone, and defaults everything else to a closed server', () => {
    expect(configOf({})).to.deep.equal({
      host: '127.0.0.1',
      httpPort: 8080,
      dimsePort: 11_112,
      dimseAeTitle: 'PASSERELLE',
      dimseTlsPort: 2762,
      dimseTlsCert: undefined,
      dimseTlsKey: undefined,
      dimseTlsCa: undefined,
      tlsProxy: false,
      publicUrl: undefined,
      support: undefined,
      mailUrl: undefined,
      mailFrom: undefined,
      mailTlsCa: undefined,
      dataDir: resolve('data'),
      store: 'sqlite',
      auditAnchor: '/mnt/anchors/passerelle',
      auditAnchorKey: '/etc/passerelle/anchor-key',
      auditAnchorTlsCa: undefined,
      auditAnchorTlsCert: undefined,
      auditAnchorTlsKey: undefined,
      auditRetentionYears: undefined,
      region: '/etc/passerelle/region.json',
      ohifDir: resolve('.ohif'),
      repositoryUid: '1.2.250.1.999.1',
      homeCommunityId: '1.2.250.1.999.2',
      timeZone: 'Europe/Paris',
      studyQuietSeconds: 60,
      breakGlassHours: 4,
      stayGraceDays: 7,
      presenceDays: 15,
      shareDays: 30,
      erasureDays: 30,
      maxInstanceBytes: 4_294_967_296,
      maxBodyBytes: 67_108_864,
      maxAssociations: 100,
      logLevel: 'info',
      development: false,
    });
  });

  it('takes an address of support that a page may link to, and no other', () => {
    for (const address of ['mailto:aide@region.example', 'https://region.example/aide'])
      expect(configOf({ PASSERELLE_SUPPORT: address }).support).to.equal(address);
    const wrong = [
      'javascript:alert(1)',
      'http://region.example/',
      'aide@region.example',
      'mailto:a',
      'https://a/"x',
      '',
    ];
    for (const address of wrong)
      expect(refusalOf({ ...production, PASSERELLE_SUPPORT: address }), address).to.include('PASSERELLE_SUPPORT');
  });

  it('keeps events of the audit trail for ever, or for some years, three at least', () => {
    expect(configOf({ PASSERELLE_AUDIT_RETENTION_YEARS: '10' }).auditRetentionYears).to.equal(10);
    for (const years of ['2', '0', '-5', '3.5', '101', 'ten', ''])
      expect(refusalBeside({ PASSERELLE_AUDIT_RETENTION_YEARS: years }), years).to.include('RETENTION_YEARS must be');
  });

  it('takes a mail server with the address that mail comes from, and repeats no password where it does not fit', () => {
    const from = { PASSERELLE_MAIL_FROM: 'avis@region.example' };
    for (const url of ['smtp://localhost:2525', 'smtps://mail.example.org', 'smtp://us%40er:p%3Aw@[::1]:587/']) {
      const config = configOf({ PASSERELLE_MAIL_URL: url, ...from });
      expect([config.mailUrl, config.mailFrom]).to.deep.equal([url, 'avis@region.example']);
    }
    for (const url of [
      'http://mail.example.org',
      'smtp:mail',
      'smtp://',
      'smtp://u@mail.example.org',
      'smtp://u:secret@mail.example.org/path',
      'smtp://u:secret@mail.example.org?tls=no',
      'smtp://u:secret%@mail.example.org',
    ]) {
      const refusal = refusalOf({ ...production, PASSERELLE_MAIL_URL: url, ...from });
      expect(refusal, url).to.include('PASSERELLE_MAIL_URL must be').and.not.include(':secret');
    }
    expect(refusalOf({ ...production, PASSERELLE_MAIL_URL: 'smtp://localhost' })).to.include(
      'PASSERELLE_MAIL_FROM is required with PASSERELLE_MAIL_URL',
    );
    for (const address of ['avis', 'a@b.example, c@d.example', 'Avis <a@b.example>'])
      expect(
        refusalOf({ ...production, PASSERELLE_MAIL_URL: 'smtp://localhost', PASSERELLE_MAIL_FROM: address }),
      ).to.include('PASSERELLE_MAIL_FROM must be one e-mail address');
    for (const [name, value] of [
      ['PASSERELLE_MAIL_FROM', 'a@b.example'] as const,
      ['PASSERELLE_MAIL_TLS_CA', 'ca.pem'] as const,
    ])
      expect(refusalOf({ ...production, [name]: value })).to.include(`${name} is for PASSERELLE_MAIL_URL`);
  });

  it('takes the demonstration region and its OIDs in development only', () => {
    const config = configFrom(readEnv({ PASSERELLE_DEVELOPMENT: '1' }));
    expect(config.region).to.equal(resolve('fixtures/region/region.json'));
    expect(config.repositoryUid).to.match(/^2\.25\./);
    expect(config.homeCommunityId)
      .to.match(/^2\.25\./)
      .and.not.equal(config.repositoryUid);
    const refusal = refusalOf({});
    for (const name of Object.keys(production))
      if (name !== 'PASSERELLE_AUDIT_ANCHOR_KEY') expect(refusal).to.include(`${name} is required`);
  });

  it('prefers what is set to a default of development', () => {
    expect(configOf({ PASSERELLE_DEVELOPMENT: '1' }).region).to.equal(production.PASSERELLE_REGION);
  });

  it('reads numbers, flags and paths, and port 0', () => {
    const config = configOf({
      PASSERELLE_HTTP_PORT: '0',
      PASSERELLE_DIMSE_PORT: '104',
      PASSERELLE_STUDY_QUIET_SECONDS: '0.5',
      PASSERELLE_DATA_DIR: 'some/folder',
      PASSERELLE_LOG_LEVEL: 'debug',
    });
    expect(config).to.include({ httpPort: 0, dimsePort: 104, studyQuietSeconds: 0.5, logLevel: 'debug' });
    expect(config.dataDir).to.equal(resolve('some/folder'));
  });

  it('cannot be changed', () => {
    const config = configOf({});
    expect(Object.isFrozen(config)).to.equal(true);
    expect(Object.values(config).every((value) => typeof value !== 'object')).to.equal(true);
  });

  it('reports every error at once, a line each, without the values', () => {
    const refusal = refusalOf({
      PASSERELLE_HTTP_PORT: '70000',
      PASSERELLE_DIMSE_PORT: 'eleven',
      PASSERELLE_STORE: 'postgres://user:secret@db',
      PASSERELLE_TIME_ZONE: 'Europe/Atlantis',
      PASSERELLE_HOME_COMMUNITY_ID: 'urn:oid:1.2.3',
      PASSERELLE_DIMSE_AE_TITLE: 'MORE THAN SIXTEEN',
      PASSERELLE_LOG_LEVEL: 'loud',
      PASSERELLE_DEVELOPMENT: 'true',
      PASSERELLE_DATA_DIR: '',
      PASSERELLE_MAX_BODY_BYTES: '1.5',
    });
    expect(
      refusal
        .split('\n')
        .slice(1)
        .map((line) => line.split(' ')[0])
        .sort(),
    ).to.deep.equal([
      'PASSERELLE_AUDIT_ANCHOR',
      'PASSERELLE_DATA_DIR',
      'PASSERELLE_DEVELOPMENT',
      'PASSERELLE_DIMSE_AE_TITLE',
      'PASSERELLE_DIMSE_PORT',
      'PASSERELLE_HOME_COMMUNITY_ID',
      'PASSERELLE_HTTP_PORT',
      'PASSERELLE_LOG_LEVEL',
      'PASSERELLE_MAX_BODY_BYTES',
      'PASSERELLE_REGION',
      'PASSERELLE_REPOSITORY_UID',
      'PASSERELLE_STORE',
      'PASSERELLE_TIME_ZONE',
    ]);
    expect(refusal).to.not.include('secret');
    expect(refusal).to.include('PASSERELLE_LOG_LEVEL must be one of error, warn, info, debug');
  });

  it('refuses an unknown variable and names the one that was meant', () => {
    expect(refusalBeside({ PASSERELLE_HTTP_PROT: '80' })).to.include(
      'PASSERELLE_HTTP_PROT is unknown: did you mean PASSERELLE_HTTP_PORT?',
    );
    expect(refusalBeside({ PASSERELLE_WHATEVER: '1' })).to.include(
      'PASSERELLE_WHATEVER is unknown: the table in README.md',
    );
  });

  it('leaves the variables of the tests and of other programs alone', () => {
    const config = configOf({
      PASSERELLE_TEST_MONGODB: 'x',
      PASSERELLE_PROPERTY_SEED: '1',
      PASSERELLE_TESTDATA: '/x',
      HTTP_PORT: '1',
    });
    expect(config.httpPort).to.equal(8080);
    expect(refusalBeside({ PASSERELLE_TESTDATABASE: 'x' })).to.include('PASSERELLE_TESTDATABASE is unknown');
  });

  it('refuses to listen beyond loopback without TLS in front', () => {
    const open = { PASSERELLE_HOST: '0.0.0.0', PASSERELLE_PUBLIC_URL: 'https://imaging.example.org' };
    expect(refusalBeside(open)).to.include('PASSERELLE_HOST is not loopback');
    expect(refusalBeside({ ...open, PASSERELLE_DEVELOPMENT: '1' })).to.include('PASSERELLE_HOST is not loopback');
    expect(configOf({ ...open, PASSERELLE_TLS_PROXY: '1' }).host).to.equal('0.0.0.0');
  });

  it('takes the files of DICOM over TLS together or not at all', () => {
    const files = {
      PASSERELLE_DIMSE_TLS_CERT: 'cert.pem',
      PASSERELLE_DIMSE_TLS_KEY: 'key.pem',
      PASSERELLE_DIMSE_TLS_CA: '/etc/ca.pem',
    };
    const { dimseTlsCert, dimseTlsKey, dimseTlsCa } = configOf(files);
    expect([dimseTlsCert, dimseTlsKey, dimseTlsCa]).to.deep.equal([
      resolve('cert.pem'),
      resolve('key.pem'),
      '/etc/ca.pem',
    ]);
    const refusal = refusalBeside({ PASSERELLE_DIMSE_TLS_CERT: 'cert.pem' });
    for (const name of ['KEY', 'CA']) expect(refusal).to.include(`PASSERELLE_DIMSE_TLS_${name} is required`);
  });

  it('needs the public address when it listens beyond loopback', () => {
    const refusal = refusalBeside({ PASSERELLE_HOST: '::', PASSERELLE_TLS_PROXY: '1' });
    expect(refusal).to.equal(
      'The configuration is not valid:\nPASSERELLE_PUBLIC_URL is required, for PASSERELLE_HOST is not loopback',
    );
  });

  it('takes an origin as public address, https unless loopback', () => {
    const publicUrl = (url: string): string | undefined => configOf({ PASSERELLE_PUBLIC_URL: url }).publicUrl;
    expect(publicUrl('https://Imaging.example.org:8443/')).to.equal('https://imaging.example.org:8443');
    expect(publicUrl('http://[::1]:8080')).to.equal('http://[::1]:8080');
    for (const wrong of [
      'http://imaging.example.org',
      'https://a.example/path',
      'https://u:p@a.example',
      'a.example',
      'ftp://a.example',
      'https://',
    ]) {
      expect(refusalBeside({ PASSERELLE_PUBLIC_URL: wrong }), wrong).to.include('PASSERELLE_PUBLIC_URL must be');
    }
  });

  it('knows loopback by name and address', () => {
    expect(['127.0.0.1', '127.9.9.9', '::1', 'localhost'].every(isLoopback)).to.equal(true);
    expect(['0.0.0.0', '::', '', '10.0.0.1', '127.example.org', '127.0.0.1.example.org'].some(isLoopback)).to.equal(
      false,
    );
  });

  it('is told by the README as it is', () => {
    const readme = readFileSync(new URL('../../../README.md', import.meta.url), 'utf8');
    const table = /<!-- configuration -->\n+([\s\S]*?)\n+<!-- \/configuration -->/.exec(readme)?.[1];
    expect(table).to.equal(configurationTable());
  });
});
