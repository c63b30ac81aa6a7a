/**
 * Takes patent numbers out of running text, so that a text model cannot find a cited document by its number.
 *
 * A number is replaced by a neutral token where one of these holds; all other numbers stay as they are:
 *   1. it stands after an office code in one of that office's own groupings: `EP 0 005 432`, `WO 98/38919`, `JP-A-57-170230`;
 *   2. it follows words that announce a patent, application or serial number: `U.S. Pat. Nos. 4,121,250 and 4,122,999`,
 *      `Ser. No. 600,095`, `German OS 30 38 445`; a list after such words is followed to its end;
 *   3. it has the form of a US serial number with its series code: `60/218,641`, or of a PCT number: `PCT/US00/17236`;
 *   4. it is a number the record itself names (its own, cited, citing), written plainly or with commas, anywhere;
 *   5. it has two commas (`4,121,250`), follows such words at some distance, and is neither round nor a quantity.
 */
import { parseNumber } from './numbers.ts';

/** What stands in the text instead of a number. */
export const maskToken = '[patent]';

const gap = '[ \\t\\u00a0\\n]';
const kind = `(?:${gap}?-?/?[ABCEPSTUY]\\d\\b|-?[ABCEHPSTUYL](?![A-Za-z0-9])|${gap}[ABC](?=[),.;]|$))?`;
const commas = '\\d{1,3}(?:,\\d{3}){2}';
const plain = '\\d{6,13}';

/** Offices whose codes are no English words or American states, with the groupings of their numbers. */
const offices: readonly (readonly [code: string, numbers: string])[] = [
  [
    'U\\.?S\\.?',
    `(?:RE\\.?${gap}?\\d{2},?\\d{3}|D(?:es\\.)?${gap}?\\d{3},?\\d{3}|20\\d\\d/?\\d{3,4},?\\d{3}|${commas}|${plain})`,
  ],
  ['EP', `(?:0(?:[ .,]\\d{3}){2}|[1-4](?:[ .,]\\d{3}){2}|${plain})`],
  ['WO', `(?:(?:19|20)?\\d\\d[/-]\\d{5,6}|(?:19|20)?\\d{7,10})`],
  ['JP', `(?:P?[MTSHR]?\\d{1,4}-\\d{3,6}|[MTSHR]\\d{5,8}|P?20\\d{8}|${plain}|${commas})`],
  [
    'DE',
    `(?:10${gap}?20\\d\\d${gap}?\\d{3}${gap}?\\d{3}|\\d{2,3} \\d{2} \\d{3}|${commas}|\\d{1,2} \\d{3} \\d{3}|${plain})`,
  ],
  [
    '(?:GB|FR|CH|SU|RU|NL|CN|KR|TW|AU|DD|JA)',
    `(?:10-\\d{4}-\\d{7}|\\d{1,2} \\d{3} \\d{3}|\\d{4} \\d{3}|${commas}|[IM]?${plain})`,
  ],
  ['(?:CA|SE|AT|BE|DK|FI|IT|ES|IL)', `(?:\\d{1,2} \\d{3} \\d{3}(?= ?[A-C]\\d?\\b)|${commas}|[1-9]\\d{6,12})`],
];

const officePattern = new RegExp(
  offices
    .map(
      ([code, numbers]) =>
        `(?<![A-Za-z0-9])${code}(?:[-/ ]{1,2}|${gap}No\\.?${gap})?(?:[ABCUT]\\d?[-/ ])?${numbers}${kind}(?![\\d/]|,\\d)`,
    )
    .join('|'),
  'g',
);

const pctPattern = /(?<![A-Za-z0-9])PCT[/-]? ?(?:[A-Z]\.?[A-Z]\.?[/-]?)? ?\d{2,4}[/-]?\d{3,6}(?!\d)/g;
/** Series code (two digits), six digits with a comma. */
const serialPattern = /(?<![\d/,.])(?:0[1-9]|1\d|2\d|3[05]|6[0-3])\/ ?\d{3},\d{3}(?![\d,])/g;

/** Words that announce a number, then words that may stand between, then perhaps `No.`. */
const trigger = new RegExp(
  '(?<!\\[)\\b(?:pat(?:ent)?s?\\b\\.?|publ?(?:ication)?s?\\b\\.?|appl?(?:ication)?s?\\b\\.?|ser(?:ial)?s?\\b\\.?|offenlegungsschrift|auslegeschrift|' +
    'patentschrift|gebrauchsmuster|specifications?|utility models?|OS|OLS|DOS|DAS|kokai|laid[- ]open|disclosure)' +
    `(?:[ \\n(]+(?:pat(?:ent)?s?\\b\\.?|appl?(?:ication)?s?\\b\\.?|publ?(?:ication)?s?\\b\\.?|ser(?:ial)?\\b\\.?|documents?|specifications?|` +
    'disclosures?|gazettes?|unexamined|examined|provisional|laid[- ]open|open|kokai|letters))*\\)?' +
    '(?<explicit>[ \\n(]*(?:nos?\\b\\.?|numbers?|№|#)[ :]*)?[ \\n:(]*',
  'gi',
);

/** After announcing words, sure even without `No.`. */
const announced = new RegExp(
  `(?:${commas}|20\\d\\d[/-]\\d{3,4},?\\d{3}|\\d{2}/\\d{3},?\\d{3}|\\d{7,13}|0 \\d{3} \\d{3}|\\d{2} \\d{2} \\d{3}|RE\\.?${gap}?\\d{2},?\\d{3}|Des\\.?${gap}?\\d{3},\\d{3}|D\\d{3},\\d{3})${kind}(?![\\d/]|,\\d|\\.\\d)`,
  'iy',
);
/** After `No.` besides: shorter and spaced forms. */
const numbered = new RegExp(
  `(?:P?[MTSHR]?\\d{1,4}-\\d{3,6}|\\d{1,2} \\d{3} \\d{3}|\\d{4} \\d{3}|\\d{3},\\d{3}|\\d{5,6})${kind}(?![\\d/]|,\\d|\\.\\d)`,
  'iy',
);
const listGap = /(?:[ \n]*(?:,|;|and\b|or\b|&|\/)[ \n]*(?:and\b|or\b|to\b)?[ \n]*(?:nos?\.[ \n]*)?)/iy;

const quantity =
  /^[ \n]?(?:(?:[kMG]?Hz|cells?|cycles?|times|rpm|pixels?|bits?|bytes?|samples?|dollars?|people|molecules?|Da|daltons?|ohms?|volts?|watts?|psi|K|[mckµn]?m)\b|°|%)/i;

/**
 * `text` with patent numbers replaced by `[patent]`. `known` are publication numbers that are masked wherever they stand.
 */
export function maskCitations(text: string, known: readonly string[] = []): string {
  if (!/\d{3}/.test(text)) return text;
  const cuts: [from: number, to: number][] = [];
  const cut = (from: number, to: number) => void cuts.push([from, to]);
  for (const pattern of [officePattern, pctPattern, serialPattern])
    for (const match of text.matchAll(pattern)) cut(match.index, match.index + match[0].length);
  const named = new Set(known.map(digitsOf).filter((digits) => digits !== undefined));
  let announcedUntil = -1;
  for (const match of text.matchAll(trigger)) {
    let at = match.index + match[0].length;
    const forms = match.groups?.explicit === undefined ? [announced] : [announced, numbered];
    for (let end = numberAt(text, at, forms); end !== -1; end = numberAt(text, at, forms)) {
      cut(at, end);
      const digits = text.slice(at, end).replace(/\D/g, '');
      if (digits.length >= 7) named.add(digits); // named once as a patent: masked in the rest of the text too
      listGap.lastIndex = end;
      if (!listGap.test(text)) break;
      at = listGap.lastIndex;
    }
    // Far numbers (rule 5) only after words that can mean nothing else.
    if (/^pat|^ser/i.test(match[0]) && /no|pat/i.test(match[0])) announcedUntil = match.index + match[0].length + 160;
    if (announcedUntil > 0) collectFar(text, match.index, announcedUntil, cut);
  }
  if (named.size > 0) {
    for (const match of text.matchAll(/(?<![\d.,/])\d{1,3}(?:,\d{3}){1,3}(?![\d]|,\d)|(?<![\d.,/])\d{7,13}(?!\d)/g))
      if (named.has(match[0].replaceAll(',', ''))) cut(match.index, match.index + match[0].length);
  }
  return cuts.length === 0 ? text : apply(text, cuts);
}

function numberAt(text: string, at: number, forms: readonly RegExp[]): number {
  for (const form of forms) {
    form.lastIndex = at;
    if (form.test(text)) return quantity.test(text.slice(form.lastIndex, form.lastIndex + 12)) ? -1 : form.lastIndex;
  }
  return -1;
}

function collectFar(text: string, from: number, to: number, cut: (from: number, to: number) => void): void {
  const near = text.slice(from, to + 12);
  for (const match of near.matchAll(/(?<![\d.,/])\d{1,2},\d{3},\d{3}(?![\d]|,\d|\.\d)/g)) {
    const end = match.index + match[0].length;
    if (match[0].endsWith('000') || quantity.test(near.slice(end, end + 12))) continue;
    cut(from + match.index, from + end);
  }
}

/** The digits of a publication number of at least six digits: shorter ones would meet ordinary numbers. */
function digitsOf(number: string): string | undefined {
  const digits = parseNumber(number)?.number.replace(/\D/g, '');
  return digits !== undefined && digits.length >= 6 ? digits : undefined;
}

function apply(text: string, cuts: [number, number][]): string {
  cuts.sort((a, b) => a[0] - b[0] || b[1] - a[1]);
  let out = '';
  let done = 0;
  for (const [from, to] of cuts) {
    if (from < done) {
      done = Math.max(done, to);
      continue;
    }
    out += text.slice(done, from) + maskToken;
    done = to;
  }
  return out + text.slice(done);
}
