/**
 * Counts citations at the end of an import, as a join on disk of the corpus's names and its citations, so that memory does not
 * grow with either:
 *
 *   1. The names of each patent are dealt out to buckets by application key (or by the text, where a name is no number).
 *   2. The citations are dealt out by the same rule; a bit filter over all keys keeps out most that lie outside.
 *   3. Bucket by bucket, citations are resolved among its names. Each pair of patents goes to a bucket of citing rows.
 *   4. There pairs are sorted, and distinct ones counted.
 *
 * A citation resolves by names of one key alone (`CorpusNames.resolve`), so its bucket holds all that it can mean. Names are
 * compared as texts here, never by hash. One bucket of names holds about 4,000 patents, more only
 * beyond a million.
 */
import type { LinkLine } from './links.ts';
import { parseNumber } from './numbers.ts';
import { Spill } from './spill.ts';
import type { StoreFiles } from './store-files.ts';
import { NameIndex } from './store-index.ts';
import { CorpusNames, textLines } from './store-names.ts';
import type { CitationSummary } from './summary.ts';

/** Cited documents looked at to learn whether any are shared: enough to tell, few enough to hold. */
const documentsWatched = 1 << 16;
const patentsPerBucket = 1 << 12;
/** Each may hold a file open. */
const mostBuckets = 256;
const filterBits = 24;

// A name that is no number and has control characters or half a surrogate pair is no name in the store.
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const control = /[\u0000-\u001f\u007f]/;

export interface CitationSources {
  /** names.txt and links.jsonl of a generation of `size` patents. */
  names: string;
  links: string;
  size: number;
  files: StoreFiles;
  /** A folder for what does not fit in memory; removed at the end. */
  scratch: string;
  /** Default one a 4,096 patents, at most 256. */
  buckets?: number;
  /** Bytes of each of three kinds of lines that stay in memory. Default 1 Mi. */
  held?: number;
  signal?: AbortSignal | undefined;
}

export function noCitations(): CitationSummary {
  return {
    total: 0,
    inside: 0,
    unresolved: 0,
    ambiguous: 0,
    unreadable: 0,
    citing: 0,
    edges: 0,
    edgesBoth: 0,
    shared: 0,
  };
}

export async function countCitations(sources: CitationSources): Promise<CitationSummary> {
  const { files, scratch, size, held = 1 << 20 } = sources;
  const buckets = sources.buckets ?? Math.min(mostBuckets, Math.max(1, Math.ceil(size / patentsPerBucket)));
  const spill = (name: string) => new Spill(files, scratch, name, buckets, held);
  const spills = { names: spill('names'), citations: spill('citations'), pairs: spill('pairs') };
  const counts = noCitations();
  try {
    const { filter, sizes } = await dealNames(sources, spills.names, buckets);
    await dealCitations(sources, spills.citations, buckets, filter, counts);
    for (let bucket = 0; bucket < buckets; bucket++) {
      sources.signal?.throwIfAborted();
      await resolveBucket(bucket, sizes[bucket]!, spills, Math.ceil(size / buckets), counts);
    }
    for (let bucket = 0; bucket < buckets; bucket++) await countPairs(spills.pairs.lines(bucket), size, counts);
    return counts;
  } finally {
    for (const each of Object.values(spills)) await each.close();
    await files.remove(scratch);
  }
}

/** Lines `row, id, aliases...` to the buckets of all of its names; returns the filter of their keys and the lines a bucket. */
async function dealNames(
  { names, signal }: CitationSources,
  spill: Spill,
  buckets: number,
): Promise<{ filter: Uint8Array; sizes: Uint32Array }> {
  const sizes = new Uint32Array(buckets);
  const filter = new Uint8Array(1 << (filterBits - 3));
  let row = 0;
  for await (const lines of textLines(names)) {
    signal?.throwIfAborted();
    for (const line of lines) {
      const keys = line.split('\t').map((name) => hashOf(parseNumber(name)?.key ?? name));
      for (const key of keys) filter[filterBit(key) >> 3]! |= 1 << (filterBit(key) & 7);
      for (const bucket of new Set(keys.map((key) => key % buckets))) {
        sizes[bucket]!++;
        const pending = spill.add(bucket, `${row}\t${line}`);
        if (pending !== undefined) await pending;
      }
      row++;
    }
  }
  return { filter, sizes };
}

/** Lines `row, c or b, name`: what a patent cites, and by what it is cited. */
async function dealCitations(
  { links, signal }: CitationSources,
  spill: Spill,
  buckets: number,
  filter: Uint8Array,
  counts: CitationSummary,
): Promise<void> {
  const shared = new SharedDocuments();
  let row = 0;
  /** The line is dealt unless the citation surely leads outside. A promise where it is to be waited for. */
  const deal = (list: 'c' | 'b', id: string): Promise<void> | undefined => {
    const number = parseNumber(id);
    if (list === 'c') shared.watch(number?.key ?? id, row);
    const key = hashOf(number?.key ?? id);
    const known = (filter[filterBit(key) >> 3]! & (1 << (filterBit(key) & 7))) !== 0;
    if (known && (number !== undefined || (!control.test(id) && id.isWellFormed()))) {
      const name = number === undefined ? id : number.key + (number.kind ?? '');
      return spill.add(key % buckets, `${row}\t${list}\t${name}`);
    }
    if (list === 'c') counts.unresolved++;
    if (list === 'c' && number === undefined) counts.unreadable++;
    return undefined;
  };
  for await (const lines of textLines(links)) {
    signal?.throwIfAborted();
    for (const text of lines) {
      const [, , , , , cites, citedBy] = JSON.parse(text) as LinkLine;
      counts.total += cites.length;
      for (const cite of cites) {
        const pending = deal('c', typeof cite === 'string' ? cite : cite[0]);
        if (pending !== undefined) await pending;
      }
      for (const id of citedBy) {
        const pending = deal('b', id);
        if (pending !== undefined) await pending;
      }
      row++;
    }
  }
  counts.shared = shared.count;
  if (shared.isFull) counts.sharedAtLeast = true;
}

/** Resolves the citations of a bucket; pairs `citing, cited, c or b` go to the bucket of the citing row. */
async function resolveBucket(
  bucket: number,
  size: number,
  { names, citations, pairs }: { names: Spill; citations: Spill; pairs: Spill },
  rowsPerBucket: number,
  counts: CitationSummary,
): Promise<void> {
  const index = CorpusNames.empty(size);
  const rowOf = new Uint32Array(size);
  let at = 0;
  for await (const lines of names.lines(bucket)) {
    for (const line of lines) {
      const tab = line.indexOf('\t');
      rowOf[at] = Number(line.slice(0, tab));
      index.add(at++, line.slice(tab + 1));
    }
  }
  for await (const lines of citations.lines(bucket)) {
    for (const line of lines) {
      const [text, list, name] = line.split('\t') as [string, string, string];
      const row = Number(text);
      const { rows, ambiguous } = index.resolve(name);
      if (list === 'c') {
        if (rows.length > 0) counts.inside++;
        else {
          counts.unresolved++;
          if (parseNumber(name) === undefined) counts.unreadable++;
        }
        if (ambiguous) counts.ambiguous++;
      }
      for (const each of rows) {
        const other = rowOf[each]!;
        if (other === row) continue;
        const [citing, cited] = list === 'c' ? [row, other] : [other, row];
        const pending = pairs.add(Math.floor(citing / rowsPerBucket), `${citing}\t${cited}\t${list}`);
        if (pending !== undefined) await pending;
      }
    }
  }
}

/** Counts the distinct pairs of one bucket of citing rows. */
async function countPairs(pairs: AsyncIterable<string[]>, size: number, counts: CitationSummary): Promise<void> {
  // One number a pair, sorted by citing row, then cited row, then list: below 2^53 for up to 60 million patents.
  let codes = new Float64Array(1024);
  let length = 0;
  for await (const lines of pairs) {
    for (const line of lines) {
      const [citing, cited, list] = line.split('\t') as [string, string, string];
      if (length === codes.length) codes = grown(codes);
      codes[length++] = (Number(citing) * size + Number(cited)) * 2 + (list === 'c' ? 0 : 1);
    }
  }
  let pair = -1;
  let citing = -1;
  for (const code of codes.subarray(0, length).sort()) {
    const next = Math.floor(code / 2);
    if (next === pair) continue;
    pair = next;
    counts.edgesBoth++;
    if (code % 2 !== 0) continue;
    counts.edges++;
    const row = Math.floor(pair / size);
    if (row !== citing) counts.citing++;
    citing = row;
  }
}

/** Cited documents that two or more patents cite, among the first ones seen. */
class SharedDocuments {
  private readonly documents = new NameIndex();
  private readonly lastCiting: number[] = [];
  private readonly shared = new Set<number>();
  /** Whether documents were passed over. */
  isFull = false;

  get count(): number {
    return this.shared.size;
  }

  watch(document: string, row: number): void {
    const seen = this.documents.first(document);
    if (seen < 0) {
      this.isFull ||= this.documents.size >= documentsWatched;
      if (this.isFull) return;
      this.documents.add(document, this.lastCiting.length);
      this.lastCiting.push(row);
    } else if (this.lastCiting[seen] !== row) this.shared.add(seen);
  }
}

/** FNV-1a over UTF-16 units, 32 bits. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}

function filterBit(hash: number): number {
  return Math.imul(hash ^ (hash >>> 15), 0x9e3779b1) >>> (32 - filterBits);
}

function grown(array: Float64Array<ArrayBuffer>): Float64Array<ArrayBuffer> {
  const larger = new Float64Array(array.length * 2);
  larger.set(array);
  return larger;
}
