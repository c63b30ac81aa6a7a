/**
 * The analyser of `bm25` and `lsa`: text -> ids of words, over a vocabulary that grows as texts come.
 *
 * What a word is, in this order:
 * 1. Text with characters beyond ASCII is brought to NFKC (`ﬁ` -> `fi`, `H₂O` -> `H2O`, `㎜` -> `mm`); soft hyphens and
 *    zero-width characters inside a word vanish.
 * 2. A word is a longest run of letters, digits and combining marks, lower-cased: `SiO2` -> `sio2`, `DOPPLER` -> `doppler`.
 *    Everything else separates: `non-invasive` -> `non invasive`, `poly(ethylene)` -> `poly ethylene`.
 * 3. Numbers keep their decimal point (`3.5`) and lose their thousands separators (`9,100,232` -> `9100232`).
 * 4. A chemical name with two or more locants stays whole, and its words follow it:
 *    `N,N-dimethyl-p-toluidine` -> `n,n-dimethyl-p-toluidine dimethyl p toluidine`.
 * 5. A possessive `'s` is dropped; any other apostrophe separates.
 * 6. Chinese and Japanese runs, written without spaces, give overlapping pairs of characters (as Lucene's CJK analyser).
 * 7. Words of more than 255 code units (encoded data, no words) are dropped, then stop words, then words are stemmed if asked.
 *
 * Speed comes from never making a string for a word seen before: the scan hashes code units as it reads and looks the word
 * up in an open-addressing table whose keys lie in one array. Stop words and stems are resolved once for each distinct word.
 */
import { stemEnglish } from './stem.ts';
import { englishStopWords } from './words-stop.ts';

export interface AnalyserOptions {
  /** `english` (default): Lucene's 33 words; `none`; or a list of one's own, lower-cased. */
  stopWords?: 'english' | 'none' | readonly string[];
  /** `none` (default), or `english`: Snowball's English (Porter2) stemmer, version 3.1. */
  stem?: 'none' | 'english';
}

/** Everything that decides what the analyser gives, as plain data: part of the identity of what is built on it. */
interface AnalyserSettings {
  name: 'words';
  /** Rises whenever the same text and options give other words. */
  version: 1;
  stopWords: readonly string[];
  stem: 'none' | 'english';
}

const separator = 0;
const letter = 1;
const digit = 2;
/** A letter, mark or ignorable character beyond ASCII: the word is read by the slow path. */
const other = 3;
const maximalLength = 255;

const point = 0x2e;
const comma = 0x2c;

/** Class of each UTF-16 code unit; surrogates count as `other` and are looked at by the slow path. */
const classes = codeUnitClasses();
const lower = Uint8Array.from({ length: 128 }, (_, unit) => (unit >= 65 && unit <= 90 ? unit + 32 : unit));

const ideographs =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}ー々]+|[^\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}ー々]+/gu;
const isIdeograph = /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}ー々]/u;
const thousands = /\d{1,3}(?:,\d{3})+(?:\.\d+)?(?![\p{L}\p{N}])/uy;
const locants =
  /(?:\d{1,2}[a-z]?|[A-Za-z\u03b1-\u03c9])'*(?:,(?:\d{1,2}[a-z]?|[A-Za-z\u03b1-\u03c9])'*)+-\p{L}[\p{L}\p{N}]*(?:-[\p{L}\p{N}]+)*/uy;
const slowWord = /(?:[\p{L}\p{N}\p{M}\u00ad\u200b-\u200d\u2060\ufeff]|(?<=\d)\.(?=\d))+/uy;
const ignorable = /[\u00ad\u200b-\u200d\u2060\ufeff]/g;

export class WordAnalyser {
  readonly settings: AnalyserSettings;
  private readonly stopWords: ReadonlySet<string>;
  private readonly terms: string[] = [];
  private readonly termIds = new Map<string, number>();

  /** Distinct words as they stand in texts: their hash, their place in `units`, and the id of their term (-1: none). */
  private count = 0;
  private slots = new Int32Array(1 << 12).fill(-1);
  private hashes = new Int32Array(1 << 11);
  private starts = new Int32Array((1 << 11) + 1);
  private wordTerms = new Int32Array(1 << 11);
  private units = new Uint16Array(1 << 15);

  private readonly word = new Uint16Array(maximalLength + 1);
  private out = new Int32Array(1 << 12);
  private outLength = 0;

  constructor({ stopWords = 'english', stem = 'none' }: AnalyserOptions = {}) {
    const list = stopWords === 'english' ? englishStopWords : stopWords === 'none' ? [] : stopWords;
    this.stopWords = new Set(list);
    this.settings = { name: 'words', version: 1, stopWords: [...this.stopWords].sort(), stem };
  }

  /** Number of distinct terms so far; ids are 0..size-1 in order of first appearance. */
  get size(): number {
    return this.terms.length;
  }

  term(id: number): string {
    return this.terms[id]!;
  }

  id(term: string): number | undefined {
    return this.termIds.get(term);
  }

  /**
   * The term ids of a text, in order, with repetitions. With `grow: false` (queries) words that no text brought before are
   * left out; by default they join the vocabulary.
   */
  analyse(text: string, { grow = true }: { grow?: boolean } = {}): Int32Array {
    this.outLength = 0;
    const clean = isAscii(text) ? text : text.normalize('NFKC');
    const length = clean.length;
    const word = this.word;
    let i = 0;
    while (i < length) {
      const first = classes[clean.charCodeAt(i)]!;
      if (first === separator) {
        i++;
        continue;
      }
      const start = i;
      let size = 0;
      let hash = 0;
      let kind = first;
      let unit = 0;
      while (kind === letter || kind === digit) {
        unit = lower[clean.charCodeAt(i)]!;
        if (size < maximalLength) word[size] = unit;
        size++;
        hash = Math.imul(hash ^ unit, 0x01000193);
        i++;
        if (i === length) break;
        const next = clean.charCodeAt(i);
        kind = classes[next]!;
        // A point between digits belongs to the number.
        if (next === point && unit <= 0x39 && i + 1 < length && classes[clean.charCodeAt(i + 1)] === digit) {
          if (size < maximalLength) word[size] = point;
          size++;
          hash = Math.imul(hash ^ point, 0x01000193);
          i++;
          kind = digit;
        }
      }
      if (i < length) {
        const next = clean.charCodeAt(i);
        if (kind === other) {
          i = this.takeSlowWord(clean, start, grow);
          continue;
        }
        if (next === comma && i - start <= 3 && i + 1 < length && classes[clean.charCodeAt(i + 1)] !== separator) {
          const end = this.takeCommaWord(clean, start, grow);
          if (end > start) {
            i = end;
            continue;
          }
        }
        if (next === 0x27 || next === 0x2019) {
          const s = clean.charCodeAt(i + 1) | 0x20;
          if (s === 0x73 && (i + 2 >= length || classes[clean.charCodeAt(i + 2)] === separator)) i += 2;
        }
      }
      if (size <= maximalLength) this.push(this.lookUp(size, hash, grow));
    }
    return this.out.slice(0, this.outLength);
  }

  /** A word with characters beyond ASCII; returns where it ends. */
  private takeSlowWord(text: string, start: number, grow: boolean): number {
    slowWord.lastIndex = start;
    const found = slowWord.exec(text)?.[0];
    if (found === undefined) return start + (text.codePointAt(start)! > 0xffff ? 2 : 1);
    const folded = found.replace(ignorable, '').toLowerCase();
    for (const [part] of folded.matchAll(ideographs)) {
      const characters = isIdeograph.test(part) ? [...part] : undefined;
      if (characters === undefined || characters.length === 1) this.pushText(part, grow);
      else for (let k = 1; k < characters.length; k++) this.pushText(characters[k - 1]! + characters[k]!, grow);
    }
    return start + found.length;
  }

  /** A number with thousands separators or a chemical name with locants; returns where it ends, or `start` if neither. */
  private takeCommaWord(text: string, start: number, grow: boolean): number {
    thousands.lastIndex = start;
    const number = thousands.exec(text)?.[0];
    if (number !== undefined) {
      this.pushText(number.replaceAll(',', ''), grow);
      return start + number.length;
    }
    locants.lastIndex = start;
    const name = locants.exec(text)?.[0];
    if (name === undefined) return start;
    const folded = name.toLowerCase();
    this.pushText(folded, grow);
    for (const part of folded.slice(folded.indexOf('-') + 1).split('-')) this.pushText(part, grow);
    return start + name.length;
  }

  private pushText(text: string, grow: boolean): void {
    if (text.length === 0 || text.length > maximalLength) return;
    let hash = 0;
    for (let k = 0; k < text.length; k++) {
      const unit = text.charCodeAt(k);
      this.word[k] = unit;
      hash = Math.imul(hash ^ unit, 0x01000193);
    }
    this.push(this.lookUp(text.length, hash, grow));
  }

  private push(term: number): void {
    if (term < 0) return;
    if (this.outLength === this.out.length) this.out = grown(this.out, this.outLength * 2);
    this.out[this.outLength++] = term;
  }

  /** The term of the word in `word[0..size)`, or -1 where it has none (a stop word, or unknown and not to be added). */
  private lookUp(size: number, rawHash: number, grow: boolean): number {
    const hash = (rawHash ^ (rawHash >>> 15)) | 0;
    const { hashes, starts, slots, units, word } = this;
    const mask = slots.length - 1;
    let slot = hash & mask;
    for (let entry = slots[slot]!; entry >= 0; slot = (slot + 1) & mask, entry = slots[slot]!) {
      if (hashes[entry] !== hash) continue;
      const from = starts[entry]!;
      if (starts[entry + 1]! - from !== size) continue;
      let k = 0;
      while (k < size && units[from + k] === word[k]) k++;
      if (k === size) return this.wordTerms[entry]!;
    }
    const text = String.fromCharCode(...word.subarray(0, size));
    if (!grow) return this.resolve(text, false);
    const term = this.resolve(text, true);
    this.insert(slot, hash, size, term);
    return term;
  }

  private resolve(text: string, grow: boolean): number {
    if (this.stopWords.has(text)) return -1;
    const term = this.settings.stem === 'english' ? stemEnglish(text) : text;
    const known = this.termIds.get(term);
    if (known !== undefined || !grow) return known ?? -1;
    const id = this.terms.length;
    this.terms.push(term);
    this.termIds.set(term, id);
    return id;
  }

  private insert(slot: number, hash: number, size: number, term: number): void {
    const entry = this.count++;
    const from = this.starts[entry]!;
    if (from + size > this.units.length) this.units = grown(this.units, this.units.length * 2);
    this.units.set(this.word.subarray(0, size), from);
    this.starts[entry + 1] = from + size;
    this.hashes[entry] = hash;
    this.wordTerms[entry] = term;
    this.slots[slot] = entry;
    if (this.count < this.hashes.length) return;
    this.hashes = grown(this.hashes, this.count * 2);
    this.wordTerms = grown(this.wordTerms, this.count * 2);
    this.starts = grown(this.starts, this.count * 2 + 1);
    this.slots = new Int32Array(this.slots.length * 2).fill(-1); // at most half of the slots are ever taken
    const mask = this.slots.length - 1;
    for (let k = 0; k < this.count; k++) {
      let free = this.hashes[k]! & mask;
      while (this.slots[free]! >= 0) free = (free + 1) & mask;
      this.slots[free] = k;
    }
  }
}

function grown<T extends Int32Array | Uint16Array>(array: T, length: number): T {
  const larger = array instanceof Int32Array ? new Int32Array(length) : new Uint16Array(length);
  larger.set(array);
  return larger as T;
}

function isAscii(text: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the range is all of ASCII
  return !/[^\x00-\x7f]/.test(text);
}

function codeUnitClasses(): Uint8Array {
  const table = new Uint8Array(1 << 16);
  const wordLike = /[\p{L}\p{N}\p{M}\p{Cs}\u00ad\u200b-\u200d\u2060\ufeff]/u;
  for (let unit = 0; unit < table.length; unit++) {
    const text = String.fromCharCode(unit);
    if (unit < 128) table[unit] = unit >= 48 && unit <= 57 ? digit : /[A-Za-z]/.test(text) ? letter : separator;
    else if (wordLike.test(text)) table[unit] = other;
  }
  return table;
}
