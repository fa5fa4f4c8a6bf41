/** The texts of pages: every language has them, and French has the spaces that it wants. */
import { expect } from 'chai';
import { STORED_TYPES, fhirType } from '../../../../profiles/types/visibility.ts';
import { CHOOSER_TEXTS } from '../../../../server/endpoints/development-idp/chooser-texts.ts';
import { french } from '../../../../server/endpoints/pages/french.ts';
import { LANGUAGES } from '../../../../server/endpoints/pages/language.ts';
import { TEXTS } from '../../../../server/endpoints/pages/texts.ts';
import { SESSION_TEXTS } from '../../../../server/endpoints/smart/session/session-texts.ts';
import { SIGN_IN_TEXTS } from '../../../../server/endpoints/smart/sign-in/texts.ts';
import { ABSENT_TEXTS } from '../../../../server/endpoints/viewer/absent/texts.ts';
import { LINK_TEXTS } from '../../../../server/endpoints/viewer/link-texts.ts';
import { VIEWER_TEXTS } from '../../../../server/endpoints/viewer/texts.ts';
import { compile } from '../../../support/house/compile.ts';

const LANGUAGE = 'server/endpoints/pages/language.ts';
const PAGE_TEXTS = 'server/endpoints/pages/texts.ts';

/** Words that languages have in common. */
const ALIKE = ['zoom', 'images', 'patient', 'abdomen', 'mediastinum', 'millimetres', 'pixels', 'speed', 'report'];

const OF_EVERY_LANGUAGE = [TEXTS, SESSION_TEXTS, CHOOSER_TEXTS, VIEWER_TEXTS, LINK_TEXTS, ABSENT_TEXTS];

/** What is wrong with the spaces of a French text; undefined when nothing is. */
function misspaced(text: string): string | undefined {
  const wrong = [
    /[^\u202F][;!?]/u,
    /[^\u00A0]:/u,
    /«[^\u00A0]/u,
    /[^\u00A0]»/u,
    /\d (?=\p{L})/u,
    /'/u,
    /\.\.\./u,
    / {2}/u,
  ];
  return wrong.some((rule) => rule.test(text)) ? text : undefined;
}

describe('The texts of pages', () => {
  it('break no line before ; ! ? and :, within guillemets or behind a number, in French', () => {
    const words = STORED_TYPES.map((type) => fhirType(type).words);
    const all = [SIGN_IN_TEXTS, ...OF_EVERY_LANGUAGE.map(({ fr }) => fr)].flatMap((table) =>
      Object.values<string>(table),
    );
    expect([...all, ...words].filter((text) => misspaced(text) !== undefined)).to.deep.equal([]);
  });

  it('are checked by a rule that sees what is wrong', () => {
    for (const text of ['Oui ?', 'Oui?', 'Ici : là', 'Ici: là', '« Oui\u00A0»', '«\u00A0Oui »', '90 jours', "l'examen"])
      expect(misspaced(text), text).to.equal(text);
  });

  it('get their spaces from one function, which is not confused by what has them', () => {
    const text = french('« Mon Carnet » : 90 jours ; vraiment ? Oui !');
    expect(text).to.equal('«\u00A0Mon Carnet\u00A0»\u00A0: 90\u00A0jours\u202F; vraiment\u202F? Oui\u202F!');
    expect(french(text)).to.equal(text);
    expect(french('https://a.example/?b:c')).to.equal('https://a.example/?b:c');
  });

  it('say something of their own in each language', () => {
    const same = OF_EVERY_LANGUAGE.flatMap((table) => {
      for (const texts of Object.values(table)) expect(Object.values<string>(texts)).to.not.include('');
      const [fr, de, en] = LANGUAGES.map((language) => new Map(Object.entries<string>(table[language])));
      return [...(fr?.keys() ?? [])].filter(
        (name) => new Set([fr, de, en].map((texts) => texts?.get(name))).size < 3 && !ALIKE.includes(name),
      );
    });
    expect(same).to.deep.equal([]);
  });

  it('do not compile without a language, or without a text of one', async function () {
    this.timeout(60_000);
    const made = async (value: string): Promise<string> =>
      await compile(
        { [LANGUAGE]: ['type ByLanguage'], [PAGE_TEXTS]: ['TEXTS', 'type PageTexts'] },
        `export const made: ByLanguage<PageTexts> = ${value}; void TEXTS;`,
      );
    expect(await made('{ fr: TEXTS.fr, de: TEXTS.de }')).to.match(/error TS2741.*en/);
    expect(await made('{ ...TEXTS, en: { skip: "Skip" } }')).to.match(/error TS27/);
    expect(await made('{ ...TEXTS }')).to.equal('');
  });
});
