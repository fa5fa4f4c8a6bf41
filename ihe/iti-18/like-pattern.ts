/** Patterns of SQL LIKE, as $XDSDocumentEntryAuthorPerson writes them. @see ITI TF-2 3.18.4.1.2.3.7.1 */

/**
 * Whether a text matches a pattern in which `%` stands for any characters and `_` for one. Letter case counts. Written
 * without regular expressions: a hostile pattern costs at most the product of both lengths.
 */
export function matchesLike(text: string, pattern: string): boolean {
  let [at, wanted] = [0, 0];
  let [percent, resume] = [-1, 0];
  while (at < text.length) {
    const sign = pattern[wanted];
    if (sign === '%') [percent, resume, wanted] = [wanted, at, wanted + 1];
    else if (sign === '_' || sign === text[at]) [at, wanted] = [at + 1, wanted + 1];
    else if (percent < 0) return false;
    else [resume, at, wanted] = [resume + 1, resume + 1, percent + 1];
  }
  return /^%*$/.test(pattern.slice(wanted));
}
