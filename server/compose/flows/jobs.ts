/** The jobs: what each kind does, and how they are run, watched and operated. */
import { listKeptAside } from '../../flows/aside/list-kept-aside.ts';
import { settleAndDerive } from '../../flows/aside/settle-study.ts';
import { cutTrail } from '../../flows/audit/cut-trail.ts';
import { endConsent } from '../../flows/consent/end-consent.ts';
import { eraseRecord } from '../../flows/erase/erase-record.ts';
import { purgeJoined } from '../../flows/erase/joined/purge-joined.ts';
import { goOnErasing } from '../../flows/erase/erase-study.ts';
import { JOB_POLICIES } from '../../flows/jobs/job-policies.ts';
import { dropJob, listJobs, replayJobs } from '../../flows/jobs/operate-jobs.ts';
import { jobsHealth, reportJobs } from '../../flows/jobs/jobs-health.ts';
import { JobRunners, type JobTable } from '../../flows/jobs/run-jobs.ts';
import { endViewing } from '../../flows/retrieve/end-viewing.ts';
import { settlePerson } from '../../flows/ground/settle-person.ts';
import { groundWork } from '../../flows/ground/settle-region.ts';
import { IMAGE_ENDPOINT } from '../../flows/identity/load-region.ts';
import { correctDerived } from '../../flows/study/correct-derived.ts';
import { maintainStudy } from '../../flows/study/maintain-study.ts';
import { declareNamed } from '../../flows/named/declare-named.ts';
import { alertOfficers } from '../../flows/notices/alert-officers.ts';
import { tellNews, type TellNewsDeps } from '../../flows/notices/tell-news.ts';
import { sendNotice } from '../../flows/notices/send-notice.ts';
import { mailShare } from '../../flows/share/mail-share.ts';
import { forgetTries } from '../../flows/presence/tries.ts';
import type { GuardDeps } from '../../flows/guard.ts';
import { endGiven } from '../../flows/identity/parted/end-given.ts';
import { reindexRows } from '../../flows/search-index/reindex-rows.ts';
import { ServedParameters } from '../../flows/search-index/served-parameters.ts';
import type { MaintainStudyDeps } from '../../flows/study/study-at-hand.ts';
import { sweepImages } from '../../flows/intake/sweep-images.ts';
import type { QuarantinedInstance } from '../../ports/commit-plan.ts';
import type { TakenJob } from '../../ports/job-queue.ts';
import type { FlowParts } from './flow-parts.ts';

/** A blob without a row is swept when no association can still be writing it. */
const SWEEP_AGE_MS = 3_600_000;
const SWEEP_PAUSE_MS = 3_600_000;

/** What flows that write are made from. */
export type Writing = Parameters<typeof goOnErasing>[0] &
  Pick<TellNewsDeps, 'holders'> &
  GuardDeps &
  Omit<MaintainStudyDeps, 'timeZone' | 'repositoryUniqueId' | 'retrieveAETitle' | 'endpoint' | 'alert'>;

/** What runs, watches and operates jobs. */
export function jobFlows({ stores, clock, log }: FlowParts, work: JobTable) {
  const { records, jobs: queue } = stores;
  return {
    runners: new JobRunners({ queue, clock, log, policies: JOB_POLICIES, work }),
    report: reportJobs(queue, clock),
    health: jobsHealth(queue, clock),
    list: listJobs({ records, queue, clock }),
    replay: replayJobs({ records, queue, clock }),
    drop: dropJob({ records, queue, clock }),
  };
}

/** What each kind of job does. */
export function workOf(
  { config, stores, log, ...parts }: FlowParts,
  writing: Writing,
  served: ServedParameters,
): JobTable {
  const { records, images, clock } = writing;
  const { timeZone, repositoryUid: repositoryUniqueId, dimseAeTitle: retrieveAETitle } = config;
  const endpoint = IMAGE_ENDPOINT.reference;
  const alert = ({ reason, source, studyInstanceUID: study, sopInstanceUID }: QuarantinedInstance, why: string): void =>
    log.error({ reason, source, study, sopInstanceUID, why }, 'an instance cannot be read and is kept aside');
  const maintain = maintainStudy({ ...writing, timeZone, repositoryUniqueId, retrieveAETitle, endpoint, alert });
  const goOn = goOnErasing(writing);
  const sweep = sweepImages({ records, images, clock, olderThanMs: SWEEP_AGE_MS });
  const { trail, anchoring } = stores;
  const cut = cutTrail({ ...parts, ...anchoring, trail, records, log, years: config.auditRetentionYears });
  const list = listKeptAside(writing);
  const correct = correctDerived(writing);
  const settled = settleAndDerive(writing);
  const refresh = async ({ subject, askedAt }: TakenJob, closing = false): Promise<void> => {
    await settled(subject, closing, async () => await maintain(subject, closing, askedAt));
    await list(subject);
  };
  return {
    'refresh-study': async (job) => await refresh(job),
    'update-study': async (job) => await refresh(job),
    'close-study': async (job) => await refresh(job, true),
    'settle-person': settlePerson(writing),
    'end-given': endGiven({ ...writing, tokens: stores.tokens }),
    'correct-identity': async ({ subject }, run) => await correct(subject, run),
    'erase-study': async ({ subject }, run) => await goOn(subject, run),
    'erase-record': eraseRecord({ ...writing, tokens: stores.tokens, mailer: parts.mailer }),
    'purge-joined': purgeJoined(writing),
    'forget-erased': async () => await records.forget(),
    'forget-tries': forgetTries(writing),
    'sweep-images': async (_job, run) => {
      await sweep(run);
      return { againAt: clock.now() + SWEEP_PAUSE_MS };
    },
    'cut-trail': async (_job, run) => await cut(run),
    'end-viewing': endViewing(writing),
    'end-consent': endConsent(writing),
    ...groundWork(writing),
    'declare-named': declareNamed({ ...writing, timeZone }),
    'tell-news': tellNews({ ...writing, timeZone }),
    'send-notice': sendNotice({ ...writing, mailer: parts.mailer, attempts: JOB_POLICIES['send-notice'].attempts }),
    'mail-share': mailShare({ ...writing, mailer: parts.mailer, timeZone, log }),
    'alert-officers': alertOfficers({ ...writing, mailer: parts.mailer, log }),
    reindex: reindexRows({ ...parts, definitions: parts.indexDefinitions, index: stores.index, served, log }),
  };
}
