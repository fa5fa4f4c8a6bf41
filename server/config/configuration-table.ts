/** The table of the README, made from the variables so that it cannot tell otherwise than they do. */
import { PREFIX } from './env.ts';
import { listVariables, type Variable } from './variables.ts';

/** Writes the table of all variables in Markdown, without a line break at its end. */
export function configurationTable(): string {
  const rows = listVariables().map(
    ([name, variable]) => `| \`${PREFIX}${name}\` | ${defaultOf(variable)} | ${variable.description} |`,
  );
  return ['| variable | default | meaning |', '|---|---|---|', ...rows].join('\n');
}

function defaultOf(variable: Variable): string {
  if (variable.developmentDefault !== undefined) return `required; in development \`${variable.developmentDefault}\``;
  if (variable.shownDefault !== undefined) return variable.shownDefault;
  return variable.default === undefined ? '' : `\`${variable.default}\``;
}
