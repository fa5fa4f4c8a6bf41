/** Who a token stands for, asked again and again while the stores change: what ended counts at the next request. */
import { expect } from 'chai';
import type { PractitionerRole } from '@medplum/fhirtypes';
import { CODE_SYSTEM } from '../../profiles/codes.ts';
import type { RegionClient } from '../../server/config/region-model.ts';
import { createAuthenticate, tokenIdOf } from '../../server/endpoints/smart/tokens/authenticate.ts';
import { ACCESS_TOKEN_MODEL } from '../../server/endpoints/smart/tokens/oidc-adapter.ts';
import { requesterOfToken } from '../../server/flows/identity/known-requesters.ts';
import { resolveRequester } from '../../server/flows/identity/resolve-requester.ts';
import type { Requester } from '../../server/access/requester.ts';
import type { CommitPlan, Put } from '../../server/ports/commit-plan.ts';
import { aMove, anIdentity, aPersonKey, aPlan, aPut, anId, NO_ENTRIES } from '../support/plans.ts';
import type { OpenStores } from '../support/stores.ts';
import { useStores } from './suite.ts';
import { commitPlan } from '../support/warrants.ts';

const CLIENT: RegionClient = {
  client_id: 'contract',
  name: 'Contract',
  scope: 'user/*.rs',
  token_endpoint_auth_method: 'none',
  grant_types: ['authorization_code'],
};
/** A role that all of them hold throughout. */
const ELSEWHERE = { organization: { reference: 'Organization/elsewhere' }, specialty: [] };
const HOUR = 3_600_000;
const RADIOLOGIST = [{ coding: [{ system: 'https://mos.esante.gouv.fr/NOS/TRE_R38', code: 'SM28' }] }];

/** Runs the contract on an adapter. */
export function requesterContract(name: string, open: OpenStores): void {
  describe(`The requester of a token (RFC 7009, RFC 6750): ${name}`, function () {
    this.timeout(30_000);
    const suite = useStores(open);
    const began = Math.ceil(Date.now() / 1000) * 1000;
    let now = began;
    let version = 1;
    let clients = [CLIENT];
    const clock = { now: () => now };
    const within = (organization: string): readonly string[] => [organization, 'Organization/whole'];
    const nameOf = (organization: string): string => `Name of ${organization}`;
    let ask: (authorization: string) => Promise<Requester>;
    beforeEach(() => {
      now = began;
      clients = [CLIENT];
      const { records, tokens } = suite;
      const authenticate = createAuthenticate({ tokens, clients: () => clients, clock });
      const resolve = resolveRequester({
        records,
        clock,
        timeZone: 'UTC',
        region: {
          within,
          partsOf: (whole) => [whole],
          nameOf,
          outsideCare: new Set(),
          breakGlass: {},
          representatives: {},
        },
      });
      const known = requesterOfToken({ records, tokens, region: { version: () => version }, clock, resolve });
      ask = async (authorization) =>
        await known(tokenIdOf(authorization), async () => await authenticate(authorization));
    });

    const write = async (parts: Omit<CommitPlan, 'id'>): Promise<void> =>
      void (await commitPlan(suite.records, aPlan(parts)));

    /** A token of an account that is asked for twice, so that what is kept is asked the second time. */
    async function signedIn(account: string): Promise<{ authorization: string; tokenId: string; grantId: string }> {
      const [token, grantId] = [`${anId()}${anId()}`, anId()];
      const authorization = `Bearer ${token}`;
      const tokenId = tokenIdOf(authorization);
      const payload = { clientId: CLIENT.client_id, accountId: account, scope: 'user/*.rs' };
      const expiresAt = (began + HOUR) / 1000;
      await suite.tokens.upsert(ACCESS_TOKEN_MODEL, tokenId, { payload, expiresAt }, { grantId });
      expect(await ask(authorization)).to.deep.equal(await ask(authorization));
      return { authorization, tokenId, grantId };
    }

    const aPractitioner = (id: string, active = true): Put =>
      aPut({
        type: 'Practitioner',
        id,
        resource: { resourceType: 'Practitioner', id, active, name: [{ family: 'Lambert' }] } as Put['resource'],
      });
    const aRole = (id: string, practitioner: string, parts: Partial<PractitionerRole> = {}): Put => {
      const organization = { reference: 'Organization/imaging' };
      const resource: PractitionerRole = {
        resourceType: 'PractitionerRole',
        id,
        practitioner: { reference: practitioner },
        organization,
        specialty: RADIOLOGIST,
        ...parts,
      };
      const index = { ...NO_ENTRIES, references: [{ param: 'practitioner', target: practitioner }] };
      return aPut({ type: 'PractitionerRole', id, resource, index });
    };
    async function aProfessional(period?: PractitionerRole['period']) {
      const [id, role] = [anId(), anId()];
      const practitioner = `Practitioner/${id}`;
      const parts = period === undefined ? {} : { period };
      await write({
        puts: [aPractitioner(id), aRole(role, practitioner, parts), aRole(anId(), practitioner, ELSEWHERE)],
      });
      return { id, role, practitioner, ...(await signedIn(practitioner)) };
    }
    const rolesOf = async (authorization: string) => {
      const requester = await ask(authorization);
      const roles = requester.kind === 'practitioner' ? requester.roles : [];
      const others = roles.filter(({ organization }) => organization !== ELSEWHERE.organization.reference);
      return others.map(({ organization, radiologist, offices }) => ({ organization, radiologist, offices }));
    };
    const expectRefused = async (authorization: string): Promise<void> => {
      expect(await ask(authorization).catch((error: unknown) => error)).to.include({ kind: 'login' });
    };
    const HELD = [{ organization: 'Organization/imaging', radiologist: true, offices: [] }];

    it('is refused from the request after the revocation of the token, and of its grant', async () => {
      const [one, other] = [await aProfessional(), await aProfessional()];
      await suite.tokens.destroy(ACCESS_TOKEN_MODEL, one.tokenId);
      await expectRefused(one.authorization);
      await suite.tokens.revokeByGrantId(ACCESS_TOKEN_MODEL, other.grantId);
      await expectRefused(other.authorization);
    });

    it('is refused when the token has expired, though nothing was written', async () => {
      const { authorization } = await aProfessional();
      now = began + HOUR - 1;
      await ask(authorization);
      now = began + HOUR;
      await expectRefused(authorization);
    });

    it('holds a role from the request after it was given to the one after it was ended or removed', async () => {
      const { role, practitioner, authorization } = await aProfessional();
      expect(await rolesOf(authorization)).to.deep.equal(HELD);
      await write({ puts: [aRole(role, practitioner, { active: false })] });
      expect(await rolesOf(authorization)).to.deep.equal([]);
      const given = anId();
      await write({ puts: [aRole(given, practitioner)] });
      expect(await rolesOf(authorization)).to.deep.equal(HELD);
      await write({ deletes: [{ type: 'PractitionerRole', id: given }] });
      expect(await rolesOf(authorization)).to.deep.equal([]);
    });

    it('is known by the role, and within all of which its organization is a part', async () => {
      const { role, authorization } = await aProfessional();
      const requester = await ask(authorization);
      const roles = requester.kind === 'practitioner' ? requester.roles : [];
      const held = roles.find(({ reference }) => reference === `PractitionerRole/${role}`);
      expect(held?.within).to.deep.equal(['Organization/imaging', 'Organization/whole']);
    });

    it('is refused while of all roles that the directory gives none is held', async () => {
      const [id, role] = [anId(), anId()];
      const practitioner = `Practitioner/${id}`;
      await write({ puts: [aPractitioner(id), aRole(role, practitioner)] });
      const { authorization } = await signedIn(practitioner);
      for (const parts of [{ active: false }, { period: { end: '2020-01-01' } }, { period: { start: '2999' } }]) {
        await write({ puts: [aRole(role, practitioner, parts)] });
        await expectRefused(authorization);
      }
      await write({ puts: [aRole(anId(), practitioner)] });
      expect(await rolesOf(authorization)).to.deep.equal(HELD);
    });

    it('is refused from the request after another region was loaded in which its client is none', async () => {
      const { authorization } = await aProfessional();
      clients = [];
      version += 1;
      await expectRefused(authorization);
    });

    it('keeps of its scopes those that its client is registered for now', async () => {
      const { authorization } = await aProfessional();
      clients = [{ ...CLIENT, scope: 'user/Patient.r openid' }];
      version += 1;
      expect((await ask(authorization)).scopes).to.deep.equal(['user/Patient.r']);
    });

    it('holds the offices that a role gives, for as long as it holds the role', async () => {
      const { role, practitioner, authorization } = await aProfessional();
      const desk = { code: [{ coding: [{ system: CODE_SYSTEM.regionRole, code: 'region-desk' }] }], specialty: [] };
      const offices = async () => (await rolesOf(authorization)).flatMap((held) => held.offices);
      expect(await offices()).to.deep.equal([]);
      await write({ puts: [aRole(role, practitioner, desk)] });
      expect(await rolesOf(authorization)).to.deep.equal([
        { organization: 'Organization/imaging', radiologist: false, offices: ['region-desk'] },
      ]);
      await write({ puts: [aRole(role, practitioner, { ...desk, period: { end: '2020' } })] });
      expect(await offices()).to.deep.equal([]);
    });

    it('is what its roles are, at institutions that have names', async () => {
      const { role, practitioner, authorization } = await aProfessional();
      const asked = async () => {
        const requester = await ask(authorization);
        const held = requester.kind === 'practitioner' ? requester.roles : [];
        const ours = held.find(({ organization }) => organization === 'Organization/imaging');
        return [ours?.profession?.code, ours?.institution];
      };
      const office = { coding: [{ system: CODE_SYSTEM.regionRole, code: 'region-desk' }] };
      const doctor = { coding: [{ system: 'https://mos.esante.gouv.fr/NOS/TRE_G15-ProfessionSante', code: '10' }] };
      await write({ puts: [aRole(role, practitioner, { code: [office, doctor], specialty: [] })] });
      expect(await asked()).to.deep.equal(['10', 'Name of Organization/imaging']);
      await write({ puts: [aRole(role, practitioner, { code: [office], specialty: [] })] });
      expect(await asked()).to.deep.equal([undefined, 'Name of Organization/imaging']);
    });

    it('holds a role within its period alone, though nothing was written', async () => {
      const at = (moment: number): string => new Date(moment).toISOString();
      const { authorization } = await aProfessional({ start: at(began + 1000), end: at(began + 2000) });
      expect(await rolesOf(authorization)).to.deep.equal([]);
      now = began + 1000;
      expect(await rolesOf(authorization)).to.deep.equal(HELD);
      now = began + 2001;
      expect(await rolesOf(authorization)).to.deep.equal([]);
    });

    it('is refused when the professional left the directory', async () => {
      const [inactive, removed] = [await aProfessional(), await aProfessional()];
      await write({ puts: [aPractitioner(inactive.id, false)] });
      await expectRefused(inactive.authorization);
      await write({ deletes: [{ type: 'Practitioner', id: removed.id }] });
      await expectRefused(removed.authorization);
    });

    it('is refused while the account is switched off, and follows the person who was joined', async () => {
      const [id, person, joined] = [anId(), aPersonKey(), aPersonKey()];
      const filed = { id, person, subject: `Patient/${id}` };
      await write({ puts: [aPut({ type: 'Patient', ...filed }), anIdentity(person, filed)] });
      const { authorization } = await signedIn(`Patient/${id}`);
      await write({ states: [{ person, change: { accountOff: true } }] });
      await expectRefused(authorization);
      await write({ states: [{ person, change: { accountOff: false } }] });
      expect(await ask(authorization)).to.include({ kind: 'patient', person });
      await write({ moves: [{ ...aMove({ from: person, to: joined }), identity: `Patient/${id}` }] });
      expect(await ask(authorization)).to.include({ kind: 'patient', person: joined });
    });
  });
}
