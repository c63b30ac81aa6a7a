/**
 * What a corpus holds, counted while its records stream by, in memory that does not grow with it: lengths are kept in
 * logarithmic bins (2 % wide), distinct values are counted up to a limit.
 */
import type { Citation, Patent } from './record.ts';

const textFields = ['title', 'abstract', 'firstClaim', 'claims', 'description'] as const;
const listFields = ['cpc', 'ipc', 'labels', 'cites', 'citedBy', 'aliases'] as const;
const dateFields = ['priority', 'filing', 'publication', 'grant'] as const;

export interface TextFieldSummary {
  present: number;
  /** Characters, within 1 %; over the patents that have the field. */
  median: number;
  p90: number;
  longest: number;
}

export interface ListFieldSummary {
  /** Patents with at least one entry. */
  present: number;
  entries: number;
}

export interface Counted {
  value: string;
  count: number;
}

export interface CitationSummary {
  /** Citations as the sources list them (`cites`). */
  total: number;
  /** Of these, the ones whose document is in the corpus. */
  inside: number;
  unresolved: number;
  /** Inside, but more than one publication of the cited application is there and none is the one written. */
  ambiguous: number;
  /** Citations that are no readable publication number. */
  unreadable: number;
  /** Citing patents with at least one cited document inside, and distinct edges, from `cites` alone. */
  citing: number;
  edges: number;
  /** Distinct edges from `cites` and `citedBy` together. */
  edgesBoth: number;
  /** Cited documents, in the corpus or not, that two or more patents cite; counted among the first 65,536 cited documents. */
  shared: number;
  /** True where there were more cited documents than that: `shared` is a lower bound. */
  sharedAtLeast?: boolean;
}

export interface Support {
  /** `retrieval by cites`, `classification by labels`, `view TA`, ... */
  what: string;
  supported: boolean;
  /** How many patents carry it, or what is lacking. */
  why: string;
}

export interface CorpusSummary {
  patents: number;
  fields: Record<string, TextFieldSummary | ListFieldSummary | { present: number }>;
  years: { year: string; documents: number }[];
  countries: { country: string; documents: number }[];
  languages: { language: string; documents: number }[];
  /** Distinct labels (the user's own), with the most frequent. */
  labels: { distinct: number; top: Counted[] };
  /** Four-character CPC and IPC subclasses. */
  cpcSubclasses: { distinct: number; top: Counted[] };
  ipcSubclasses: { distinct: number; top: Counted[] };
  families: { known: number };
  citations: CitationSummary;
  supports: Support[];
}

const mostDistinct = 100_000;

class Tally {
  private readonly counts = new Map<string, number>();

  add(value: string): void {
    const count = this.counts.get(value);
    if (count !== undefined) this.counts.set(value, count + 1);
    else if (this.counts.size < mostDistinct) this.counts.set(value, 1);
  }

  get distinct(): number {
    return this.counts.size;
  }

  top(limit = Number.POSITIVE_INFINITY): Counted[] {
    return [...this.counts]
      .map(([value, count]) => ({ value, count }))
      .sort((a, b) => b.count - a.count || (a.value < b.value ? -1 : 1))
      .slice(0, limit);
  }

  byName(): Counted[] {
    return this.top().sort((a, b) => (a.value < b.value ? -1 : 1));
  }
}

/** Lengths in bins of 2 %. */
class Lengths {
  present = 0;
  longest = 0;
  private readonly bins = new Uint32Array(1100); // 1.02^1100 is beyond the longest string there can be

  add(length: number): void {
    this.present++;
    if (length > this.longest) this.longest = length;
    this.bins[Math.min(this.bins.length - 1, Math.floor(Math.log(length) / Math.log(1.02)))]!++;
  }

  quantile(q: number): number {
    let left = Math.max(1, Math.ceil(q * this.present));
    if (this.present === 0) return 0;
    for (let bin = 0; bin < this.bins.length; bin++) {
      left -= this.bins[bin]!;
      if (left <= 0) return Math.min(this.longest, Math.round(1.02 ** (bin + 0.5)));
    }
    return this.longest;
  }
}

export class SummaryBuilder {
  private patents = 0;
  private readonly texts = textFields.map(() => new Lengths());
  private readonly lists = listFields.map(() => ({ present: 0, entries: 0 }));
  private readonly dates = dateFields.map(() => 0);
  private readonly years = new Tally();
  private readonly countries = new Tally();
  private readonly languages = new Tally();
  private readonly labels = new Tally();
  private readonly cpc = new Tally();
  private readonly ipc = new Tally();
  /** Patents by which of the text fields they have, one bit a field. */
  private readonly together = new Uint32Array(1 << textFields.length);
  private families = 0;
  private categories = new Tally();
  private origins = new Tally();

  add(patent: Patent): void {
    this.patents++;
    let fields = 0;
    textFields.forEach((field, i) => {
      const length = patent[field]?.length ?? 0;
      if (length === 0) return;
      this.texts[i]!.add(length);
      fields |= 1 << i;
    });
    this.together[fields]!++;
    listFields.forEach((field, i) => {
      const { length } = patent[field];
      if (length === 0) return;
      this.lists[i]!.present++;
      this.lists[i]!.entries += length;
    });
    dateFields.forEach((field, i) => {
      if (patent.dates[field] !== undefined) this.dates[i]!++;
    });
    this.years.add(yearOf(patent) ?? 'unknown');
    this.countries.add(patent.country ?? 'unknown');
    this.languages.add(patent.language ?? 'unknown');
    for (const label of patent.labels) this.labels.add(label);
    for (const code of subclasses(patent.cpc)) this.cpc.add(code);
    for (const code of subclasses(patent.ipc)) this.ipc.add(code);
    for (const { category, origin } of patent.cites) this.addCitation(category, origin);
    if (patent.family !== undefined) this.families++;
  }

  private addCitation(category: Citation['category'], origin: Citation['origin']): void {
    if (category !== undefined) this.categories.add(category);
    if (origin !== undefined) this.origins.add(origin);
  }

  get hasCitations(): boolean {
    return this.lists[listFields.indexOf('cites')]!.present + this.lists[listFields.indexOf('citedBy')]!.present > 0;
  }

  finish(citations: CitationSummary): CorpusSummary {
    const fields: CorpusSummary['fields'] = {};
    textFields.forEach((field, i) => {
      const lengths = this.texts[i]!;
      fields[field] = {
        present: lengths.present,
        median: lengths.quantile(0.5),
        p90: lengths.quantile(0.9),
        longest: lengths.longest,
      };
    });
    listFields.forEach((field, i) => {
      fields[field] = { ...this.lists[i]! };
    });
    dateFields.forEach((field, i) => {
      fields[`dates.${field}`] = { present: this.dates[i]! };
    });
    const named = (tally: Tally) => ({ distinct: tally.distinct, top: tally.top(20) });
    const summary: Omit<CorpusSummary, 'supports'> = {
      patents: this.patents,
      fields,
      years: this.years.byName().map(({ value, count }) => ({ year: value, documents: count })),
      countries: this.countries.top(300).map(({ value, count }) => ({ country: value, documents: count })),
      languages: this.languages.top(300).map(({ value, count }) => ({ language: value, documents: count })),
      labels: named(this.labels),
      cpcSubclasses: named(this.cpc),
      ipcSubclasses: named(this.ipc),
      families: { known: this.families },
      citations,
    };
    const withAll = (needed: readonly string[]) => this.withAll(needed);
    return { ...summary, supports: supportsOf(summary, this.categories.top(), this.origins.top(), withAll) };
  }

  /** Patents that have all of the text fields `needed`. */
  private withAll(needed: readonly string[]): number {
    const bits = textFields.reduce((sum, field, i) => (needed.includes(field) ? sum | (1 << i) : sum), 0);
    return this.together.reduce((sum, count, fields) => ((fields & bits) === bits ? sum + count : sum), 0);
  }
}

/** Year of publication; where unknown, of the earliest date there is. */
function yearOf(patent: Pick<Patent, 'dates'>): string | undefined {
  const { publication, grant, priority, filing } = patent.dates;
  return (publication ?? grant ?? filing ?? priority)?.slice(0, 4);
}

function subclasses(codes: readonly string[]): Set<string> {
  const found = new Set<string>();
  for (const code of codes) if (/^[A-HY]\d\d[A-Z]/.test(code)) found.add(code.slice(0, 4));
  return found;
}

/** Which tasks and views the corpus carries, each with its reason. */
function supportsOf(
  { patents, fields, labels, cpcSubclasses, ipcSubclasses, citations, ...rest }: Omit<CorpusSummary, 'supports'>,
  categories: Counted[],
  origins: Counted[],
  withAll: (fields: readonly string[]) => number,
): Support[] {
  const number = (value: number) => value.toLocaleString('en-US');
  const present = (field: string) => fields[field]?.present ?? 0;
  const supports: Support[] = [];
  const add = (what: string, supported: boolean, yes: string, no: string) =>
    supports.push({ what, supported, why: supported ? yes : no });
  const lacking = citations.total === 0 ? 'no citations in the sources' : 'no cited document is in the corpus';
  add(
    'retrieval by cites',
    citations.edges > 0,
    `${number(citations.citing)} patents cite ${number(citations.edges)} times inside`,
    lacking,
  );
  add(
    'retrieval by cited-by',
    citations.edges > 0 || citations.edgesBoth > 0,
    'the same edges, read from the cited document',
    lacking,
  );
  add(
    'retrieval by both',
    citations.edgesBoth > 0,
    `${number(citations.edgesBoth)} citing pairs from cites and cited-by lists together`,
    lacking,
  );
  add(
    'retrieval by coupling',
    citations.shared > 0,
    `${citations.sharedAtLeast ? 'at least ' : ''}${number(citations.shared)} cited documents are cited by two or more patents`,
    citations.total === 0 ? 'no citations in the sources' : 'no two patents cite the same document',
  );
  add('retrieval by qrels', true, 'with a judgement file of your own (--qrels, --queries)', '');
  add(
    'filter by citation category',
    categories.length > 0,
    categories
      .slice(0, 8)
      .map(({ value, count }) => `${value} ${number(count)}`)
      .join(', '),
    'no search-report categories in the sources',
  );
  add(
    'filter by citation origin',
    origins.length > 0,
    origins
      .slice(0, 8)
      .map(({ value, count }) => `${value} ${number(count)}`)
      .join(', '),
    'no citation origins in the sources',
  );
  const dated = present('dates.publication') + present('dates.grant');
  const anyDate = patents - (rest.years.find(({ year }) => year === 'unknown')?.documents ?? 0);
  add(
    'filter by date (--only-earlier)',
    anyDate > 0,
    dated > 0
      ? 'publication dates known'
      : `${number(anyDate)} patents have a date, but no publication date: the earliest date stands in`,
    'no dates in the sources',
  );
  const classes = [
    { by: 'labels', patents: present('labels'), distinct: labels.distinct },
    { by: 'CPC', patents: present('cpc'), distinct: cpcSubclasses.distinct },
    { by: 'IPC', patents: present('ipc'), distinct: ipcSubclasses.distinct },
  ];
  for (const task of ['classification', 'clustering'])
    for (const { by, patents: labelled, distinct } of classes)
      add(
        `${task} by ${by}`,
        distinct >= 2,
        `${number(labelled)} patents, ${number(distinct)} ${by === 'labels' ? 'labels' : 'subclasses'}`,
        labelled === 0 ? `no ${by === 'labels' ? 'labels' : `${by} codes`} in the sources` : 'only one class',
      );
  add(
    'families',
    rest.families.known > 0,
    `${number(rest.families.known)} patents carry a family id`,
    'no family ids: families are inferred from titles, dates and abstracts, and marked so',
  );
  const viewFields: [string, string[]][] = [
    ['T', ['title']],
    ['A', ['abstract']],
    ['C1', ['firstClaim']],
    ['C', ['claims']],
    ['TA', ['title', 'abstract']],
    ['TAC', ['title', 'abstract', 'claims']],
    ['AC', ['abstract', 'claims']],
    ['full', ['description']],
  ];
  for (const [view, needed] of viewFields) {
    const absent = needed.filter((field) => present(field) === 0);
    add(
      `view ${view}`,
      absent.length === 0,
      `${number(withAll(needed))} of ${number(patents)} patents`,
      `no ${absent.join(' and no ')} in the sources`,
    );
  }
  return supports;
}
