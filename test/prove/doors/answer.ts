/** An answer without what differs from run to run: addresses, times, random names, boundaries. */
import type { Reply } from '../../flows/support/door.ts';
import { withoutIds } from '../../flows/support/exam.ts';
import type { World } from '../../flows/support/world.ts';

/** Headers that clients act on. */
const HEADERS = ['content-type', 'etag', 'location', 'allow', 'www-authenticate', 'warning', 'cache-control'] as const;

/** Texts that every run makes anew, and what stands for them. The order matters: longer forms first. */
const RANDOM: readonly (readonly [RegExp, string])[] = [
  [/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, '{uuid}'],
  [/boundary="?[^";\s]+"?/g, 'boundary={boundary}'],
  [/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)/g, '{time}'],
  [/"hash":"[^"]+"/g, '"hash":"{hash}"'],
  [/value="\d{14}"|<rim:Value>\d{14}<|<rim:Value>[0-9a-f]{40}</g, '{value}'],
  [/2\.25\.\d{20,}/g, '{uid}'],
  [/_cursor=[^"&]+/g, '_cursor={cursor}'],
];

/** Puts an answer into lines that can be compared. */
export function comparableAnswer({ status, headers, body }: Reply, world: World): string {
  const named = (text: string): string =>
    RANDOM.reduce(
      (rest, [pattern, name]) => rest.replaceAll(pattern, name),
      withoutIds(withoutIds(text, world.ids), world.unknown)
        .replaceAll(world.server.url, '{server}')
        .replaceAll(new URL(world.server.url).host, '{host}'),
    );
  const shown = HEADERS.flatMap((name) => {
    const value = headers.get(name);
    return value === null ? [] : [`${name}: ${named(value)}`];
  });
  return [String(status), ...shown, '', bodyOf(body, headers.get('content-type') ?? '', named)].join('\n');
}

/** Text as it is, JSON a member a line; of bytes the length. */
function bodyOf(body: Buffer, type: string, named: (text: string) => string): string {
  if (/json/.test(type)) return lines(named(body.toString()));
  if (/^(text\/|application\/soap)/.test(type)) return named(body.toString());
  return `${body.length === 0 ? 'no' : 'some'} bytes`;
}

function lines(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), undefined, 1);
  } catch {
    return text;
  }
}
