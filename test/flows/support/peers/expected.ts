/** What becomes of the sample files that do not simply come back: by file and sender, with the reason. */

/** The answer's status and comment, or what the sender says that did not send it. */
export type Refusal = { readonly status: number; readonly comment: RegExp } | { readonly notSent: RegExp };

/** A file, why it is not as others, and who refuses it how; senders that are not named deliver it. */
export type Exception = { readonly why: string; readonly by: Readonly<Record<string, Refusal>> };

const DATA_SET_MISMATCH = 0xa900;
const CANNOT_UNDERSTAND = 0xc000;

/** Orthanc's REST API takes no file that names no patient, study, series or instance; its answer has no details. */
const NO_OBJECT: Readonly<Record<string, Refusal>> = {
  storescu: { notSent: /No SOP Class or Instance UID/ },
  dcmsend: { notSent: /Invalid SOP Class UID/ },
  pynetdicom: { notSent: /SOPClassUID/ },
  Orthanc: { notSent: /./ },
};

/** By name of the file. */
export const EXCEPTIONS: Readonly<Record<string, Exception>> = {
  DICOMDIR: {
    why: 'a directory of a medium is no object of the network (PS3.4 B.5): its class is accepted in no context',
    by: { ...NO_OBJECT, 'raw bytes': { notSent: /No answer but 07/ } },
  },
  'empty_charset.dcm': {
    why: 'it names no SOP class and no instance',
    by: { ...NO_OBJECT, 'raw bytes': { notSent: /No SOP class/ } },
  },
  'broken_missing_transfer_syntax.dcm': {
    why: 'it names no SOP class and no instance, nor how it is encoded',
    by: { ...NO_OBJECT, 'raw bytes': { notSent: /No SOP class/ } },
  },
  'un_sequence.dcm': {
    why: 'the class and instance of its file meta information are not in its data set',
    by: {
      ...NO_OBJECT,
      dcmsend: { notSent: /not sent/ },
      'raw bytes': {
        status: DATA_SET_MISMATCH,
        comment: /^SOP Class UID of the data set is not the one of the command/,
      },
    },
  },
  'htj2k_lossless_rgb_201.dcm': {
    why: 'it belongs to no study and no series; DCMTK 3.6.7 does not know its transfer syntax',
    by: {
      storescu: { notSent: /Failed to send message/ },
      dcmsend: { notSent: /Unknown Transfer Syntax/ },
      pynetdicom: { status: DATA_SET_MISMATCH, comment: /^StudyInstanceUID is missing/ },
      Orthanc: { notSent: /./ },
      'raw bytes': { status: DATA_SET_MISMATCH, comment: /^StudyInstanceUID is missing/ },
    },
  },
  'broken_truncated_mr.dcm': {
    why: 'its pixel data is cut; pydicom sends what is left as a whole element, which is then what the object is',
    by: {
      storescu: { notSent: /premature end of stream/ },
      dcmsend: { notSent: /./ },
      Orthanc: { notSent: /invalid DICOM file/ },
      'raw bytes': { status: CANNOT_UNDERSTAND, comment: /^The data set ends inside/ },
    },
  },
};

/** Broken files that are stored, and why they may be. */
export const STORED_THOUGH_BROKEN: Readonly<Record<string, string>> = {
  'broken_bad_vr.dcm': 'a VR that no edition knows is two capitals, and is read as UN (PS3.5 6.2.2)',
  'broken_no_meta_length.dcm': 'only its file meta information is broken, which no sender sends',
};

/** Files that are taken and kept aside, and why: the desk of the sender says what becomes of them. */
export const KEPT_ASIDE: Readonly<Record<string, string>> = Object.fromEntries(
  ['sm_annotations.dcm', 'sm_image.dcm'].map((name) => [
    name,
    'its patient is numbered by a stranger, who is no sender',
  ]),
);
