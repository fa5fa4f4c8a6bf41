/** The forms of a report: their bytes lie in Binaries of their own, which stay while a document has them. */
import type { Attachment, Binary, DiagnosticReport } from '@medplum/fhirtypes';
import { CODE_SYSTEM } from '../../../profiles/codes.ts';
import { isValidated, requireHead, requireReport } from '../../../profiles/documents/diagnostic-report.ts';
import { formBytes, notSupported } from '../../../profiles/documents/report-form.ts';
import { isPreliminary, replacesDocument } from '../../../profiles/documents/report-status.ts';
import { toElements } from '../../../profiles/elements.ts';
import type { ItemReading } from '../../access/grant.ts';
import type { BlobRef } from '../../ports/image-store.ts';
import { openedResource } from '../../ports/internal-row.ts';
import type { InternalRow, RecordStore } from '../../ports/record-store.ts';
import { rowById } from '../internal-reads.ts';
import { newId } from '../new-id.ts';
import type { WriteAct } from './act.ts';
import { putOf, type PlanParts, type PutFacts } from './plan-parts.ts';
import { storeDocument, type StoredDocument } from './store-document.ts';
import type { Work, WriteDeps } from './work.ts';

/**
 * Checks a report and stores the form that it brings. A report that comes without bytes keeps those that it has; one
 * that nobody has validated, or that ends, needs none.
 * @throws {Fault} required, invalid - something that a report must have is missing or broken
 * @throws {Fault} business-rule - the bytes are not those that their size and hash tell of
 */
export async function storeForm({ images }: WriteDeps, act: WriteAct): Promise<StoredDocument | undefined> {
  if (!('resource' in act)) return undefined;
  const sent = act.resource as DiagnosticReport;
  requireHead(sent);
  const { presentedForm = [] } = sent;
  const keeps =
    act.interaction === 'update' && presentedForm.some(({ url, data }) => url !== undefined && data === undefined);
  if (!keeps && isValidated(sent)) requireReport(sent);
  if (act.interaction === 'create' && presentedForm.some(({ data }) => data === undefined))
    throw notSupported('A new report has at most one presentedForm, with its data');
  const bytes = formBytes(sent);
  return bytes === undefined ? undefined : await storeDocument(images, bytes);
}

/** What a report is sent with, and what stands of it. */
export type SentForms = {
  readonly sent: DiagnosticReport;
  readonly standing: DiagnosticReport | undefined;
  readonly document: StoredDocument | undefined;
};

/**
 * The forms of a report as they are kept. Bytes that stand keep their address, unless the version replaces what was
 * published; an addition keeps every form that stands.
 * @throws {Fault} not-supported - a form is neither one that stands nor brings its data
 */
export function formsOf({ deps }: Work, hand: SentForms): readonly Attachment[] {
  const { sent, standing, document } = hand;
  const former = standing?.presentedForm ?? [];
  const newUrl = (): string => `${deps.publicUrl()}/fhir/Binary/${newId()}`;
  const forms = (sent.presentedForm ?? []).map((form): Attachment => {
    const { data, ...described } = form;
    if (data === undefined || document === undefined) return keptForm(hand, form, newUrl);
    const { size } = document.blob;
    const same = replacesDocument(sent, standing) ? undefined : former.find(({ hash }) => hash === document.sha1Base64);
    return { ...described, url: same?.url ?? newUrl(), size, hash: document.sha1Base64 };
  });
  if (forms.length === 0 && isValidated(sent)) throw notSupported(KEEPS);
  if (sent.status !== 'appended' || standing === undefined || !isValidated(standing)) return forms;
  return [...former.map((one) => forms.find(({ url }) => url === one.url) ?? one), ...forms.filter(isNot(former))];
}

const KEEPS = 'A report keeps its presentedForm, or is put with a new one and its data';

function isNot(former: readonly Attachment[]) {
  return (form: Attachment): boolean => !former.some(({ url }) => url === form.url);
}

/** What is said of a form may change; its bytes are those that stand. */
function keptForm({ sent, standing }: SentForms, { data, ...described }: Attachment, newUrl: () => string): Attachment {
  const kept = standing?.presentedForm?.find(({ url }) => url !== undefined && url === described.url);
  if (kept === undefined || data !== undefined) throw notSupported(KEEPS);
  const { url, size, hash } = kept;
  return toElements<Attachment>({ ...described, url: replacesDocument(sent, standing) ? newUrl() : url, size, hash });
}

/** A report as it will stand, what stood and its row, and the facts of its row. */
export type FormsAtHand = {
  readonly report: DiagnosticReport;
  readonly standing: DiagnosticReport | undefined;
  readonly row: InternalRow | undefined;
  readonly document: StoredDocument | undefined;
  readonly facts: PutFacts;
};

/** The Binaries of a report's forms: new ones, and those whose readers change with the status of the report. */
export async function binaryParts(work: Work, hand: FormsAtHand): Promise<PlanParts[]> {
  const { report, standing, row, document } = hand;
  const former = standing?.presentedForm ?? [];
  const forms = report.presentedForm ?? [];
  const made = forms.filter(isNot(former));
  const parts: PlanParts[] = [];
  for (const form of made) {
    const same = former.find(({ hash }) => hash === form.hash);
    const blob = document?.sha1Base64 === form.hash ? document?.blob : await blobOf(work, same ?? {});
    if (blob !== undefined) parts.push(putBinary(work, hand, form, blob));
  }
  if (standing === undefined || row === undefined || stateOf(standing) === stateOf(report)) return parts;
  // An error takes the bytes of every version.
  const isError = report.status === 'entered-in-error';
  const kept = isError ? await formsOfVersions(work.deps.records, work.reading, row) : forms;
  for (const form of kept.filter(isNot(made))) {
    const blob = await blobOf(work, form);
    if (blob !== undefined) parts.push(putBinary(work, hand, form, blob));
  }
  return parts;
}

/** The forms that versions of a report had, the one that stands included. */
export async function formsOfVersions(
  records: RecordStore,
  reading: ItemReading,
  { id, version: last }: Pick<InternalRow, 'id' | 'version'>,
): Promise<readonly Attachment[]> {
  const forms = new Map<string | undefined, Attachment>();
  for (let version = last; version > 0; version -= 1) {
    const asked = { kind: 'resource', type: 'DiagnosticReport', id, version } as const;
    const row = await records.peek(reading({ item: `DiagnosticReport/${id}` }), asked);
    const { presentedForm = [] } = row === undefined ? {} : openedResource<DiagnosticReport>(row);
    for (const form of presentedForm) forms.set(form.url, form);
  }
  return [...forms.values()];
}

async function blobOf({ deps, reading }: Work, form: Attachment): Promise<BlobRef | undefined> {
  const row = await rowById(deps.records, reading, 'Binary', binaryOf(form));
  return row?.blob === undefined ? undefined : { name: row.blob.name, size: form.size ?? 0 };
}

/**
 * The Binary of a form. Former versions name bytes that only some may read: those of a report that nobody had
 * validated, or of an error.
 */
export function formBinary(report: DiagnosticReport, form: Attachment): Binary & { readonly id: string } {
  const state = stateOf(report);
  return {
    resourceType: 'Binary',
    id: binaryOf(form),
    contentType: form.contentType ?? '',
    ...(state === undefined ? {} : { meta: { tag: [{ system: CODE_SYSTEM.reportState, code: state }] } }),
  };
}

function putBinary({ deps, now }: Work, { report, facts }: FormsAtHand, form: Attachment, blob: BlobRef): PlanParts {
  const parent = `DiagnosticReport/${report.id}`;
  return { puts: [putOf(deps.indexer, formBinary(report, form), now, { ...facts, parent, blob })] };
}

function stateOf(report: DiagnosticReport): 'preliminary' | 'entered-in-error' | undefined {
  if (report.status === 'entered-in-error') return 'entered-in-error';
  return isPreliminary(report) ? 'preliminary' : undefined;
}

function binaryOf({ url = '' }: Attachment): string {
  return url.split('/Binary/').at(-1) ?? '';
}
