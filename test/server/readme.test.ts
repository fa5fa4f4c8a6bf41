/** The decisions of the server: their form, their length, and that the contents name them all. */
import { readFileSync } from 'node:fs';
import { expect } from 'chai';

const TEXT = readFileSync(new URL('../../server/README.md', import.meta.url), 'utf8');
const MAX_LINES = 10;
const MAX_WORDS = 30;

/** The sections after the glossary: a title and its lines that are not empty. */
function decisions(): { readonly title: string; readonly lines: readonly string[] }[] {
  return TEXT.split(/^## /m)
    .slice(1)
    .map((section) => {
      const [title = '', ...lines] = section.split('\n').filter((line) => line !== '');
      return { title, lines };
    })
    .filter(({ title }) => title !== 'Words');
}

/** The anchor that a heading gets in Markdown. */
function anchorOf(title: string): string {
  return title
    .toLowerCase()
    .replaceAll(/[^a-z0-9 -]/g, '')
    .replaceAll(' ', '-');
}

describe('server/README.md', () => {
  it(`tells each decision as Context, Decision, Consequences, in ${MAX_LINES} lines at most`, () => {
    const odd = decisions().filter(({ lines }) => {
      const parts = lines.filter((line) => line.startsWith('**')).map((line) => line.split('.**')[0]);
      return parts.join() !== '**Context,**Decision,**Consequences' || lines.length > MAX_LINES;
    });
    expect(odd.map(({ title }) => title)).to.deep.equal([]);
  });

  it('lists each decision in its contents', () => {
    const missing = decisions().filter(({ title }) => !TEXT.includes(`(#${anchorOf(title)})`));
    expect(missing.map(({ title }) => title)).to.deep.equal([]);
  });

  it(`has a glossary of ${MAX_WORDS} words at most, in alphabetical order`, () => {
    const words = [...TEXT.matchAll(/^\| ([a-z][a-z ,]*) \|/gm)]
      .map(([, word = '']) => word)
      .filter((word) => word !== 'word');
    expect(words.length).to.be.within(1, MAX_WORDS);
    expect(words).to.deep.equal(words.toSorted());
  });
});
