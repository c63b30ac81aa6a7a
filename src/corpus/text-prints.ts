/**
 * Prints of texts: a 64-bit hash of every section of every patent, brought to its bare letters and digits, so that equal
 * texts are found without holding any. Two texts with equal prints are held equal (NFKC, lower case, letters and digits of
 * any script only; blanks, punctuation and line breaks do not count): among ten million texts the chance that any two
 * different ones meet is 3e-6.
 *
 * Memory: 40 bytes a patent for sections and 9 for identities; texts are read once, streaming. A text without a single
 * letter or digit is none.
 */
import { murmur3 } from '../base/random.ts';
import type { Patent } from './record.ts';
import type { Corpus } from './store.ts';
import { type Section, sectionsOf, type View } from './views.ts';

export const printedSections = ['title', 'abstract', 'firstClaim', 'claims', 'description'] as const;
const count = printedSections.length;
const indexOf = Object.fromEntries(printedSections.map((section, at) => [section, at])) as Record<Section, number>;
/** Texts of fewer letters and digits ("Ultrasonic probe") are shared by patents that have nothing to do with each other. */
const longText = 100;

export class TextPrints {
  readonly rows: number;
  /** Hash of each row's id: an order of rows that does not depend on the order of import. */
  readonly idHash: Uint32Array;
  /** 64-bit hash of the family id where the source gives one, else of the id. */
  readonly nameLow: Uint32Array;
  readonly nameHigh: Uint32Array;
  private readonly low: Uint32Array;
  private readonly high: Uint32Array;
  private readonly long: Uint8Array;

  constructor(rows: number) {
    this.rows = rows;
    this.idHash = new Uint32Array(rows);
    this.nameLow = new Uint32Array(rows);
    this.nameHigh = new Uint32Array(rows);
    this.low = new Uint32Array(rows * count);
    this.high = new Uint32Array(rows * count);
    this.long = new Uint8Array(rows);
  }

  set(row: number, patent: Patent): void {
    this.idHash[row] = murmur3(patent.id);
    const name = patent.family === undefined ? `p${patent.id}` : `f${patent.family}`;
    this.nameLow[row] = murmur3(name);
    this.nameHigh[row] = murmur3(name, 0x9e3779b9);
    for (let at = 0; at < count; at++) {
      const text = patent[printedSections[at]!];
      if (!text) continue;
      const { low, high, letters } = printOf(text);
      if (letters === 0) continue;
      this.low[row * count + at] = low;
      this.high[row * count + at] = high;
      if (letters >= longText) this.long[row]! |= 1 << at;
    }
  }

  has(row: number, section: Section): boolean {
    const at = row * count + indexOf[section];
    return (this.low[at]! | this.high[at]!) !== 0;
  }

  isLong(row: number, section: Section): boolean {
    return (this.long[row]! & (1 << indexOf[section])) !== 0;
  }

  /** Whether the view has a text at all. */
  hasView(row: number, view: View): boolean {
    return sectionsOf[view].some((section) => this.has(row, section));
  }

  /** A name of the section's text; '' where there is none. */
  sectionKey(row: number, section: Section): string {
    if (!this.has(row, section)) return '';
    const at = row * count + indexOf[section];
    return `${this.low[at]!.toString(36)}.${this.high[at]!.toString(36)}`;
  }

  /** A name of the view's text: equal names, equal texts section by section. '' where there is none. */
  viewKey(row: number, view: View): string {
    return this.keyOf(row, sectionsOf[view]);
  }

  /** Whether two patents have the same text under a view: as comparing `viewKey`, without making names. */
  sameView(a: number, b: number, view: View): boolean {
    return sectionsOf[view].every((section) => {
      const [i, j] = [a * count + indexOf[section], b * count + indexOf[section]];
      return this.low[i] === this.low[j] && this.high[i] === this.high[j];
    });
  }

  /** A name of everything the patent says. */
  wholeKey(row: number): string {
    return this.keyOf(row, printedSections);
  }

  private keyOf(row: number, sections: readonly Section[]): string {
    let key = '';
    for (const section of sections) {
      const own = this.sectionKey(row, section);
      if (own !== '') key += key === '' ? own : `|${own}`;
    }
    return key;
  }
}

export async function loadTextPrints(corpus: Corpus): Promise<TextPrints> {
  const prints = new TextPrints(corpus.size);
  let row = 0;
  for await (const patent of corpus.records()) prints.set(row++, patent);
  return prints;
}

/** A text as prints see it: NFKC, lower case, letters and digits alone. */
export function normaliseText(text: string): string {
  return text
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, '');
}

const beyondAscii = /[\u0080-\uffff]/;
/** ASCII letters in lower case and digits as they are; 0 for all else. */
const kept = Uint8Array.from({ length: 128 }, (_, unit) =>
  (unit >= 97 && unit <= 122) || (unit >= 48 && unit <= 57) ? unit : unit >= 65 && unit <= 90 ? unit + 32 : 0,
);

/** Hash of `normaliseText(text)`, without making that string where the text is ASCII; never 0 for a text with letters. */
export function printOf(text: string): { low: number; high: number; letters: number } {
  const wide = beyondAscii.test(text);
  const units = wide ? normaliseText(text) : text;
  let low = 0x2f0b4c47;
  let high = 0x5bd1e995;
  let letters = 0;
  for (let i = 0; i < units.length; i++) {
    const unit = wide ? units.charCodeAt(i) : kept[units.charCodeAt(i)]!;
    if (unit === 0) continue;
    let k = Math.imul(unit, 0xcc9e2d51);
    k = (k << 15) | (k >>> 17);
    low ^= Math.imul(k, 0x1b873593);
    low = Math.imul((low << 13) | (low >>> 19), 5) + 0xe6546b64;
    let m = Math.imul(unit + 0x9e37, 0x239b961b);
    m = (m << 16) | (m >>> 16);
    high ^= Math.imul(m, 0x38b34ae5);
    high = Math.imul((high << 17) | (high >>> 15), 9) + 0x561ccd1b;
    letters++;
  }
  return letters === 0
    ? { low: 0, high: 0, letters }
    : { low: mixed(low ^ letters) || 1, high: mixed(high ^ letters), letters };
}

/** MurmurHash3's finish: every bit of the result depends on every bit of `h`. */
export function mixed(h: number): number {
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
