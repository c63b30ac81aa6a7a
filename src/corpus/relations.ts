/**
 * Citations inside a corpus, its families, and its dates, in compressed sparse rows: entry i of a row's slice is one
 * citation. Everything is read from links.jsonl; no text is touched.
 *
 * `cites` holds what each patent lists as cited, `citedBy` what each lists as citing it: real exports often know one
 * direction better than the other, so the two are kept apart and put together by `relevance.ts`.
 */
import { inferFamilies } from './families.ts';
import type { LinkedCite, LinkLine } from './links.ts';
import type { Corpus } from './store.ts';

export const unknownDay = -0x80000000;

/** One direction of citations, as listed by the row's own record. */
export interface CitationLists {
  /** Slice of row r: [offsets[r], offsets[r + 1]). Within it, no row and no number appears twice. */
  offsets: Uint32Array;
  /** Row of the document; -1 where it is not in the corpus. */
  targets: Int32Array;
  /** Index into `categories`; 0: none given. */
  category: Uint8Array;
  /** Index into `origins`; 0: none given. */
  origin: Uint8Array;
  /** 1 where the entry is a further publication of an application that the entry before means already. */
  further: Uint8Array;
}

export interface RelationCounts {
  /** Entries of all `cites` lists as the sources give them, repeated ones included. */
  total: number;
  inside: number;
  unresolved: number;
  ambiguous: number;
  unreadable: number;
}

export interface Relations {
  rows: number;
  cites: CitationLists;
  citedBy: CitationLists;
  /** Names of the codes; index 0 is ''. */
  categories: string[];
  origins: string[];
  counts: RelationCounts;
  /** Family of each row, numbered from 0. */
  family: Int32Array;
  families: number;
  /** Rows whose family id the source gives. */
  familiesKnown: number;
  /** True where at least one family of two or more was put together by inference (`families.ts`). */
  familyInferred: boolean;
  /** Earliest date of each row in days since 1970-01-01; `unknownDay` where there is none. */
  earliest: Int32Array;
  /** Publication (or grant) day likewise. */
  publication: Int32Array;
  /** Year of publication, else of the earliest date; 0 unknown. */
  year: Int16Array;
  /** Index into `countries`; 0 unknown. */
  country: Uint16Array;
  countries: string[];
}

export async function loadRelations(corpus: Corpus): Promise<Relations> {
  const rows = corpus.size;
  const cites = new ListBuilder(rows);
  const citedBy = new ListBuilder(rows);
  const categories = new Codes();
  const origins = new Codes();
  const countries = new Codes();
  const counts: RelationCounts = { total: 0, inside: 0, unresolved: 0, ambiguous: 0, unreadable: 0 };
  const earliest = new Int32Array(rows).fill(unknownDay);
  const publication = new Int32Array(rows).fill(unknownDay);
  const year = new Int16Array(rows);
  const country = new Uint16Array(rows);
  let row = 0;
  for await (const lines of corpus.links()) {
    for (const [, dates, office, , , cited, citing] of lines) {
      const [priority, filing, published, granted] = dates;
      const available = published || granted;
      earliest[row] = earliestDay(dates);
      if (available) publication[row] = dayOf(available, 'last');
      year[row] = Number((available || filing || priority || '0').slice(0, 4)) || 0;
      if (office) country[row] = countries.code(office);
      for (const entry of cited) {
        const [id, category, origin]: Exclude<LinkedCite, string> = typeof entry === 'string' ? [entry, 0, 0] : entry;
        const { rows: found, ambiguous } = corpus.resolve(id);
        counts.total++;
        if (found.length > 0) counts.inside++;
        else counts.unresolved++;
        if (ambiguous) counts.ambiguous++;
        cites.add(id, found, category ? categories.code(category) : 0, origin ? origins.code(origin) : 0);
      }
      for (const id of citing) citedBy.add(id, corpus.resolve(id).rows, 0, 0);
      cites.endRow();
      citedBy.endRow();
      row++;
    }
  }
  const families = await inferFamilies(corpus);
  return {
    rows,
    cites: cites.finish(),
    citedBy: citedBy.finish(),
    categories: categories.names,
    origins: origins.names,
    counts,
    ...families,
    earliest,
    publication,
    year,
    country,
    countries: countries.names,
  };
}

/** Days since 1970 of a date of the record; a month or year alone means its first or its last day. */
export function dayOf(date: string, end: 'first' | 'last'): number {
  const match = /^(\d{4})(?:-(\d\d))?(?:-(\d\d))?/.exec(date);
  if (match === null) return unknownDay;
  const [year, month, day] = [Number(match[1]), match[2], match[3]];
  const time =
    day !== undefined
      ? Date.UTC(year, Number(month) - 1, Number(day))
      : end === 'first'
        ? Date.UTC(year, month === undefined ? 0 : Number(month) - 1, 1)
        : Date.UTC(year, month === undefined ? 12 : Number(month), 0);
  return Math.floor(time / 86_400_000);
}

function earliestDay(dates: LinkLine[1]): number {
  let earliest = unknownDay;
  for (const date of dates) {
    if (!date) continue;
    const day = dayOf(date, 'first');
    if (day !== unknownDay && (earliest === unknownDay || day < earliest)) earliest = day;
  }
  return earliest;
}

/** Short names as small codes; 0 is no name. */
class Codes {
  readonly names = [''];
  private readonly codes = new Map<string, number>();

  code(name: string): number {
    let code = this.codes.get(name);
    if (code === undefined) {
      if (this.names.length > 255) return 255; // what is beyond shares the last code; no office has so many
      code = this.names.push(name) - 1;
      this.codes.set(name, code);
    }
    return code;
  }
}

class ListBuilder {
  private row = 0;
  private size = 0;
  private readonly offsets: Uint32Array;
  private targets = new Int32Array(1024);
  private bytes = new Uint8Array(3 * 1024);
  /** Rows and unresolved numbers of the row under way: sources repeat entries. */
  private readonly seen = new Set<number | string>();

  constructor(rows: number) {
    this.offsets = new Uint32Array(rows + 1);
  }

  add(id: string, rows: readonly number[], category: number, origin: number): void {
    if (rows.length === 0) {
      if (!this.seen.has(id)) this.push(id, -1, category, origin, 0);
      return;
    }
    let further = 0;
    for (const target of rows) {
      if (target === this.row || this.seen.has(target)) continue; // a patent that lists itself cites nobody
      this.push(target, target, category, origin, further);
      further = 1;
    }
  }

  endRow(): void {
    this.offsets[++this.row] = this.size;
    this.seen.clear();
  }

  finish(): CitationLists {
    const { size, bytes } = this;
    const column = (at: number) => Uint8Array.from({ length: size }, (_, i) => bytes[3 * i + at]!);
    return {
      offsets: this.offsets,
      targets: this.targets.slice(0, size),
      category: column(0),
      origin: column(1),
      further: column(2),
    };
  }

  private push(key: number | string, target: number, category: number, origin: number, further: number): void {
    this.seen.add(key);
    if (this.size === this.targets.length) {
      const larger = new Int32Array(this.size * 2);
      larger.set(this.targets);
      this.targets = larger;
      const more = new Uint8Array(this.size * 6);
      more.set(this.bytes);
      this.bytes = more;
    }
    this.targets[this.size] = target;
    this.bytes[3 * this.size] = category;
    this.bytes[3 * this.size + 1] = origin;
    this.bytes[3 * this.size + 2] = further;
    this.size++;
  }
}

/** The lists turned round: slice of row t are the rows that list t. Entries with target -1 are left out. */
export function transpose(lists: CitationLists, rows: number): CitationLists {
  const offsets = new Uint32Array(rows + 1);
  for (const target of lists.targets) if (target >= 0) offsets[target + 1]!++;
  for (let row = 0; row < rows; row++) offsets[row + 1]! += offsets[row]!;
  const size = offsets[rows]!;
  const targets = new Int32Array(size);
  const category = new Uint8Array(size);
  const origin = new Uint8Array(size);
  const next = offsets.slice();
  for (let row = 0; row < rows; row++) {
    for (let i = lists.offsets[row]!; i < lists.offsets[row + 1]!; i++) {
      const target = lists.targets[i]!;
      if (target < 0) continue;
      const at = next[target]!++;
      targets[at] = row;
      category[at] = lists.category[i]!;
      origin[at] = lists.origin[i]!;
    }
  }
  return { offsets, targets, category, origin, further: new Uint8Array(size) };
}
