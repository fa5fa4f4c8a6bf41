/** The agents of an AuditEvent: the client, the server, and who stands behind the client. */
import type { AuditEventAgent, CodeableConcept, Coding } from '@medplum/fhirtypes';
import { CODE_SYSTEM } from '../codes.ts';
import type { PassageFacts } from './facts.ts';
import { dcm, type Roles, type Shape } from './shapes.ts';

type User = NonNullable<PassageFacts['user']>;

/** The server as an agent, and as the observer that an event comes from: BALP compares the two. */
export const SERVER = { display: 'Passerelle' } as const;

const source = dcm('110153', 'Source Role ID');
const destination = dcm('110152', 'Destination Role ID');
const application = dcm('110150', 'Application');
const custodian: Coding = { system: CODE_SYSTEM.participantType, code: 'custodian', display: 'Custodian' };
const authorizer: Coding = {
  system: CODE_SYSTEM.extraSecurityRole,
  code: 'authserver',
  display: 'authorization server',
};

/** Types of client and server. */
const TYPES: Readonly<Record<Roles, readonly [client: Coding, server: Coding]>> = {
  in: [source, destination],
  out: [destination, source],
  delete: [application, custodian],
  authorize: [application, authorizer],
};

/** Builds the agents. The first is the client, the second the server. */
export function agentsOf(facts: PassageFacts, shape: Shape): AuditEventAgent[] {
  const [client, server] = TYPES[shape.roles];
  const agents: AuditEventAgent[] = [
    {
      type: { coding: [client] },
      who: { identifier: { value: facts.client.id } },
      requestor: facts.user === undefined,
      ...(facts.client.address === undefined ? {} : { network: { address: facts.client.address, type: '2' } }),
    },
    { type: { coding: [server] }, who: SERVER, requestor: false, ...networkOf(facts, shape) },
  ];
  if (facts.user === undefined) return agents;
  agents.push(userAgent(facts.user, shape));
  return [...agents, ...organizationsOf(facts.user, shape)];
}

const HOST = /^https?:\/\/(\[[^\]]*\]|[^/:?#]+)/;
const IP_ADDRESS = /^(?:\[.*\]|\d+(?:\.\d+){3})$/;

/** The host of a base URL: a name (1) or an IP address (2). An authorizer has none. */
function networkOf({ server }: PassageFacts, { roles }: Shape): Pick<AuditEventAgent, 'network'> {
  const address = roles === 'authorize' ? undefined : HOST.exec(server)?.[1];
  return address === undefined ? {} : { network: { address, type: IP_ADDRESS.test(address) ? '2' : '1' } };
}

function userAgent(user: User, shape: Shape): AuditEventAgent {
  const { reference, display, assertion, tokenId } = user;
  const identifier = assertion && { system: assertion.issuer, value: assertion.nameId };
  return {
    type: userType(user, shape),
    who: { reference, ...(identifier === undefined ? {} : { identifier }), display },
    ...(reference.startsWith('Patient/') ? {} : { name: display }),
    ...rolesOf(user),
    requestor: true,
    ...(tokenId === undefined ? {} : { policy: [assertion === undefined ? `${JTI}${tokenId}` : tokenId] }),
    purposeOfUse: [{ coding: [purposeCoding(user.purpose)] }],
  };
}

/** @see RFC 9068; BALP, OAuth Access Token Use */
const JTI = 'urn:ietf:params:oauth:jti:';

const RECIPIENT = ['IRCP', 'information recipient'] as const;

function userType({ reference, tokenId, assertion }: User, { action }: Shape): CodeableConcept {
  const sends = action === 'C' || action === 'U' || action === 'D';
  const [code, display] = sends ? senderOf(reference) : RECIPIENT;
  const coding: Coding[] = [{ system: CODE_SYSTEM.participationType, code, display }];
  if (tokenId !== undefined)
    coding.push({
      system: CODE_SYSTEM.balpUserAgent,
      code: assertion === undefined ? 'UserOauthAgent' : 'UserSamlAgent',
    });
  return { coding };
}

/** What somebody is to what they send: the patient or who represents her tells of her, an establishment passes on. */
function senderOf(reference: string): readonly [code: string, display: string] {
  if (/^(Patient|RelatedPerson)\//.test(reference)) return ['INF', 'informant'];
  return reference.startsWith('Organization/') ? ['CST', 'custodian'] : ['AUT', 'author (originator)'];
}

/** What a professional is, each once: nobody knows in which of several roles they ask. */
function rolesOf({ roles = [] }: User): Pick<AuditEventAgent, 'role'> {
  const professions = new Map(roles.flatMap(({ profession }) => (profession ? [[profession.code, profession]] : [])));
  return professions.size === 0 ? {} : { role: [...professions.values()].map((one) => ({ coding: [one] })) };
}

/**
 * Whom the user speaks for: a professional for the organizations of each role; in an authorization an establishment for
 * itself, and the patient through the server.
 */
function organizationsOf({ reference, display, roles = [] }: User, shape: Shape): AuditEventAgent[] {
  const held = new Map(
    roles.map(({ organization, institution }) => [
      organization,
      { reference: organization, ...(institution === undefined ? {} : { display: institution }) },
    ]),
  );
  if (held.size > 0 || shape.roles !== 'authorize') return [...held.values()].map(organizationAgent);
  return [organizationAgent(reference.startsWith('Organization/') ? { reference, display } : SERVER)];
}

function organizationAgent(who: NonNullable<AuditEventAgent['who']>): AuditEventAgent {
  const type = { coding: [{ system: CODE_SYSTEM.roleClass, code: 'PROV', display: 'healthcare provider' }] };
  return { type, who, requestor: false };
}

/** A purpose of use. */
export function purposeCoding(purpose: string): Coding {
  return { system: CODE_SYSTEM.actReason, code: purpose };
}
