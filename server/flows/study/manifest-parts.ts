/**
 * The manifest of a study: made when the study closes, replaced when it closes with other instances, and as soon as its
 * patient is said otherwise than it says.
 */
import type { Binary, DocumentReference } from '@medplum/fhirtypes';
import { studyEntity } from '../../../profiles/audit/audit-event.ts';
import { MEDIA_TYPE } from '../../../profiles/codes.ts';
import { withSourcePatient } from '../../../profiles/documents/document-reference.ts';
import { buildManifestDocument } from '../../../profiles/documents/manifest-document.ts';
import { viewersOf, withViewers } from '../../../profiles/imaging/viewer-endpoint.ts';
import type { ItemReading } from '../../access/grant.ts';
import { claimKey } from '../../ports/claim-key.ts';
import type { AuditRecord } from '../../ports/commit-plan.ts';
import { ownOccasion, recordOf } from '../audit/event-records.ts';
import { jobOf } from '../jobs/job-of.ts';
import { newId } from '../new-id.ts';
import { buildStudyManifest, manifestUids } from './build-study-manifest.ts';
import { namesAsSaid } from './manifest-patient.ts';
import { changed } from '../write/changed-put.ts';
import { filedBy, joinParts, putOf, type PlanParts } from '../write/plan-parts.ts';
import { storeDocument } from '../write/store-document.ts';
import type { MaintainStudyDeps, StudyAtHand } from './study-at-hand.ts';
import type { Found } from '../internal-reads.ts';
import { organizationOf } from './study-content.ts';

/** Parts of the plan, the manifests (`DocumentReference/id`) that are current after it, and whether it makes one. */
export type ManifestParts = {
  readonly parts: PlanParts;
  readonly current: readonly string[];
  readonly isMade: boolean;
};

/** Works out what is to be written of a study's manifest. */
export async function manifestParts(
  deps: MaintainStudyDeps,
  reading: ItemReading,
  hand: StudyAtHand,
  closing: boolean,
): Promise<ManifestParts> {
  const uids = manifestUids(hand.study, hand.manifests.length + 1);
  const current = hand.manifests.filter(({ resource }) => resource.status === 'current');
  const former = hand.manifests
    .filter((found) => !current.includes(found))
    .map((found) => supersededParts(deps, hand, found));
  const told = current.filter(({ resource }) => namesAsSaid(resource, hand.study.patient));
  const isCorrected = current.length > 0 && told.length === 0;
  const held = told.some(({ resource }) => uids.some((uid) => isManifest(resource, uid)));
  if (!(closing || isCorrected) || held)
    return {
      parts: joinParts(...current.map((found) => releasedParts(deps, hand, found)), ...former),
      current: current.map(referenceTo),
      isMade: false,
    };
  // It may list what a former one listed, and is another.
  const uid = uids.find((one) => !hand.manifests.some(({ resource }) => isManifest(resource, one)));
  if (uid === undefined) throw new Error('More manifests than there are');
  const made = await newManifest(deps, reading, hand, uid, current);
  const replaced = current.map((found) => supersededParts(deps, hand, found));
  return { parts: joinParts(made.parts, ...replaced, ...former), current: [made.reference], isMade: true };
}

function isManifest(document: DocumentReference, uid: string): boolean {
  return document.masterIdentifier?.value === `urn:oid:${uid}`;
}

function referenceTo({ row }: Found<DocumentReference>): string {
  return `DocumentReference/${row.id}`;
}

function factsOf({ study, released }: StudyAtHand) {
  return { person: study.patient.person, subject: study.patient.patient, released };
}

/** A manifest is shown to the patient when the images are. What it says of her and of the viewer follows the study. */
function releasedParts(
  deps: MaintainStudyDeps,
  hand: StudyAtHand,
  { row, resource }: Found<DocumentReference>,
): PlanParts {
  const said = withSourcePatient(resource, hand.study.patient.resource);
  const document = withViewers(said, viewersOf([hand.imagingStudy]));
  const facts = { ...factsOf(hand), origin: filedBy(...hand.study.sources) };
  return changed(deps.indexer, row, document, hand.now, facts, hand.isOtherOrigin);
}

function supersededParts(
  deps: MaintainStudyDeps,
  hand: StudyAtHand,
  { row, resource }: Found<DocumentReference>,
): PlanParts {
  return changed(deps.indexer, row, { ...resource, status: 'superseded' }, hand.now, factsOf(hand));
}

async function newManifest(
  deps: MaintainStudyDeps,
  reading: ItemReading,
  hand: StudyAtHand,
  sopInstanceUID: string,
  current: readonly Found<DocumentReference>[],
) {
  const { study, now } = hand;
  const [source] = study.sources;
  const base = deps.publicUrl();
  const { accessionSystem } = deps.region.domainOf(source);
  const place = {
    repositoryUniqueId: deps.repositoryUniqueId,
    retrieveAETitle: deps.retrieveAETitle,
    dicomWeb: `${base}/dicom-web`,
    accessionSystem,
  };
  const bytes = buildStudyManifest(study, sopInstanceUID, place, new Date(now));
  const { blob, sha1Base64 } = await storeDocument(deps.images, bytes);
  const id = newId();
  const binaryId = newId();
  const document = buildManifestDocument({
    id,
    patient: study.patient.resource,
    study: hand.imagingStudy,
    manifest: {
      sopInstanceUID,
      binary: `Binary/${binaryId}`,
      url: `${base}/fhir/Binary/${binaryId}`,
      size: blob.size,
      sha1Base64,
    },
    organization: await organizationOf(deps.records, reading, source),
    created: new Date(now).toISOString(),
  });
  const replacing = current.map((found) => ({
    code: 'replaces' as const,
    target: { reference: referenceTo(found) },
  }));
  const binary: Binary = { resourceType: 'Binary', id: binaryId, contentType: MEDIA_TYPE.dicom };
  const facts = factsOf(hand);
  const origin = filedBy(...study.sources);
  const reference = `DocumentReference/${id}`;
  const parts: PlanParts = {
    claims: [{ key: claimKey.manifest(sopInstanceUID), value: id }],
    puts: [
      putOf(deps.indexer, replacing.length === 0 ? document : { ...document, relatesTo: replacing }, now, {
        ...facts,
        origin,
      }),
      putOf(deps.indexer, binary, now, { ...facts, parent: reference, blob }),
    ],
    audit: [closingRecord(hand, reference)],
    // Who looked at the study meanwhile, for a report of it, has not seen this manifest.
    jobs: [jobOf('refresh-study', study.studyInstanceUID, now)],
  };
  return { parts, reference };
}

function closingRecord({ study, imagingStudy, now }: StudyAtHand, manifest: string): AuditRecord {
  return recordOf({ now: () => now }, ownOccasion('passerelle'), 'close-study', {
    person: study.patient.person,
    patient: study.patient.patient,
    entities: [
      studyEntity(study.studyInstanceUID, `ImagingStudy/${imagingStudy.id}`),
      { what: { reference: manifest }, role: '3' },
    ],
  });
}
