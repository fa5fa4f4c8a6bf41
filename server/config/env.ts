/** The environment as strings, and nothing else: what they mean is said in config.ts. */

/** The prefix of every variable of the server. */
export const PREFIX = 'PASSERELLE_';

// Read by the tests, which may share a shell with the server.
const OF_THE_TESTS = /^PASSERELLE_(TEST_|PROPERTY_|TESTDATA$)/;

/** Variables by their name without the prefix. */
export type Environment = Readonly<Record<string, string>>;

/** Reads the variables of the server, with those that it does not know. */
export function readEnv(variables: Readonly<Record<string, string | undefined>>): Environment {
  const environment: Record<string, string> = {};
  for (const [name, value] of Object.entries(variables)) {
    if (value === undefined || !name.startsWith(PREFIX) || OF_THE_TESTS.test(name)) continue;
    environment[name.slice(PREFIX.length)] = value;
  }
  return environment;
}
