/** What a source says anew of an identity that it knows. */
import { createHash } from 'node:crypto';
import type { Patient } from '@medplum/fhirtypes';
import { canonicalText } from '../../../profiles/canonical-text.ts';
import type { FormerWords, IdentityContent } from '../../../profiles/identity/identity-resource.ts';
import { sameContent } from '../write/changed-put.ts';

/** What is said, by whom (`Organization/id`), and which identity (id) is said to replace it. */
export type Said = { readonly said: Patient; readonly source: string; readonly replacedBy?: string };

/** Whether a source has said just this of an identity, and is the last who said something of it. */
export function isSaid(content: IdentityContent, { said, source }: Pick<Said, 'said' | 'source'>): boolean {
  return !content.fromImage && content.source === source && sameContent(content.said, said);
}

/**
 * What its source says anew; the same again changes nothing. What was said before the last change stands again since
 * when it stood before: a mistake that is taken back gives no source the last word.
 */
export function saidAnew(content: IdentityContent, anew: Said, now: number): IdentityContent {
  const { said, source, replacedBy } = anew;
  if (isSaid(content, anew) && content.replacedBy === replacedBy) return content;
  const { replacedBy: _replacedBy, before, ...rest } = content;
  const isTakenBack = before?.digest === digestOf(anew);
  return {
    ...rest,
    said,
    source,
    sources: [...new Set([...content.sources, source])],
    fromImage: false,
    changed: isTakenBack ? before.changed : now,
    ...(content.fromImage ? {} : { before: wordsOf(content) }),
    ...(replacedBy === undefined ? {} : { replacedBy }),
  };
}

function wordsOf(content: IdentityContent): FormerWords {
  return { digest: digestOf(content), changed: content.changed };
}

function digestOf({ said, source, replacedBy = '' }: Said): string {
  return createHash('sha256')
    .update(canonicalText([said, source, replacedBy]))
    .digest('base64url');
}
