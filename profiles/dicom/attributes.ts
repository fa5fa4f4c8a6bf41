/** Typed access to the attributes of a data set by tag. @see DICOM PS3.6 section 6 */
import type { DicomDataSet } from './data-element.ts';
import { numericValues, textValues } from './element-values.ts';
import { isUID } from './uid.ts';

/** Attribute keyword to tag, each tag written once. */
export const TAG = {
  FileSetID: 0x00_04_11_30,
  OffsetOfTheFirstDirectoryRecordOfTheRootDirectoryEntity: 0x00_04_12_00,
  OffsetOfTheLastDirectoryRecordOfTheRootDirectoryEntity: 0x00_04_12_02,
  FileSetConsistencyFlag: 0x00_04_12_12,
  DirectoryRecordSequence: 0x00_04_12_20,
  OffsetOfTheNextDirectoryRecord: 0x00_04_14_00,
  RecordInUseFlag: 0x00_04_14_10,
  OffsetOfReferencedLowerLevelDirectoryEntity: 0x00_04_14_20,
  DirectoryRecordType: 0x00_04_14_30,
  PrivateRecordUID: 0x00_04_14_32,
  ReferencedFileID: 0x00_04_15_00,
  ReferencedSOPClassUIDInFile: 0x00_04_15_10,
  ReferencedSOPInstanceUIDInFile: 0x00_04_15_11,
  ReferencedTransferSyntaxUIDInFile: 0x00_04_15_12,
  SpecificCharacterSet: 0x00_08_00_05,
  ImageType: 0x00_08_00_08,
  InstanceCreationDate: 0x00_08_00_12,
  InstanceCreationTime: 0x00_08_00_13,
  SOPClassUID: 0x00_08_00_16,
  SOPInstanceUID: 0x00_08_00_18,
  StudyDate: 0x00_08_00_20,
  SeriesDate: 0x00_08_00_21,
  AcquisitionDate: 0x00_08_00_22,
  ContentDate: 0x00_08_00_23,
  StudyTime: 0x00_08_00_30,
  SeriesTime: 0x00_08_00_31,
  AcquisitionTime: 0x00_08_00_32,
  ContentTime: 0x00_08_00_33,
  AccessionNumber: 0x00_08_00_50,
  IssuerOfAccessionNumberSequence: 0x00_08_00_51,
  QueryRetrieveLevel: 0x00_08_00_52,
  RetrieveAETitle: 0x00_08_00_54,
  InstanceAvailability: 0x00_08_00_56,
  Modality: 0x00_08_00_60,
  ModalitiesInStudy: 0x00_08_00_61,
  Manufacturer: 0x00_08_00_70,
  InstitutionName: 0x00_08_00_80,
  InstitutionCodeSequence: 0x00_08_00_82,
  ReferringPhysicianName: 0x00_08_00_90,
  ReferringPhysicianIdentificationSequence: 0x00_08_00_96,
  ConsultingPhysicianName: 0x00_08_00_9c,
  ConsultingPhysicianIdentificationSequence: 0x00_08_00_9d,
  CodeValue: 0x00_08_01_00,
  CodingSchemeDesignator: 0x00_08_01_02,
  CodeMeaning: 0x00_08_01_04,
  CodingSchemeUID: 0x00_08_01_0c,
  CodingSchemeIdentificationSequence: 0x00_08_01_10,
  LongCodeValue: 0x00_08_01_19,
  URNCodeValue: 0x00_08_01_20,
  TimezoneOffsetFromUTC: 0x00_08_02_01,
  StationName: 0x00_08_10_10,
  StudyDescription: 0x00_08_10_30,
  ProcedureCodeSequence: 0x00_08_10_32,
  SeriesDescription: 0x00_08_10_3e,
  InstitutionalDepartmentName: 0x00_08_10_40,
  PerformingPhysicianName: 0x00_08_10_50,
  PerformingPhysicianIdentificationSequence: 0x00_08_10_52,
  NameOfPhysiciansReadingStudy: 0x00_08_10_60,
  PhysiciansReadingStudyIdentificationSequence: 0x00_08_10_62,
  OperatorsName: 0x00_08_10_70,
  OperatorIdentificationSequence: 0x00_08_10_72,
  ManufacturerModelName: 0x00_08_10_90,
  ReferencedStudySequence: 0x00_08_11_10,
  ReferencedSeriesSequence: 0x00_08_11_15,
  ReferencedSOPClassUID: 0x00_08_11_50,
  ReferencedSOPInstanceUID: 0x00_08_11_55,
  ReferencedFrameNumber: 0x00_08_11_60,
  RetrieveURL: 0x00_08_11_90,
  FailureReason: 0x00_08_11_97,
  OtherFailuresSequence: 0x00_08_11_9a,
  FailedSOPSequence: 0x00_08_11_98,
  ReferencedSOPSequence: 0x00_08_11_99,
  AnatomicRegionSequence: 0x00_08_22_18,
  AvailableTransferSyntaxUID: 0x00_08_30_02,
  PatientName: 0x00_10_00_10,
  PatientID: 0x00_10_00_20,
  IssuerOfPatientID: 0x00_10_00_21,
  IssuerOfPatientIDQualifiersSequence: 0x00_10_00_24,
  UniversalEntityID: 0x00_40_00_32,
  UniversalEntityIDType: 0x00_40_00_33,
  IdentifierTypeCode: 0x00_40_00_35,
  LocalNamespaceEntityID: 0x00_40_00_31,
  PatientBirthDate: 0x00_10_00_30,
  PatientBirthTime: 0x00_10_00_32,
  PatientSex: 0x00_10_00_40,
  OtherPatientIDs: 0x00_10_10_00,
  OtherPatientNames: 0x00_10_10_01,
  OtherPatientIDsSequence: 0x00_10_10_02,
  PatientBirthName: 0x00_10_10_05,
  PatientAge: 0x00_10_10_10,
  PatientComments: 0x00_10_40_00,
  PatientIdentityRemoved: 0x00_12_00_62,
  BodyPartExamined: 0x00_18_00_15,
  DeviceSerialNumber: 0x00_18_10_00,
  ProtocolName: 0x00_18_10_30,
  ImagerPixelSpacing: 0x00_18_11_64,
  StudyInstanceUID: 0x00_20_00_0d,
  SeriesInstanceUID: 0x00_20_00_0e,
  StudyID: 0x00_20_00_10,
  SeriesNumber: 0x00_20_00_11,
  AcquisitionNumber: 0x00_20_00_12,
  InstanceNumber: 0x00_20_00_13,
  FrameOfReferenceUID: 0x00_20_00_52,
  Laterality: 0x00_20_00_60,
  ImageLaterality: 0x00_20_00_62,
  NumberOfStudyRelatedSeries: 0x00_20_12_06,
  NumberOfStudyRelatedInstances: 0x00_20_12_08,
  NumberOfSeriesRelatedInstances: 0x00_20_12_09,
  SamplesPerPixel: 0x00_28_00_02,
  PhotometricInterpretation: 0x00_28_00_04,
  PlanarConfiguration: 0x00_28_00_06,
  NumberOfFrames: 0x00_28_00_08,
  Rows: 0x00_28_00_10,
  Columns: 0x00_28_00_11,
  PixelSpacing: 0x00_28_00_30,
  BitsAllocated: 0x00_28_01_00,
  BitsStored: 0x00_28_01_01,
  HighBit: 0x00_28_01_02,
  PixelRepresentation: 0x00_28_01_03,
  PixelPaddingValue: 0x00_28_01_20,
  PixelPaddingRangeLimit: 0x00_28_01_21,
  BurnedInAnnotation: 0x00_28_03_01,
  WindowCenter: 0x00_28_10_50,
  WindowWidth: 0x00_28_10_51,
  RescaleIntercept: 0x00_28_10_52,
  RescaleSlope: 0x00_28_10_53,
  VOILUTFunction: 0x00_28_10_56,
  RedPaletteColorLookupTableDescriptor: 0x00_28_11_01,
  GreenPaletteColorLookupTableDescriptor: 0x00_28_11_02,
  BluePaletteColorLookupTableDescriptor: 0x00_28_11_03,
  RedPaletteColorLookupTableData: 0x00_28_12_01,
  GreenPaletteColorLookupTableData: 0x00_28_12_02,
  BluePaletteColorLookupTableData: 0x00_28_12_03,
  SegmentedRedPaletteColorLookupTableData: 0x00_28_12_21,
  SegmentedGreenPaletteColorLookupTableData: 0x00_28_12_22,
  SegmentedBluePaletteColorLookupTableData: 0x00_28_12_23,
  ModalityLUTSequence: 0x00_28_30_00,
  LUTDescriptor: 0x00_28_30_02,
  LUTData: 0x00_28_30_06,
  VOILUTSequence: 0x00_28_30_10,
  RepresentativeFrameNumber: 0x00_28_60_10,
  PixelMeasuresSequence: 0x00_28_91_10,
  FrameVOILUTSequence: 0x00_28_91_32,
  PixelValueTransformationSequence: 0x00_28_91_45,
  RequestingPhysician: 0x00_32_10_32,
  RequestedProcedureDescription: 0x00_32_10_60,
  RequestedProcedureCodeSequence: 0x00_32_10_64,
  AdmissionID: 0x00_38_00_10,
  IssuerOfAdmissionIDSequence: 0x00_38_00_14,
  PerformedLocation: 0x00_40_02_43,
  PerformedProcedureStepStartDate: 0x00_40_02_44,
  PerformedProcedureStepStartTime: 0x00_40_02_45,
  RequestAttributesSequence: 0x00_40_02_75,
  SpecimenIdentifier: 0x00_40_05_51,
  SpecimenUID: 0x00_40_05_54,
  SpecimenDescriptionSequence: 0x00_40_05_60,
  IssuerOfTheSpecimenIdentifierSequence: 0x00_40_05_62,
  SpecimenShortDescription: 0x00_40_06_00,
  MeasurementUnitsCodeSequence: 0x00_40_08_ea,
  PersonIdentificationCodeSequence: 0x00_40_11_01,
  ScheduledProcedureStepID: 0x00_40_00_09,
  RequestedProcedureID: 0x00_40_10_01,
  ReasonForTheRequestedProcedure: 0x00_40_10_02,
  ReasonForRequestedProcedureCodeSequence: 0x00_40_10_0a,
  NamesOfIntendedRecipientsOfResults: 0x00_40_10_10,
  IntendedRecipientsOfResultsIdentificationSequence: 0x00_40_10_11,
  ReasonForPerformedProcedureCodeSequence: 0x00_40_10_12,
  RelationshipType: 0x00_40_a0_10,
  VerifyingOrganization: 0x00_40_a0_27,
  VerificationDateTime: 0x00_40_a0_30,
  ObservationDateTime: 0x00_40_a0_32,
  ValueType: 0x00_40_a0_40,
  ConceptNameCodeSequence: 0x00_40_a0_43,
  VerifyingObserverSequence: 0x00_40_a0_73,
  VerifyingObserverName: 0x00_40_a0_75,
  AuthorObserverSequence: 0x00_40_a0_78,
  DateTime: 0x00_40_a1_20,
  Date: 0x00_40_a1_21,
  Time: 0x00_40_a1_22,
  PersonName: 0x00_40_a1_23,
  UID: 0x00_40_a1_24,
  TemporalRangeType: 0x00_40_a1_30,
  ReferencedSamplePositions: 0x00_40_a1_32,
  ReferencedTimeOffsets: 0x00_40_a1_38,
  ReferencedDateTime: 0x00_40_a1_3a,
  TextValue: 0x00_40_a1_60,
  ConceptCodeSequence: 0x00_40_a1_68,
  MeasuredValueSequence: 0x00_40_a3_00,
  NumericValueQualifierCodeSequence: 0x00_40_a3_01,
  NumericValue: 0x00_40_a3_0a,
  ReferencedRequestSequence: 0x00_40_a3_70,
  CurrentRequestedProcedureEvidenceSequence: 0x00_40_a3_75,
  CompletionFlag: 0x00_40_a4_91,
  CompletionFlagDescription: 0x00_40_a4_92,
  VerificationFlag: 0x00_40_a4_93,
  PreliminaryFlag: 0x00_40_a4_96,
  ContentSequence: 0x00_40_a7_30,
  ReferencedContentItemIdentifier: 0x00_40_db_73,
  RetrieveLocationUID: 0x00_40_e0_11,
  DocumentTitle: 0x00_42_00_10,
  EncapsulatedDocument: 0x00_42_00_11,
  MIMETypeOfEncapsulatedDocument: 0x00_42_00_12,
  EncapsulatedDocumentLength: 0x00_42_00_15,
  ReferencedSegmentNumber: 0x00_62_00_0b,
  GraphicData: 0x00_70_00_22,
  GraphicType: 0x00_70_00_23,
  ContentLabel: 0x00_70_00_80,
  ReferencedImageEvidenceSequence: 0x00_08_90_92,
  DataPointRows: 0x00_28_90_01,
  DataPointColumns: 0x00_28_90_02,
  HL7InstanceIdentifier: 0x00_40_e0_01,
  ContentDescription: 0x00_70_00_81,
  PresentationCreationDate: 0x00_70_00_82,
  PresentationCreationTime: 0x00_70_00_83,
  ContentCreatorName: 0x00_70_00_84,
  BlendingSequence: 0x00_70_04_02,
  DoseSummationType: 0x30_04_00_0a,
  StructureSetLabel: 0x30_06_00_02,
  StructureSetDate: 0x30_06_00_08,
  StructureSetTime: 0x30_06_00_09,
  TreatmentDate: 0x30_08_02_50,
  TreatmentTime: 0x30_08_02_51,
  RTPlanLabel: 0x30_0a_00_02,
  RTPlanDate: 0x30_0a_00_06,
  RTPlanTime: 0x30_0a_00_07,
  PresentationLUTShape: 0x20_50_00_20,
  ReferencedFrameOfReferenceUID: 0x30_06_00_24,
  SharedFunctionalGroupsSequence: 0x52_00_92_29,
  PerFrameFunctionalGroupsSequence: 0x52_00_92_30,
  ExtendedOffsetTable: 0x7f_e0_00_01,
  ExtendedOffsetTableLengths: 0x7f_e0_00_02,
  FloatPixelData: 0x7f_e0_00_08,
  DoubleFloatPixelData: 0x7f_e0_00_09,
  PixelData: 0x7f_e0_00_10,
} as const;

/** Returns every text value, padding removed; empty when the attribute is absent or empty. */
export function textsOf(dataSet: DicomDataSet, tag: number): string[] {
  const element = dataSet.elements.get(tag);
  return element === undefined ? [] : textValues(element, dataSet);
}

/** Returns the first text value, or undefined when the attribute is absent or its first value empty. */
export function textOf(dataSet: DicomDataSet, tag: number): string | undefined {
  return textsOf(dataSet, tag)[0] || undefined;
}

/** Returns the first value when it is a UID (PS3.5 9.1), else undefined. */
export function uidOf(dataSet: DicomDataSet, tag: number): string | undefined {
  const uid = textOf(dataSet, tag);
  return uid !== undefined && isUID(uid) ? uid : undefined;
}

/** Returns the first value of a DA, or of the retired form with dots, as `YYYY-MM-DD`; undefined when it is no date. */
export function dateOf(dataSet: DicomDataSet, tag: number): string | undefined {
  const match = /^(\d{4})\.?(\d{2})\.?(\d{2})$/.exec(textOf(dataSet, tag) ?? '');
  if (match === null) return undefined;
  const date = `${match[1]}-${match[2]}-${match[3]}`;
  const parsed = new Date(`${date}T00:00:00Z`);
  return Number.isNaN(parsed.getTime()) || !parsed.toISOString().startsWith(date) ? undefined : date;
}

/** Returns the first value of a TM as `HH:MM:SS[.ffffff]`, missing parts as zero; undefined when it is no time. */
export function timeOf(dataSet: DicomDataSet, tag: number): string | undefined {
  const match = /^([01]\d|2[0-3])(?::?([0-5]\d)(?::?([0-5]\d|60)(\.\d{1,6})?)?)?$/.exec(textOf(dataSet, tag) ?? '');
  return match === null ? undefined : `${match[1]}:${match[2] ?? '00'}:${match[3] ?? '00'}${match[4] ?? ''}`;
}

/** Returns the first value of a numeric VR, IS or DS as a number; undefined when there is none. */
export function numberOf(dataSet: DicomDataSet, tag: number): number | undefined {
  const element = dataSet.elements.get(tag);
  if (element === undefined) return undefined;
  const text = element.vr === 'IS' || element.vr === 'DS' ? textOf(dataSet, tag) : undefined;
  const value = text ?? numericValues(element)[0];
  const number = value === undefined ? Number.NaN : Number(value);
  return Number.isFinite(number) ? number : undefined;
}

/** Returns the first value as an integer; undefined when there is none or it has a fraction. */
export function intOf(dataSet: DicomDataSet, tag: number): number | undefined {
  const number = numberOf(dataSet, tag);
  return Number.isSafeInteger(number) ? number : undefined;
}

/** Returns the items of a sequence; empty when it is absent or empty. */
export function itemsOf(dataSet: DicomDataSet, tag: number): readonly DicomDataSet[] {
  return dataSet.elements.get(tag)?.items ?? [];
}
