/**
 * Counts citations at the end of an import, streaming over links.jsonl: 4 bytes a patent and 4 to 12 bytes a citation that
 * stays inside; what lies outside is only counted.
 */
import type { LinkLine } from './links.ts';
import { parseNumber } from './numbers.ts';
import { NameIndex } from './store-index.ts';
import { type CorpusNames, textLines } from './store-names.ts';
import type { CitationSummary } from './summary.ts';

/** Cited documents looked at to learn whether any are shared: enough to tell, few enough to hold. */
const documentsWatched = 1 << 16;

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

export async function countCitations(linksPath: string, names: CorpusNames): Promise<CitationSummary> {
  const counts = noCitations();
  const starts = new Uint32Array(names.size + 1);
  const edges = new Integers();
  /** citing * size + cited, from the cited document's list. */
  const listed = new Numbers();
  const documents = new NameIndex();
  const lastCiting = new Integers();
  const sharedAlready = new Set<number>();
  let row = 0;
  for await (const lines of textLines(linksPath)) {
    for (const text of lines) {
      const [, , , , , cites, citedBy] = JSON.parse(text) as LinkLine;
      const targets = new Set<number>();
      for (const cite of cites) {
        const id = typeof cite === 'string' ? cite : cite[0];
        const { rows, ambiguous } = names.resolve(id);
        counts.total++;
        if (rows.length > 0) counts.inside++;
        else counts.unresolved++;
        if (ambiguous) counts.ambiguous++;
        for (const target of rows) if (target !== row) targets.add(target);
        const key = parseNumber(id)?.key;
        if (key === undefined && rows.length === 0) counts.unreadable++;
        watch(key ?? id);
      }
      for (const target of targets) edges.push(target);
      if (targets.size > 0) counts.citing++;
      for (const id of citedBy)
        for (const citing of names.resolve(id).rows) if (citing !== row) listed.push(citing * names.size + row);
      starts[++row] = edges.size;
    }
  }
  counts.edges = edges.size;
  counts.edgesBoth = edges.size + onlyListed();
  counts.shared = sharedAlready.size;
  return counts;

  function watch(document: string): void {
    const seen = documents.first(document);
    if (seen < 0) {
      if (documents.size >= documentsWatched) return;
      documents.add(document, lastCiting.size);
      lastCiting.push(row);
    } else if (lastCiting.values[seen] !== row) sharedAlready.add(seen);
  }

  function onlyListed(): number {
    const pairs = listed.values.subarray(0, listed.size).sort();
    let count = 0;
    for (let i = 0; i < pairs.length; i++) {
      if (i > 0 && pairs[i] === pairs[i - 1]) continue;
      const citing = Math.floor(pairs[i]! / names.size);
      const cited = pairs[i]! % names.size;
      if (edges.values.subarray(starts[citing], starts[citing + 1]).indexOf(cited) < 0) count++;
    }
    return count;
  }
}

class Integers {
  size = 0;
  values = new Int32Array(256);

  push(value: number): void {
    if (this.size === this.values.length) {
      const larger = new Int32Array(this.size * 2);
      larger.set(this.values);
      this.values = larger;
    }
    this.values[this.size++] = value;
  }
}

class Numbers {
  size = 0;
  values = new Float64Array(256);

  push(value: number): void {
    if (this.size === this.values.length) {
      const larger = new Float64Array(this.size * 2);
      larger.set(this.values);
      this.values = larger;
    }
    this.values[this.size++] = value;
  }
}
