/** Ten mistakes in who is who and whose is what: the sequences of the identity property must find each of them. */
import type { Known } from './always.ts';

const FILES = ['test/server/flows/identity/who-sees-what.test.ts'];
const tests = [{ files: FILES }];

/** The mutants. */
export const IDENTITY_MUTANTS: readonly Known[] = [
  {
    path: 'profiles/identity/traits.ts',
    what: 'birth dates are not compared',
    from: 'one.birthDate === undefined || one.birthDate !== other.birthDate',
    to: 'one.birthDate === undefined',
    tests,
  },
  {
    path: 'profiles/identity/national-numbers.ts',
    what: 'a source qualifies numbers that the region file does not let it qualify',
    from: 'source.qualifies.includes(number.system) && mayJoin(number)',
    to: 'mayJoin(number)',
    tests,
  },
  {
    path: 'profiles/identity/national-numbers.ts',
    what: 'a number of which its source is not sure joins',
    from: 'mayJoin(number) && isSure(number.system)',
    to: 'mayJoin(number) && (isSure(number.system) || mayJoin(number))',
    tests,
  },
  {
    path: 'server/flows/identity/said-anew.ts',
    what: 'a merge stands although its source says it no more',
    from: 'const { replacedBy: _replacedBy, before, ...rest } = content;',
    to: 'const { before, ...rest } = content;',
    tests,
  },
  {
    path: 'server/flows/intake/file-instance.ts',
    what: 'an instance of another person is filed in the study that stands',
    from: '(await knownPatient(records, reading, owner))?.person === placed.person',
    to: '(await knownPatient(records, reading, owner))?.person !== undefined',
    tests,
  },
  {
    path: 'server/flows/aside/settle-study.ts',
    what: 'a separation leaves the later source’s instances in the study',
    from: '  await putStrangersAside(deps, reading, studyInstanceUID);\n',
    to: "  if (studyInstanceUID === '') await putStrangersAside(deps, reading, studyInstanceUID);\n",
    tests,
  },
  {
    path: 'server/flows/aside/settle-study.ts',
    what: 'a join files what is kept aside of others, too',
    from: 'OF_OTHERS.has(one.reason) && one.person === person',
    to: 'OF_OTHERS.has(one.reason) && one.person !== undefined',
    tests,
  },
  {
    path: 'server/flows/aside/file-aside.ts',
    what: 'an instance that a join files forgets the identity that it came under',
    from: 'isJoined === true ? (aside.subject ?? patient) : patient',
    to: 'isJoined === true ? patient : patient',
    tests,
  },
  {
    path: 'server/access/may-operate.ts',
    what: 'whoever asks moves an exam',
    from: "    case 'move':\n      return isRegionDesk(requester) || isOfAll(sources);",
    to: "    case 'move':\n      return isRegionDesk(requester) || sources.length > 0;",
    tests,
  },
  {
    path: 'server/flows/study/linked-studies.ts',
    what: 'a report by an establishment that does not read the exam releases it',
    from: 'sources.some((source) => region.readersFor(source).includes(organization))',
    to: "sources.some((source) => region.readersFor(source).includes(organization) || organization !== '')",
    tests,
  },
];
