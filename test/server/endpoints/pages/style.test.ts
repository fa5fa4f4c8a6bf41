/** The colours of pages: each pair of tokens that stands together can be read, in both schemes. @see WCAG 2.2, 1.4.3 */
import { expect } from 'chai';
import { STYLE_SHEET } from '../../../../server/endpoints/pages/assets.ts';

const TEXT = 4.5;
/** Of the edges of controls and of focus. @see WCAG 2.2, 1.4.11 */
const EDGE = 3;

const PAIRS: readonly (readonly [string, string, number])[] = [
  ['ink', 'paper', TEXT],
  ['ink', 'card', TEXT],
  ['ink-soft', 'paper', TEXT],
  ['ink-soft', 'card', TEXT],
  ['accent', 'paper', TEXT],
  ['accent', 'card', TEXT],
  ['accent-ink', 'accent', TEXT],
  ['notice-ink', 'notice', TEXT],
  ['focus', 'paper', EDGE],
  ['focus', 'card', EDGE],
];

const css = STYLE_SHEET.bytes.toString('utf8');
const [light = '', dark = ''] = [...css.matchAll(/:root \{([^}]*)\}/g)].map(([, tokens = '']) => tokens);

function coloursOf(block: string): ReadonlyMap<string, string> {
  return new Map(
    [...block.matchAll(/--([a-z-]+): (#[0-9a-f]{6});/g)].map(([, name = '', value = '']) => [name, value]),
  );
}

function luminance(colour: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(one: string, other: string): number {
  const [less = 0, more = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (more + 0.05) / (less + 0.05);
}

describe('The style sheet of pages', () => {
  for (const [scheme, block] of Object.entries({ light, dark })) {
    it(`has colours that can be read in the ${scheme} scheme`, () => {
      const colours = coloursOf(block);
      const poor = PAIRS.filter(
        ([one, other, least]) => contrast(colours.get(one) ?? '#000000', colours.get(other) ?? '#000000') < least,
      );
      expect(poor).to.deep.equal([]);
    });
  }

  it('names the same colours in both schemes, and uses no other', () => {
    expect([...coloursOf(dark).keys()]).to.deep.equal([...coloursOf(light).keys()]);
    const rules = css.replaceAll(/:root \{[^}]*\}/g, '');
    expect(rules.match(/#[0-9a-f]{3,8}\b|\brgba?\(|\bhsla?\(/gi)).to.equal(null);
    const named = [...rules.matchAll(/var\(--([a-z-]+)\)/g)].map(([, name = '']) => name);
    expect(named.filter((name) => !css.includes(`--${name}:`))).to.deep.equal([]);
  });

  it('takes the outline of focus away nowhere', () => {
    expect(css)
      .to.contain(':focus-visible')
      .and.not.match(/outline: (none|0)/);
  });
});
