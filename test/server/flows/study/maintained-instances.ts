/** Instances of one study that tests derive from. */
import { uidOf } from '../../../../fixtures/dicom/uid.ts';
import { DICOM_UID } from '../../../../profiles/codes.ts';
import { element, hostileDataSet, sequence, type RawElements } from '../../../hostile/dicom/raw-data-set.ts';

/** The study. */
export const STUDY = uidOf('maintained');

const CLASS = {
  ct: `${DICOM_UID.storageClassPrefix}2`,
  mammogram: `${DICOM_UID.storageClassPrefix}1.2`,
  report: `${DICOM_UID.storageClassPrefix}88.11`,
};

/** An instance: its name, which its UID is made of, and its data set. */
export type Sent = { readonly name: string; readonly sopClassUID: string; readonly bytes: Buffer };

function sent(name: string, series: string, sopClassUID: string, changes: RawElements): Sent {
  const bytes = hostileDataSet(name, {
    '00080016': element('00080016', 'UI', sopClassUID),
    '0020000D': element('0020000D', 'UI', STUDY),
    '0020000E': element('0020000E', 'UI', uidOf(series)),
    ...changes,
  });
  return { name, sopClassUID, bytes };
}

const is = (tag: string, value: string) => ({ [tag]: element(tag, 'IS', value) });
const cs = (tag: string, value: string) => ({ [tag]: element(tag, 'CS', value) });
const lo = (tag: string, value: string) => ({ [tag]: element(tag, 'LO', value) });
const NO_NUMBER = { '00200013': Buffer.alloc(0) };

/** Numbers that repeat or are missing, series that contradict each other, sides and titles of single instances. */
export const INSTANCES: readonly Sent[] = [
  sent('left', 'mammograms', CLASS.mammogram, {
    ...is('00200011', '2'),
    ...is('00200013', '1'),
    ...cs('00200062', 'L'),
    ...cs('00080060', 'MG'),
    ...lo('00081030', 'Mammographie'),
  }),
  sent('right', 'mammograms', CLASS.mammogram, {
    ...is('00200011', '2'),
    ...is('00200013', '1'),
    ...cs('00200062', 'R'),
    ...cs('00080060', 'MG'),
    ...lo('00081030', 'Autre chose'),
  }),
  sent('report', 'reports', CLASS.report, {
    ...NO_NUMBER,
    ...cs('00080060', 'SR'),
    '0040A043': sequence('0040A043', [
      Buffer.concat([
        element('00080100', 'SH', '18748-4'),
        element('00080102', 'SH', 'LN'),
        element('00080104', 'LO', 'Compte rendu'),
      ]),
    ]),
  }),
  sent('numbered', 'slices', CLASS.ct, {
    ...is('00200011', '2'),
    ...is('00200013', '7'),
    ...lo('0008103E', 'Numérotée'),
  }),
  sent('unnumbered', 'slices', CLASS.ct, { ...is('00200011', '2'), ...NO_NUMBER, ...lo('0008103E', 'Sans numéro') }),
  sent('other', 'slices', CLASS.ct, {
    ...is('00200011', '3'),
    ...is('00200013', '8'),
    '00080050': element('00080050', 'SH', 'ACC-8'),
  }),
];
