/** What was sent to the server and what it acknowledged: the promises that a kill must not break. */
import { buildReportBundle } from '../../../fixtures/reports.ts';
import { reportTextOf } from '../../../fixtures/report-texts.ts';
import { aStudy } from '../../../fixtures/dicom/a-study.ts';
import type { DemoInstance, DemoStudy } from '../../../fixtures/dicom/studies.ts';
import type { Bundle, DiagnosticReport } from '@medplum/fhirtypes';

/** A study that was sent, whole or in part. */
export type SentStudy = {
  readonly study: DemoStudy;
  readonly instances: readonly DemoInstance[];
  /** SOP Instance UIDs of C-STORE requests answered with success. */
  readonly acknowledged: Set<string>;
};

/** A report that was posted. */
export type SentReport = {
  readonly bundle: Bundle;
  readonly identifier: string;
  readonly pdf: Buffer;
  acknowledged: boolean;
};

/** The studies and reports of one round, and answers that were neither success nor silence. */
export type Ledger = { readonly studies: SentStudy[]; readonly reports: SentReport[]; readonly refusals: string[] };

/** An empty ledger. */
export function newLedger(): Ledger {
  return { studies: [], reports: [], refusals: [] };
}

const INSTANCES = 4;

/** A small study of a patient of its own number; every third shares its number with the one before. */
export function aSentStudy(key: string, number: number): SentStudy {
  const localId = { strasbourg: `K-${key}-${number - (number % 3 === 2 ? 1 : 0)}` };
  const study = aStudy({ key: `${key}-${number}`, instances: INSTANCES, patient: { localId } });
  return { study, instances: [...study.instances()], acknowledged: new Set() };
}

/** The transaction that publishes the report of a study. */
export async function aSentReport({ study }: SentStudy): Promise<SentReport> {
  const bundle = await buildReportBundle(study, reportTextOf('ct-thorax'));
  const report = bundle.entry
    ?.map(({ resource }) => resource)
    .find((resource) => resource?.resourceType === 'DiagnosticReport') as DiagnosticReport;
  const [identifier] = report.identifier ?? [];
  const pdf = Buffer.from(report.presentedForm?.[0]?.data ?? '', 'base64');
  return { bundle, identifier: `${identifier?.system}|${identifier?.value}`, pdf, acknowledged: false };
}
