/**
 * The manifest of a study: made when the study closes, replaced when it closes with other instances, and as soon as its
 * patient is said otherwise than it says. One that says again what is so is current again, above those that it
 * replaced; the others are hidden: they were made of a mistake.
 */
import type { Binary, DocumentReference } from '@medplum/fhirtypes';
import { studyEntity } from '../../../profiles/audit/entities.ts';
import { MEDIA_TYPE } from '../../../profiles/codes.ts';
import { labelOf } from '../../../profiles/confidentiality.ts';
import { withSourceNumbers, withSourcePatient } from '../../../profiles/documents/document-reference.ts';
import { buildManifestDocument } from '../../../profiles/documents/manifest-document.ts';
import { viewersOf, withViewers } from '../../../profiles/imaging/viewer-endpoint.ts';
import { withLabel } from '../../../profiles/said-label.ts';
import type { ItemReading } from '../../access/grant.ts';
import { claimKey } from '../../ports/claim-key.ts';
import type { AuditRecord } from '../../ports/commit-plan.ts';
import { ownOccasion, recordOf } from '../audit/event-records.ts';
import { jobOf } from '../jobs/job-of.ts';
import { newId } from '../new-id.ts';
import { buildStudyManifest, manifestUids } from './build-study-manifest.ts';
import { hiddenParts, isHidden } from './hidden-manifest.ts';
import { namesAsSaid } from './manifest-patient.ts';
import { changed } from '../write/changed-put.ts';
import { joinParts, putOf, shownOf, type PlanParts } from '../write/plan-parts.ts';
import { storeDocument } from '../write/store-document.ts';
import type { MaintainStudyDeps, StudyAtHand } from './study-at-hand.ts';
import { claimOf, type Found } from '../internal-reads.ts';
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
  const current = hand.manifests.filter(({ resource }) => resource.status === 'current');
  const told = hand.manifests.filter((found) => namesAsSaid(found.resource, hand.study.patient));
  const isCorrected = current.length > 0 && !current.some((found) => told.includes(found));
  const kept = { ...keptParts(deps, hand, current), isMade: false };
  if (!(closing || isCorrected) && told.every((found) => current.includes(found))) return kept;
  const { alike, next } = await listing(deps, reading, hand);
  const saying = alike.filter((found) => told.includes(found));
  if (saying.some((found) => current.includes(found))) return kept;
  const again = saying.at(-1);
  if (again !== undefined) return { ...againParts(deps, hand, again), isMade: true };
  if (!(closing || isCorrected)) return kept;
  const made = await newManifest(deps, reading, hand, next, current);
  return { parts: joinParts(made.parts, ...formerParts(deps, hand, [])), current: [made.reference], isMade: true };
}

/** Those that list what stands of a study, earliest first, and the UID of a further one. */
async function listing(
  { records }: MaintainStudyDeps,
  reading: ItemReading,
  { study, manifests }: StudyAtHand,
): Promise<{ readonly alike: readonly Found<DocumentReference>[]; readonly next: string }> {
  const alike: Found<DocumentReference>[] = [];
  for (const uid of manifestUids(study)) {
    const found = manifests.find(({ resource }) => resource.masterIdentifier?.value === `urn:oid:${uid}`);
    if (found !== undefined) alike.push(found);
    // It may be the one of another person, whose the study was.
    else if ((await claimOf(records, reading, claimKey.manifest(uid))) === undefined) return { alike, next: uid };
  }
  throw new Error('More manifests than there are');
}

type Standing = Omit<ManifestParts, 'isMade'>;

/** Those that are current stay so. */
function keptParts(deps: MaintainStudyDeps, hand: StudyAtHand, current: readonly Found<DocumentReference>[]): Standing {
  const parts = current.map((found) => releasedParts(deps, hand, found));
  return { parts: joinParts(...parts, ...formerParts(deps, hand, current)), current: current.map(referenceTo) };
}

/** A former one says what is so: it is above those that it replaced, and what was made otherwise is hidden. */
function againParts(deps: MaintainStudyDeps, hand: StudyAtHand, again: Found<DocumentReference>): Standing {
  const reference = referenceTo(again);
  const replaced = replacedBy(hand.manifests, again);
  const otherwise = hand.manifests.filter((found) => found !== again && !replaced.has(found));
  const parts = joinParts(
    releasedParts(deps, hand, { ...again, resource: { ...again.resource, status: 'current' } }),
    ...[...replaced].map((found) => supersededParts(deps, hand, found)),
    ...otherwise.map((found) => hiddenParts(deps.indexer, found, hand.now)),
    afterwards(hand, reference),
  );
  return { parts, current: [reference] };
}

/** The manifests that one replaces, those that these replace, and so on. */
function replacedBy(
  all: readonly Found<DocumentReference>[],
  replacing: Found<DocumentReference>,
): ReadonlySet<Found<DocumentReference>> {
  const byReference = new Map<string | undefined, Found<DocumentReference>>(all.map((one) => [referenceTo(one), one]));
  const found = new Set<Found<DocumentReference>>();
  const ahead = [replacing];
  for (const { resource } of ahead) {
    const replaced = (resource.relatesTo ?? []).filter(({ code }) => code === 'replaces');
    const own = replaced.flatMap(({ target }) => byReference.get(target.reference) ?? []);
    const further = own.filter((one) => !found.has(one));
    for (const one of further) found.add(one);
    ahead.push(...further);
  }
  return found;
}

/** What is shown beside those that are current is superseded; what is hidden stays so. */
function formerParts(
  deps: MaintainStudyDeps,
  hand: StudyAtHand,
  current: readonly Found<DocumentReference>[],
): readonly PlanParts[] {
  const former = hand.manifests.filter((found) => !current.includes(found) && !isHidden(found));
  return former.map((found) => supersededParts(deps, hand, found));
}

function referenceTo({ row }: Found<DocumentReference>): string {
  return `DocumentReference/${row.id}`;
}

function factsOf({ study, released }: StudyAtHand) {
  return { person: study.patient.person, subject: study.patient.patient, released };
}

/**
 * A manifest is shown to the patient when the images are, under their label. What it says of her and of the viewer
 * follows the study.
 */
function releasedParts(
  deps: MaintainStudyDeps,
  hand: StudyAtHand,
  { row, resource }: Found<DocumentReference>,
): PlanParts {
  const said = withSourcePatient(resource, hand.study.patient.resource);
  const document = withLabel(withViewers(said, viewersOf([hand.imagingStudy])), labelOf(hand.imagingStudy.meta));
  const facts = { ...factsOf(hand), origin: shownOf(deps.region, hand.imagingStudy, ...hand.study.sources) };
  return changed(deps.indexer, row, document, hand.now, facts, hand.isOtherOrigin);
}

/** What it says of the patient's numbers follows her, for the manifest itself says nothing of them. */
function supersededParts(
  deps: MaintainStudyDeps,
  hand: StudyAtHand,
  { row, resource }: Found<DocumentReference>,
): PlanParts {
  const { own, resource: patient } = hand.study.patient;
  const former = withLabel({ ...resource, status: 'superseded' }, labelOf(hand.imagingStudy.meta));
  const document = withSourceNumbers(former, own, patient);
  const facts = { ...factsOf(hand), origin: shownOf(deps.region, hand.imagingStudy, ...hand.study.sources) };
  return changed(deps.indexer, row, document, hand.now, facts, hand.isOtherOrigin);
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
  const origin = shownOf(deps.region, hand.imagingStudy, ...study.sources);
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
  };
  return { parts: joinParts(parts, afterwards(hand, reference)), reference };
}

function afterwards(hand: StudyAtHand, manifest: string): PlanParts {
  return {
    audit: [closingRecord(hand, manifest)],
    // Who looked at the study meanwhile, for a report of it, has not seen this manifest.
    jobs: [jobOf('refresh-study', hand.study.studyInstanceUID, hand.now)],
  };
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
