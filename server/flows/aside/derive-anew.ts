/** What follows when a study holds other instances, or is another person's. */
import type { JobRequest } from '../../ports/job-queue.ts';
import { jobOf } from '../jobs/job-of.ts';

const CLOSING_PAUSE_MS = 1_000;

/** Asks for all that is derived from a study (Study Instance UID); the manifest of what it holds follows. */
export function deriveAnew(studyInstanceUID: string, now: number): readonly JobRequest[] {
  return [
    jobOf('refresh-study', studyInstanceUID, now),
    jobOf('close-study', studyInstanceUID, now + CLOSING_PAUSE_MS),
  ];
}
