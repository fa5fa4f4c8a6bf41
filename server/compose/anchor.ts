/** Opens the anchor of the audit trail, and keeps anchoring. */
import { repeat } from '../threads/background.ts';
import { openAnchorKey, readAnchorKey, type AnchorKey } from '../clients/audit-anchor/anchor-key.ts';
import { FileAnchor } from '../clients/audit-anchor/file-anchor.ts';
import { SyslogAnchor } from '../clients/audit-anchor/syslog-anchor.ts';
import { anchorPlace } from '../config/audit-anchor.ts';
import type { Config } from '../config/config.ts';
import { Anchoring, type Acceptance } from '../flows/audit/anchor-trail.ts';
import type { Checks } from '../flows/health.ts';
import type { LogFactory } from '../log.ts';
import type { Anchor, AuditAnchor } from '../ports/audit-anchor.ts';
import type { AuditTrail } from '../ports/audit-trail.ts';
import { systemClock } from '../ports/clock.ts';
import { Fault } from '../../profiles/fault.ts';

/** Anchoring that goes on. */
export type OpenedAnchoring = {
  readonly health: () => Checks;
  /** The last record that is anchored, 0 as long as there is none; absent where nothing is. */
  readonly anchoredFrom?: () => Promise<number>;
  /** Anchors a last time. */
  stop(): Promise<void>;
};

type AnchorConfig = Pick<
  Config,
  'auditAnchor' | 'auditAnchorKey' | 'auditAnchorTlsCa' | 'auditAnchorTlsCert' | 'auditAnchorTlsKey'
>;

/** The file of the last anchor that was sent to a collector lies beside the key, under its name and this ending. */
const SENT_ENDING = '.anchor';
const PAUSE_MS = 1_000;

/**
 * Compares the trail with its anchor, and begins to anchor it. Without an anchor, which only development is without,
 * nothing is done.
 * @throws {Fault} conflict - the trail does not hold its anchor, and nobody accepts it
 * @throws {Fault} invalid - the key cannot be read or made; something is accepted, and no anchor is set
 */
export async function openAnchoring(
  config: AnchorConfig,
  trail: AuditTrail,
  log: LogFactory,
  accepted: Acceptance | undefined,
): Promise<OpenedAnchoring> {
  const audit = log('audit');
  if (config.auditAnchorKey === undefined || config.auditAnchor === undefined) {
    if (accepted !== undefined) throw new Fault('invalid', '--accept-restored is for a server with an audit anchor');
    audit.info({}, 'no audit anchor is set: a trail that is cut would not be missed');
    return { health: () => ({}), stop: async () => undefined };
  }
  const anchor = anchorOf(config, config.auditAnchorKey, await openAnchorKey(config.auditAnchorKey));
  const anchoring = new Anchoring({ trail, anchor, clock: systemClock, log: audit });
  await anchoring.begin(accepted);
  const failed = (err: unknown): void => audit.error({ err }, 'the audit trail could not be anchored');
  const repeating = repeat(async () => await anchoring.step(), PAUSE_MS, failed);
  return {
    health: () => anchoring.health(),
    anchoredFrom: async () => (await anchor.last())?.sequence ?? 0,
    stop: async () => {
      await repeating.stop();
      await anchoring.end().catch(failed);
    },
  };
}

/**
 * Reads the last anchor, for who only looks; undefined when none was made yet.
 * @throws {Fault} invalid - there is no key
 * @throws {Fault} conflict - the anchor is damaged or was made under another key
 */
export async function readLastAnchor(
  config: Pick<AnchorConfig, 'auditAnchor' | 'auditAnchorKey'>,
): Promise<Anchor | undefined> {
  const path = config.auditAnchorKey;
  const key = path === undefined ? undefined : await readAnchorKey(path);
  if (path === undefined || key === undefined)
    throw new Fault('invalid', 'The key of the audit anchor is needed: name its file in PASSERELLE_AUDIT_ANCHOR_KEY');
  return await anchorOf(config, path, { key, isNew: false }).last();
}

function anchorOf(config: Partial<AnchorConfig>, keyPath: string, key: AnchorKey): AuditAnchor {
  const place = anchorPlace(config.auditAnchor ?? '');
  if (place === undefined) throw new Fault('invalid', 'PASSERELLE_AUDIT_ANCHOR names no place');
  if (place.kind === 'file') return new FileAnchor(place.path, key);
  const { auditAnchorTlsCa: ca, auditAnchorTlsCert: cert, auditAnchorTlsKey: tlsKey } = config;
  return new SyslogAnchor({ ...place, ca, cert, key: tlsKey }, `${keyPath}${SENT_ENDING}`, key);
}
