/** The shapes of JSON schema that the generator works on. */

/** A JSON schema, as far as it is read here. */
export type Schema = { [keyword: string]: unknown };

/** A definition of an object type. */
export type ObjectSchema = Schema & { properties: Record<string, Schema> };
