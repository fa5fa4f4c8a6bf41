/** The flows by which a patient exercises the rights to her data, by the names that doors use. */
import { askAboutData, type AskAboutDataDeps } from './ask-about-data.ts';
import { beginExport, cancelExport, exportState } from './begin-export.ts';
import { exportRecord, type ExportRecordDeps } from './export-record.ts';

/** Makes them. */
export function subjectRights(deps: AskAboutDataDeps & ExportRecordDeps) {
  return {
    askAboutData: askAboutData(deps),
    beginExport: beginExport(deps),
    cancelExport: cancelExport(deps),
    exportState: exportState(deps),
    exportRecord: exportRecord(deps),
  };
}
