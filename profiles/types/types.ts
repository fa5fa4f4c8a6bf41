/** Every type of the product. Written by server/runtime/type-list.ts from the files of this folder. */
import { AuditEvent } from './audit-event.ts';
import { Binary } from './binary.ts';
import { Communication } from './communication.ts';
import { Consent } from './consent.ts';
import { DiagnosticReport } from './diagnostic-report.ts';
import { DocumentReference } from './document-reference.ts';
import { Endpoint } from './endpoint.ts';
import { ImagingStudy } from './imaging-study.ts';
import { Organization } from './organization.ts';
import { Patient } from './patient.ts';
import { Practitioner } from './practitioner.ts';
import { PractitionerRole } from './practitioner-role.ts';
import { ServiceRequest } from './service-request.ts';
import { Task } from './task.ts';

/** The files of this folder by the name of their type. */
export const TYPES = {
  AuditEvent,
  Binary,
  Communication,
  Consent,
  DiagnosticReport,
  DocumentReference,
  Endpoint,
  ImagingStudy,
  Organization,
  Patient,
  Practitioner,
  PractitionerRole,
  ServiceRequest,
  Task,
} as const;
