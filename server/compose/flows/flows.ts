/** The flows, each with the ports it needs: what doors are given. */
import type { XuaAssertion } from '../../../ihe/saml/assertion.ts';
import type { IsServed } from '../../../profiles/search/used-parameters.ts';
import type { Config } from '../../config/config.ts';
import { clearAside } from '../../flows/aside/clear-aside.ts';
import { moveStudy } from '../../flows/aside/move-study.ts';
import { listFormerAside } from '../../flows/aside/former-aside.ts';
import { judgeIdentities } from '../../flows/identity/judge-identities.ts';
import { askForCut } from '../../flows/audit/cut-trail.ts';
import { attempt } from '../../flows/attempt.ts';
import { breakGlass, mayDeclareEmergency } from '../../flows/consent/break-glass.ts';
import { decideReview } from '../../flows/consent/decide-review.ts';
import { endTokens } from '../../flows/directory/end-tokens.ts';
import { readMark } from '../../flows/directory/region-mark.ts';
import { weighRegion } from '../../flows/directory/weigh-region.ts';
import { erasingFlows } from '../../flows/erase/operator-flows.ts';
import type { RegionIndex } from '../../flows/identity/region-index.ts';
import { askForGrounds } from '../../flows/ground/settle-region.ts';
import { weighGrounds } from '../../flows/ground/weigh-grounds.ts';
import { announceImages, forecastRegion, loadRegion } from '../../flows/identity/load-region.ts';
import { transcodeInstance } from '../../flows/study/transcode-instance.ts';
import { askForWaiting } from '../../flows/named/take-up.ts';
import { accessLists } from '../../flows/consent/access-list/access-lists.ts';
import type { WhoCanAccessDeps } from '../../flows/consent/access-list/who-can-access.ts';
import { sayConfidentiality } from '../../flows/consent/say-confidentiality.ts';
import { changeConsent } from '../../flows/consent/change-consent.ts';
import { recordPaper } from '../../flows/consent/paper/record-paper.ts';
import { followedHolders } from '../../flows/directory/holders.ts';
import { givingFlows, type GivingDeps } from '../../flows/share/giving.ts';
import { cancelErasure, requestErasure, type RequestErasureDeps } from '../../flows/erase/request-erasure.ts';
import { setAccount } from '../../flows/consent/set-account.ts';
import { crossReference } from '../../flows/read/cross-reference.ts';
import { matchPatients } from '../../flows/read/match-patients.ts';
import { readHistory } from '../../flows/read/read-history.ts';
import { readIdentity } from '../../flows/read/read-identity.ts';
import { readResource } from '../../flows/read/read-resource.ts';
import type { GuardDeps } from '../../flows/guard.ts';
import { receiveAssociation } from '../../flows/intake/receive-association.ts';
import { receiveImport } from '../../flows/intake/receive-import.ts';
import { receiveStowRequest } from '../../flows/intake/receive-stow-request.ts';
import { subjectRights } from '../../flows/subject-rights/subject-rights.ts';
import { fileInstance, type FileInstanceDeps } from '../../flows/intake/file-instance.ts';
import { followedIndex } from '../../flows/identity/region-index.ts';
import { requesterOfToken } from '../../flows/identity/known-requesters.ts';
import { findRepresented, type FindRepresentedDeps } from '../../flows/care/representatives.ts';
import {
  accountPatient,
  accountResource,
  accountStands,
  findAccount,
  resolveRequester,
} from '../../flows/identity/resolve-requester.ts';
import { retrieveBulkData, retrieveFrames } from '../../flows/retrieve/retrieve-bulk.ts';
import { findExams, findLatestExams } from '../../flows/view/find-exams.ts';
import { openStudy } from '../../flows/view/open-study.ts';
import { openBinary } from '../../flows/read/open-binary.ts';
import { retrieveDocumentOfSet } from '../../flows/read/retrieve-document-set.ts';
import { retrieveInstances } from '../../flows/retrieve/retrieve-instances.ts';
import { retrieveMetadata } from '../../flows/retrieve/retrieve-metadata.ts';
import { retrieveRenderedInstance } from '../../flows/retrieve/retrieve-rendered-instance.ts';
import { retrieveRendered, retrieveThumbnail } from '../../flows/retrieve/retrieve-rendered.ts';
import { searchWithinStudy } from '../../flows/read/search-within-study.ts';
import { searchAcrossStudies } from '../../flows/read/search-across-studies.ts';
import { queryRegistry } from '../../flows/read/query-registry.ts';
import { searchResources } from '../../flows/read/search-resources.ts';
import { ServedParameters } from '../../flows/search-index/served-parameters.ts';
import { upgradeRecords } from '../../flows/upgrade/upgrade-records.ts';
import { writeResource, writeTransaction } from '../../flows/write/write-resource.ts';
import { askForSweep } from '../../flows/intake/sweep-images.ts';
import { receiveBytes } from '../../flows/intake/receive-bytes.ts';
import { Viewings } from '../../flows/retrieve/viewings.ts';
import type { Log } from '../../log.ts';
import type { AccountDirectory } from '../../ports/account-directory.ts';
import type { FlowParts } from './flow-parts.ts';
import { jobFlows, workOf } from './jobs.ts';
import { provedBy } from './proved-by.ts';

/** The flows by the names that doors use. */
export type Flows = ReturnType<typeof composeFlows>;

/** Makes all flows. */
export function composeFlows(parts: FlowParts) {
  const { config, region, stores, clock, indexer, validate, publicUrl, log, erasureKey } = parts;
  const { records, trail, tokens, images } = stores;
  const { timeZone, stayGraceDays } = config;
  const regionIndex = followedIndex(region, timeZone);
  const served = servedParameters(parts);
  const isServed: IsServed = (type, code) => served.isServed(type, code);
  const guard = { records, trail, clock, isServed };
  const holders = followedHolders(region);
  const writing = { ...guard, images, indexer, region: regionIndex, publicUrl, erasureKey, holders };
  const intake = { ...guard, ...composeIntake(config, writing, log) };
  const resolve = resolveRequester({ records, clock, timeZone, region: regionIndex });
  const find = findAccount({ records, clock, timeZone, region: regionIndex });
  return {
    attempt: attempt(guard),
    read: readResource(guard),
    readIdentity: readIdentity(guard),
    history: readHistory(guard),
    search: searchResources(guard),
    searchResources: searchResources(guard),
    ...affinityFlows(guard, parts, regionIndex),
    matchPatients: matchPatients(guard),
    searchWithinStudy: searchWithinStudy(guard),
    searchAcrossStudies: searchAcrossStudies(guard),
    openStudy: openStudy(guard),
    findExams: findExams({ searchResources: searchResources(guard) }),
    findLatestExams: findLatestExams({ searchResources: searchResources(guard) }),
    openBinary: openBinary({ ...guard, images }),
    retrieveDocumentOfSet: retrieveDocumentOfSet({ ...guard, images }),
    ...retrieveFlows(guard, stores),
    write: writeResource({ ...writing, validate, timeZone, stayGraceDays }),
    writeTransaction: writeTransaction({ ...writing, validate, timeZone, stayGraceDays }),
    decideReview: decideReview({ ...guard, indexer, timeZone, region: regionIndex }),
    breakGlass: breakGlass({ ...guard, indexer, region: regionIndex, hours: config.breakGlassHours }),
    mayDeclareEmergency: mayDeclareEmergency({ clock }),
    ...ownRecordFlows({ ...writing, days: config.erasureDays, timeZone }, config),
    ...subjectRights({ ...writing, timeZone }),
    clearAside: clearAside(writing),
    moveStudy: moveStudy(writing),
    judgeIdentities: judgeIdentities(writing),
    association: receiveAssociation({ ...intake, server: 'dimse' }),
    receiveImport: receiveImport(intake),
    receiveStowRequest: receiveStowRequest({ ...intake, maxInstanceBytes: config.maxInstanceBytes }),
    requesterOfToken: requesterOfToken({ records, tokens, region, clock, resolve }),
    accounts: accountFlows({ records, trail, clock, timeZone }, find),
    requesterOfAssertion: async (assertion: XuaAssertion) => (await resolve(await provedBy(assertion, find))).requester,
    ...erasingFlows({ ...writing, trail, log }),
    upgrade: upgradeRecords({ records, clock, indexer, region: regionIndex, log }),
    ...regionFlows(parts),
    askForSweep: askForSweep({ records, clock }),
    askForCut: askForCut({ records, clock, years: config.auditRetentionYears }),
    listFormerAside: listFormerAside(writing),
    servedParameters: served,
    isServed,
    jobs: jobFlows(parts, workOf(parts, writing, served)),
  };
}

/** Who signs in, and to which records. */
function accountFlows(deps: FindRepresentedDeps, find: ReturnType<typeof findAccount>): AccountDirectory {
  return {
    find,
    represented: findRepresented(deps),
    stands: accountStands(deps),
    resource: accountResource(deps),
    patient: accountPatient(deps),
  };
}

/** By which patients decide of their records, as a whole or of one item, and read who may open them. */
function ownRecordFlows(deps: RequestErasureDeps & WhoCanAccessDeps & GivingDeps, config: Config) {
  return {
    ...accessLists(deps),
    sayConfidentiality: sayConfidentiality(deps),
    changeConsent: changeConsent(deps),
    recordPaper: recordPaper(deps),
    ...givingFlows(deps, config),
    requestErasure: requestErasure(deps),
    cancelErasure: cancelErasure(deps),
    setAccount: setAccount(deps),
  };
}

/** Questions whose answers name patients in the affinity domain. */
function affinityFlows(
  guard: GuardDeps,
  { config, publicUrl }: Pick<FlowParts, 'config' | 'publicUrl'>,
  region: RegionIndex,
) {
  // The domain is asked for at each question, as a reload may say another.
  return {
    affinityDomain: () => region.affinityDomain,
    isPatientDomain: (system: string) => region.patientDomains.has(system),
    queryRegistry: queryRegistry({
      ...guard,
      searchResources: searchResources(guard),
      repositoryUniqueId: config.repositoryUid,
      homeCommunityId: config.homeCommunityId,
      get affinityDomain() {
        return region.affinityDomain;
      },
    }),
    crossReference: crossReference({
      ...guard,
      region,
      fhirBase: () => `${publicUrl()}/fhir`,
    }),
  };
}

/** Reads of one study's images, which share their viewings. */
function retrieveFlows(guard: GuardDeps, { images, renderer }: Pick<FlowParts['stores'], 'images' | 'renderer'>) {
  const viewings = new Viewings(guard);
  return {
    retrieveInstances: retrieveInstances(guard, viewings),
    retrieveMetadata: retrieveMetadata(guard),
    retrieveFrames: retrieveFrames({ ...guard, images, renderer }, viewings),
    retrieveBulkData: retrieveBulkData({ ...guard, images }, viewings),
    transcode: transcodeInstance({ images, renderer }),
    retrieveRendered: retrieveRendered({ ...guard, renderer }, viewings),
    retrieveRenderedInstance: retrieveRenderedInstance({ ...guard, renderer, images }, viewings),
    retrieveThumbnail: retrieveThumbnail({ ...guard, renderer }, viewings),
    viewings,
  };
}

/** The region file as the directory of the stores. */
function regionFlows({ config, stores, clock, indexer, publicUrl }: FlowParts) {
  const { records, tokens } = stores;
  const deps = { records, clock, indexer, publicUrl, repositoryUniqueId: config.repositoryUid };
  return {
    forecastRegion: forecastRegion(deps),
    loadRegion: loadRegion(deps),
    announceImages: announceImages(deps),
    weighRegion: weighRegion(deps),
    weighGrounds: weighGrounds({ records, clock, timeZone: config.timeZone }),
    endTokens: endTokens({ records, tokens, clock }),
    askForGrounds: askForGrounds({ records, clock }),
    askForWaiting: askForWaiting({ records, clock }),
    regionMark: async () => await readMark(records, clock.now()),
  };
}

type IntakeParts = Omit<FileInstanceDeps, 'quietPeriodMs' | 'alert'>;

function composeIntake(config: Config, writing: IntakeParts, log: Log) {
  return {
    fileInstance: fileInstance({
      ...writing,
      quietPeriodMs: config.studyQuietSeconds * 1000,
      alert: ({ reason, source, studyInstanceUID: study, sopInstanceUID }, { requester, requestId }) =>
        log.warn(
          { reason, source, study, sopInstanceUID, client: requester.clientId, requestId },
          'an instance contradicts what stands and is kept aside',
        ),
      dropped: ({ requester, requestId }) =>
        log.warn({ client: requester.clientId, requestId }, 'an instance was dropped: its patient is opposed'),
    }),
    receiveBytes: receiveBytes({
      images: writing.images,
      patientIdSystemOf: (organization) => writing.region.domainOf(organization).patientIdSystem,
    }),
  };
}

function servedParameters({ stores, clock, indexDefinitions: definitions }: FlowParts): ServedParameters {
  const { index, records, jobs: queue } = stores;
  return new ServedParameters({ index, records, queue, clock, definitions });
}
