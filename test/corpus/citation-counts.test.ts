/** Citation counts, joined in buckets on disk, are those of a plain count over the opened corpus. */
import assert from 'node:assert/strict';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type RandomStream, stream } from '../../src/base/random.ts';
import { countCitations, noCitations } from '../../src/corpus/citation-counts.ts';
import { importCorpus } from '../../src/corpus/import.ts';
import { parseNumber } from '../../src/corpus/numbers.ts';
import { type Corpus, openCorpus } from '../../src/corpus/store.ts';
import { nodeStoreFiles } from '../../src/corpus/store-files.ts';
import type { CitationSummary } from '../../src/corpus/summary.ts';
import { scratch } from '../support/scratch.ts';

/** Names that meet often and in many forms: kinds, series, aliases, spellings, plain texts. */
function name(random: RandomStream): string {
  const n = 1 + random.integer(60);
  return random.pick([
    () => `US${4_000_000 + n}A`,
    () => `US${4_000_000 + n}`,
    () => `US-${4_000_000 + n}-B2`,
    () => `US2004${String(n).padStart(7, '0')}A1`,
    () => `US-2004${String(n).padStart(6, '0')}-A1`,
    () => `JPS58${40_000 + n}${random.pick(['A', 'B', 'U'])}`,
    () => `EP${n + 100_000}${random.pick(['A1', 'B1', ''])}`,
    () => `WO98${String(n).padStart(5, '0')}A1`,
    () => `own-${n}`,
    () => `Müller ${n}, p. 3`,
    () => `odd\u0007${n}`,
    () => `half \ud83d ${n}`,
  ])();
}

const names = (random: RandomStream, most: number) =>
  Array.from({ length: random.integer(most + 1) }, () => name(random));

async function plainCount(corpus: Corpus): Promise<CitationSummary> {
  const counts = noCitations();
  const edges = new Set<string>();
  const both = new Set<string>();
  const citing = new Set<number>();
  const citedBy = new Map<string, Set<number>>();
  let row = 0;
  for await (const lines of corpus.links()) {
    for (const [, , , , , cites, listed] of lines) {
      for (const cite of cites) {
        const id = typeof cite === 'string' ? cite : cite[0];
        const { rows, ambiguous } = corpus.resolve(id);
        counts.total++;
        if (rows.length > 0) counts.inside++;
        else counts.unresolved++;
        if (ambiguous) counts.ambiguous++;
        const key = parseNumber(id)?.key;
        if (key === undefined && rows.length === 0) counts.unreadable++;
        citedBy.set(key ?? id, (citedBy.get(key ?? id) ?? new Set()).add(row));
        for (const other of rows) {
          if (other === row) continue;
          edges.add(`${row} ${other}`);
          both.add(`${row} ${other}`);
          citing.add(row);
        }
      }
      for (const id of listed)
        for (const other of corpus.resolve(id).rows) if (other !== row) both.add(`${other} ${row}`);
      row++;
    }
  }
  const shared = [...citedBy.values()].filter((rows) => rows.size > 1).length;
  return { ...counts, citing: citing.size, edges: edges.size, edgesBoth: both.size, shared };
}

test('citation counts are those of a plain count, in any number of buckets, in memory and on disk', async (t) => {
  let [ambiguous, unreadable, onlyListed] = [0, 0, 0];
  for (let seed = 0; seed < 12; seed++) {
    const random = stream(seed, 'citation counts');
    const home = scratch(t);
    const source = join(home, 'source.jsonl');
    const rows = Array.from({ length: 20 + random.integer(150) }, () => ({
      id: name(random),
      title: 'A valve',
      aliases: names(random, 2),
      cites: names(random, 6),
      citedBy: names(random, 3),
    }));
    writeFileSync(source, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
    const { summary } = await importCorpus({ home, name: 'mine', paths: [source] });
    const corpus = await openCorpus(home, 'mine');
    const expected = await plainCount(corpus);
    assert.deepEqual(summary.citations, expected);
    ambiguous += expected.ambiguous;
    unreadable += expected.unreadable;
    onlyListed += expected.edgesBoth - expected.edges;
    const entries = readdirSync(corpus.directory);
    assert.equal(entries.length, 2, `the manifest and one generation: ${entries}`);
    const folder = join(corpus.directory, entries.find((entry) => entry !== 'manifest.json')!);
    for (const [buckets, held] of [
      [1, 64],
      [2, 1 << 20],
      [7, 300],
      [128, 1],
    ] as const) {
      const counts = await countCitations({
        names: join(folder, 'names.txt'),
        links: join(folder, 'links.jsonl'),
        size: corpus.size,
        files: nodeStoreFiles,
        scratch: join(home, 'scratch'),
        buckets,
        held,
      });
      assert.deepEqual(counts, expected, `${buckets} buckets`);
      assert.ok(!readdirSync(home).includes('scratch'));
    }
    await corpus.close();
  }
  assert.ok(ambiguous > 50 && unreadable > 50 && onlyListed > 50, 'every kind of citation is met');
});

test('beyond the cited documents that are watched, shared ones are a lower bound and said to be', async (t) => {
  const home = scratch(t);
  const counted = async (each: number) => {
    const source = join(home, `${each}.jsonl`);
    const rows = Array.from({ length: 70 }, (_, row) => ({
      id: `own-${row}`,
      title: 'x',
      cites: ['common', ...Array.from({ length: each }, (_, i) => `own-${row}-${i}`)],
    }));
    writeFileSync(source, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
    const { summary } = await importCorpus({ home, name: `c${each}`, paths: [source] });
    const { why } = summary.supports.find(({ what }) => what === 'retrieval by coupling')!;
    return { ...summary.citations, why };
  };
  const few = await counted(10);
  assert.deepEqual([few.shared, few.sharedAtLeast], [1, undefined]);
  assert.match(few.why, /^1 cited/);
  const many = await counted(1000);
  assert.deepEqual([many.shared, many.sharedAtLeast], [1, true]);
  assert.match(many.why, /^at least 1 cited/);
});
