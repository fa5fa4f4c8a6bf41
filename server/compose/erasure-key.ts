/** Where the key of erasures lies. */
import { join, resolve } from 'node:path';
import {
  openErasureKey,
  publicKeyFile,
  readSeals,
  verifyErasureCertificate,
} from '../clients/erasure-key/erasure-key.ts';
import type { Config } from '../config/config.ts';
import type { Environment } from '../config/env.ts';
import { VARIABLES } from '../config/variables.ts';
import type { BearsSeal, ErasureKey } from '../ports/erasure-key.ts';

type Places = Pick<Config, 'auditAnchorKey' | 'dataDir'>;

/** The file: beside the key of the anchor; in the data folder where there is none, as in development alone. */
export function erasureKeyFile({ auditAnchorKey, dataDir }: Places): string {
  return auditAnchorKey === undefined ? join(dataDir, 'erasure-key') : `${auditAnchorKey}.erasure`;
}

/** Opens it, or makes it. */
export async function openKeyOfErasures(config: Places): Promise<ErasureKey> {
  return await openErasureKey(erasureKeyFile(config));
}

/**
 * What verifies its seals by its public part; undefined when that is not where the environment says.
 * @throws {Fault} invalid - the file cannot be read, or holds no key
 */
export async function sealsOf(environment: Environment): Promise<BearsSeal | undefined> {
  return await readSeals(publicKeyOf(environment));
}

/** The file of its public part, as the environment of a command says it. */
export function publicKeyOf(environment: Environment): string {
  return publicKeyFile(fileOf(environment));
}

function fileOf({ AUDIT_ANCHOR_KEY: anchorKey, DATA_DIR }: Environment): string {
  const dataDir = resolve(DATA_DIR ?? VARIABLES.DATA_DIR.default);
  return erasureKeyFile({ auditAnchorKey: anchorKey, dataDir });
}

export { verifyErasureCertificate as verifyCertificate };
