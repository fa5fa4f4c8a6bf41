/** The flows, each with the ports it needs: what doors are given. */
import type { XuaAssertion } from '../ihe/saml/assertion.ts';
import { IDENTIFIER_SYSTEM } from '../profiles/codes.ts';
import { Fault } from '../profiles/fault.ts';
import type { Indexer } from '../profiles/search-index.ts';
import type { Config } from './config/config.ts';
import type { Region } from './config/region-model.ts';
import { breakGlass } from './flows/break-glass.ts';
import { changeConsent } from './flows/change-consent.ts';
import { endDeclaration } from './flows/end-declaration.ts';
import { eraseStudy } from './flows/erase-study.ts';
import { IMAGE_ENDPOINT, loadRegion } from './flows/load-region.ts';
import { maintainStudy } from './flows/maintain-study.ts';
import { readResource } from './flows/read-resource.ts';
import { receiveAssociation } from './flows/receive-association.ts';
import { receiveImport } from './flows/receive-import.ts';
import { receiveRequest } from './flows/receive-request.ts';
import { receiveInstance } from './flows/receive-instance.ts';
import { indexRegion } from './flows/region-index.ts';
import { findAccount, resolveRequester } from './flows/resolve-requester.ts';
import { retrieveBulkData, retrieveFrames } from './flows/retrieve-bulk.ts';
import { retrieveDocument } from './flows/retrieve-document.ts';
import { retrieveDocumentByUniqueId } from './flows/retrieve-documents.ts';
import { retrieveInstances } from './flows/retrieve-instances.ts';
import { retrieveMetadata } from './flows/retrieve-metadata.ts';
import { searchInstances } from './flows/search-instances.ts';
import { searchParts } from './flows/search-parts.ts';
import { searchResources } from './flows/search-resources.ts';
import type { MaintainStudyDeps } from './flows/study-at-hand.ts';
import { submitBundle } from './flows/submit-bundle.ts';
import { sweepImages } from './flows/sweep-images.ts';
import { takeInstance } from './flows/take-instance.ts';
import { Viewings } from './flows/viewings.ts';
import { workAgenda } from './flows/work-agenda.ts';
import type { Log } from './log.ts';
import type { AuditTrail } from './ports/audit-trail.ts';
import type { Clock } from './ports/clock.ts';
import type { QuarantinedInstance } from './ports/commit-plan.ts';
import type { ImageStore } from './ports/image-store.ts';
import type { RecordStore } from './ports/record-store.ts';

/** What flows are made from. */
export type FlowParts = {
  readonly config: Config;
  readonly region: Region;
  readonly stores: { readonly records: RecordStore; readonly trail: AuditTrail; readonly images: ImageStore };
  readonly clock: Clock;
  readonly indexer: Indexer;
  readonly publicUrl: () => string;
  readonly log: Log;
};

/** The flows by the names that doors use. */
export type Flows = ReturnType<typeof composeFlows>;

const RETRY_MS = 30_000;
/** A blob without a row is swept when no association can still be writing it. */
const SWEEP_AGE_MS = 3_600_000;
/** What an assertion's bearer may do: read and search. */
const ASSERTION_SCOPES = ['user/*.rs'];

/** Makes all flows. */
export function composeFlows({ config, region, stores, clock, indexer, publicUrl, log }: FlowParts) {
  const { records, trail, images } = stores;
  const regionIndex = indexRegion(region);
  const guard = { records, trail, clock };
  const writing = { ...guard, images, indexer, region: regionIndex, publicUrl };
  const receive = receiveInstance({
    ...writing,
    quietPeriodMs: config.studyQuietSeconds * 1000,
    alert: ({ reason, source }) => log.warn({ reason, source }, 'an instance contradicts what stands and is kept aside'),
  });
  const take = takeInstance({ images, patientIdSystemOf: (organization) => regionIndex.domainOf(organization).patientIdSystem });
  const erase = eraseStudy({ records, trail, images, clock, indexer, region: regionIndex });
  const viewings = new Viewings(guard);
  const resolve = resolveRequester({ records, clock });
  const find = findAccount({ records, clock });
  return {
    read: readResource(guard),
    search: searchResources(guard),
    searchResources: searchResources(guard),
    searchInstances: searchInstances(guard),
    searchParts: searchParts(guard),
    openDocument: retrieveDocument({ ...guard, images }),
    retrieveDocument: retrieveDocumentByUniqueId({ ...guard, images }),
    retrieveInstances: retrieveInstances(guard, viewings),
    retrieveMetadata: retrieveMetadata(guard),
    retrieveFrames: retrieveFrames({ ...guard, images }, viewings),
    retrieveBulkData: retrieveBulkData({ ...guard, images }, viewings),
    viewings,
    submit: submitBundle(writing),
    breakGlass: breakGlass({ ...guard, indexer, hours: config.breakGlassHours }),
    endDeclaration: endDeclaration({ ...guard, indexer }),
    changeConsent: changeConsent({ ...guard, indexer }),
    association: receiveAssociation({ ...guard, receive, server: 'dimse' }),
    receiveImport: receiveImport({ ...guard, receive }),
    receiveRequest: receiveRequest({ ...guard, take, receive, maxInstanceBytes: config.maxInstanceBytes }),
    resolveRequester: resolve,
    findAccount: find,
    requesterOfAssertion: async (assertion: XuaAssertion) => await resolve(await provedBy(assertion, find)),
    eraseStudy: erase,
    loadRegion: loadRegion({ records, clock, indexer, publicUrl, repositoryUniqueId: config.repositoryUid }),
    sweep: sweepImages({ records, images, clock, olderThanMs: SWEEP_AGE_MS }),
    workAgenda: agendaOf({ config, writing, log }, erase),
  };
}

type Writing = Omit<MaintainStudyDeps, 'timeZone' | 'repositoryUniqueId' | 'retrieveAETitle' | 'endpoint' | 'alert'>;

/** The work of the agenda, by the kind of its keys. */
function agendaOf({ config, writing, log }: { readonly config: Config; readonly writing: Writing; readonly log: Log }, erase: ReturnType<typeof eraseStudy>) {
  const { records, clock } = writing;
  const { timeZone, repositoryUid: repositoryUniqueId, dimseAeTitle: retrieveAETitle } = config;
  const endpoint = IMAGE_ENDPOINT.reference;
  const alert = ({ reason, source }: QuarantinedInstance, why: string): void =>
    log.error({ reason, source, why }, 'an instance cannot be read and is kept aside');
  const maintain = maintainStudy({ ...writing, timeZone, repositoryUniqueId, retrieveAETitle, endpoint, alert });
  return workAgenda({
    records,
    clock,
    work: {
      refresh: async (studyInstanceUID) => await maintain(studyInstanceUID, false),
      update: async (studyInstanceUID) => await maintain(studyInstanceUID, false),
      close: async (studyInstanceUID) => await maintain(studyInstanceUID, true),
      erase: async (studyInstanceUID) => void (await erase(studyInstanceUID)),
      forget: async () => await records.forget(),
    },
    retryMs: RETRY_MS,
    failed: (kind, error) => log.error({ kind, err: error }, 'work of the agenda failed and will be tried again'),
  });
}

/** Finds the professional that an assertion names, by the directory's identifiers. */
async function provedBy(assertion: XuaAssertion, find: ReturnType<typeof findAccount>): Promise<Parameters<ReturnType<typeof resolveRequester>>[0]> {
  const value = assertion.providerIdentifier?.value ?? assertion.nameId;
  const systems = [assertion.providerIdentifier?.system, IDENTIFIER_SYSTEM.professional, IDENTIFIER_SYSTEM.rpps];
  for (const system of new Set(systems)) {
    const account = system === undefined ? undefined : await find('practitioner', system, value);
    if (account === undefined) continue;
    return {
      clientId: assertion.issuer,
      scopes: ASSERTION_SCOPES,
      account: account.reference,
      authTime: Math.floor(assertion.authnInstant.getTime() / 1000),
      tokenId: assertion.id,
      ...(assertion.purposeOfUse === undefined ? {} : { purpose: assertion.purposeOfUse.code }),
    };
  }
  throw new Fault('login', 'The assertion names nobody of the directory');
}

