/** Every type of the product. Written by server/runtime/type-list.ts from the files of this folder. */
import { Appointment } from './appointment.ts';
import { AuditEvent } from './audit-event.ts';
import { Binary } from './binary.ts';
import { CareTeam } from './care-team.ts';
import { Communication } from './communication.ts';
import { Composition } from './composition.ts';
import { Consent } from './consent.ts';
import { Device } from './device.ts';
import { DiagnosticReport } from './diagnostic-report.ts';
import { DocumentReference } from './document-reference.ts';
import { Encounter } from './encounter.ts';
import { Endpoint } from './endpoint.ts';
import { HealthcareService } from './healthcare-service.ts';
import { ImagingStudy } from './imaging-study.ts';
import { List } from './list.ts';
import { Location } from './location.ts';
import { Observation } from './observation.ts';
import { Organization } from './organization.ts';
import { Patient } from './patient.ts';
import { Person } from './person.ts';
import { Practitioner } from './practitioner.ts';
import { PractitionerRole } from './practitioner-role.ts';
import { Provenance } from './provenance.ts';
import { RelatedPerson } from './related-person.ts';
import { ServiceRequest } from './service-request.ts';
import { Task } from './task.ts';

/** The files of this folder by the name of their type. */
export const TYPES = {
  Appointment,
  AuditEvent,
  Binary,
  CareTeam,
  Communication,
  Composition,
  Consent,
  Device,
  DiagnosticReport,
  DocumentReference,
  Encounter,
  Endpoint,
  HealthcareService,
  ImagingStudy,
  List,
  Location,
  Observation,
  Organization,
  Patient,
  Person,
  Practitioner,
  PractitionerRole,
  Provenance,
  RelatedPerson,
  ServiceRequest,
  Task,
} as const;
