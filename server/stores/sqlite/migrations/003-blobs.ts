/**
 * Blobs had a digest of all their bytes, which nothing read: that of the data set is the one that tells instances
 * apart.
 */
const BLOBS_OF = (table: string): string => `ALTER TABLE ${table} DROP COLUMN blob_sha256;`;

/** For the file of records. */
export const recordBlobs = ['resource', 'history', 'instance', 'quarantine'].map(BLOBS_OF).join('\n');

/** For the file of the trail. */
export const trailBlobs = BLOBS_OF('resource');
