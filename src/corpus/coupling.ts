/**
 * Bibliographic coupling (Kessler 1963): two patents are coupled by every document both cite, in the corpus or not. The
 * strength of a pair is the number of such documents. Publications of one application are one document. Documents that very
 * many patents cite couple almost everything and say little; they are left out above a limit, and counted.
 */
import { parseNumber, seriesOf } from './numbers.ts';
import type { Corpus } from './store.ts';
import { NameIndex } from './store-index.ts';

export interface Coupling {
  /** Rows coupled with `row` (ascending, without `row` itself), and how many documents they share. */
  of(row: number): { rows: Int32Array; shared: Float32Array };
  /** Cited documents left out because more than `limit` patents cite them. */
  hubs: number;
}

export async function loadCoupling(corpus: Corpus, { limit = 1000 }: { limit?: number } = {}): Promise<Coupling> {
  const rows = corpus.size;
  const documents = new NameIndex(rows * 4);
  const starts = new Uint32Array(rows + 1);
  let cited = new Int32Array(Math.max(1024, rows * 4));
  let size = 0;
  let count = 0;
  let row = 0;
  for await (const lines of corpus.links()) {
    for (const [, , , , , cites] of lines) {
      const own = new Set<number>();
      const itself = documentOf(corpus.id(row));
      for (const cite of cites) {
        const name = documentOf(typeof cite === 'string' ? cite : cite[0]);
        if (name === itself) continue; // some exports list a patent as citing itself
        let document = documents.first(name);
        if (document < 0) {
          document = count++;
          documents.add(name, document);
        }
        own.add(document);
      }
      if (size + own.size > cited.length) {
        const larger = new Int32Array(2 * cited.length + own.size);
        larger.set(cited);
        cited = larger;
      }
      for (const document of own) cited[size++] = document;
      starts[++row] = size;
    }
  }
  const { offsets, citing } = invert(starts, cited, size, count);
  let hubs = 0;
  for (let document = 0; document < count; document++) if (offsets[document + 1]! - offsets[document]! > limit) hubs++;
  const shared = new Int32Array(rows);
  return {
    hubs,
    of(query) {
      const touched: number[] = [];
      for (let i = starts[query]!; i < starts[query + 1]!; i++) {
        const [from, to] = [offsets[cited[i]!]!, offsets[cited[i]! + 1]!];
        if (to - from > limit) continue;
        for (let at = from; at < to; at++) {
          const other = citing[at]!;
          if (other === query) continue;
          if (shared[other]!++ === 0) touched.push(other);
        }
      }
      const found = Int32Array.from(touched).sort();
      const strength = Float32Array.from(found, (other) => shared[other]!);
      for (const other of touched) shared[other] = 0;
      return { rows: found, shared: strength };
    },
  };
}

function documentOf(id: string): string {
  const number = parseNumber(id);
  if (number === undefined) return id;
  const series = seriesOf(number);
  return series === 'A' || series === '' ? number.key : `${number.key} ${series}`;
}

/** document -> the rows that cite it, ascending. */
function invert(starts: Uint32Array, cited: Int32Array, size: number, documents: number) {
  const offsets = new Uint32Array(documents + 1);
  for (let i = 0; i < size; i++) offsets[cited[i]! + 1]!++;
  for (let document = 0; document < documents; document++) offsets[document + 1]! += offsets[document]!;
  const citing = new Int32Array(size);
  const next = offsets.slice();
  for (let row = 0; row + 1 < starts.length; row++)
    for (let i = starts[row]!; i < starts[row + 1]!; i++) citing[next[cited[i]!]!++] = row;
  return { offsets, citing };
}
