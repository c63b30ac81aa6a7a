import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import type { PatentlabError } from '../../src/base/errors.ts';
import { importCorpus } from '../../src/corpus/import.ts';
import { dayOf, loadRelations, transpose, unknownDay } from '../../src/corpus/relations.ts';
import { buildRelevance, type RelevanceOptions } from '../../src/corpus/relevance.ts';
import { type Corpus, openCorpus } from '../../src/corpus/store.ts';
import { missing, realData } from '../support/data.ts';
import { scratch } from '../support/scratch.ts';
import { importRows, row, type SourceRow } from './store-support.ts';

const code = (wanted: string) => (error: unknown) => (error as PatentlabError).code === wanted;

async function withCorpus(
  home: string,
  rows: SourceRow[] | undefined,
  use: (corpus: Corpus) => Promise<void>,
): Promise<void> {
  if (rows !== undefined) await importRows(home, rows);
  const corpus = await openCorpus(home, 'mine');
  try {
    await use(corpus);
  } finally {
    await corpus.close();
  }
}

/** query id -> relevant ids with gains. */
async function relevant(corpus: Corpus, options: Partial<RelevanceOptions>) {
  const relations = await loadRelations(corpus);
  const relevance = await buildRelevance(corpus, relations, { relevance: 'cites', seed: 1, ...options });
  const found = relevance.queries.map(({ id }, query) => {
    const { rows, gains } = relevance.judged[query]!;
    return [
      id,
      Array.from(rows, (at, i) => (gains[i] === 1 ? corpus.id(at) : `${corpus.id(at)}:${gains[i]}`)),
    ] as const;
  });
  return { relevance, relations, found: Object.fromEntries(found) };
}

const set: SourceRow[] = [
  row('US4000001A', {
    cites: [
      { id: 'US4000002A', category: 'X', origin: 'examiner' },
      { id: 'US4000003', category: 'A', origin: 'applicant' },
      { id: 'DE1234567A1' },
    ],
    publication_date: '1990-05-05',
    filing_date: '1989-01-01',
  }),
  row('US4000002A', {
    cites: ['US4000004A', 'US4000002A', 'US4000004A', 'US9999999B2'],
    citedBy: ['US4000005A'],
    publication_date: '1985-01-01',
  }),
  row('US4000003A', { family_id: 'F1', publication_date: '1995-01-01' }),
  row('US4000004A', { family_id: 'F1', cites: ['US4000003A', 'DE1234567A1'], publication_date: '1980' }),
  row('US4000005A', { publication_date: '1999-01-01' }),
];

test('edges: without kind code, with repeats, with itself, with outsiders', async (t) => {
  await withCorpus(scratch(t), set, async (corpus) => {
    const { relations, found, relevance } = await relevant(corpus, {});
    assert.deepEqual(found, { US4000001A: ['US4000002A', 'US4000003A'], US4000002A: ['US4000004A'] });
    assert.equal(relevance.candidates, 3);
    assert.deepEqual(relevance.dropped, [{ reason: 'the only relevant documents are of its own family', count: 1 }]);
    assert.deepEqual(relations.categories, ['', 'X', 'A']);
    assert.equal(relations.families, 4);
    assert.ok(!relations.familyInferred);
    assert.equal(relevance.recallCeiling, 3 / 5); // DE1234567A1 and US9999999B2 are not there
    assert.deepEqual(relevance.years, ['1990', '1985']);
    assert.deepEqual([...relevance.excluded(0)], [0]);
    assert.match(relevance.statement, /^Relevance "cites"/);
  });
});

test('directions, filters, dates', async (t) => {
  await withCorpus(scratch(t), set, async (corpus) => {
    const of = async (options: Partial<RelevanceOptions>) => (await relevant(corpus, options)).found;
    assert.deepEqual(await of({ relevance: 'cited-by' }), {
      US4000002A: ['US4000001A', 'US4000005A'],
      US4000003A: ['US4000001A'],
      US4000004A: ['US4000002A'],
    });
    assert.deepEqual(await of({ relevance: 'both' }), {
      US4000001A: ['US4000002A', 'US4000003A'],
      US4000002A: ['US4000001A', 'US4000004A', 'US4000005A'],
      US4000003A: ['US4000001A'],
      US4000004A: ['US4000002A'],
      US4000005A: ['US4000002A'],
    });
    assert.deepEqual(await of({ categories: ['x'] }), { US4000001A: ['US4000002A'] });
    assert.deepEqual(await of({ origins: ['applicant'] }), { US4000001A: ['US4000003A'] });
    await assert.rejects(of({ categories: ['Z'] }), code('relevance.filter'));
    const earlier = await relevant(corpus, { onlyEarlier: true });
    assert.deepEqual(earlier.found, { US4000001A: ['US4000002A'], US4000002A: ['US4000004A'] });
    const { documentDay, queryDay } = earlier.relevance;
    assert.equal(queryDay![0], dayOf('1989-01-01', 'first')); // the earliest date, not the publication
    assert.equal(documentDay![3], dayOf('1980-12-31', 'last')); // a year alone: its last day
    assert.deepEqual(await of({ relevance: 'coupling' }), {
      US4000001A: ['US4000004A:2'],
      US4000004A: ['US4000001A:2'],
    });
  });
});

test('samples are drawn by the seed and kept in row order', async (t) => {
  const rows = Array.from({ length: 40 }, (_, i) =>
    row(`US${4000001 + i}A`, { cites: [`US${4000001 + ((i + 1) % 40)}A`] }),
  );
  await withCorpus(scratch(t), rows, async (corpus) => {
    const draw = async (seed: number) => (await relevant(corpus, { sampleQueries: 10, seed })).relevance;
    const [a, b, c] = [await draw(1), await draw(1), await draw(2)];
    assert.deepEqual(a.queries, b.queries);
    assert.notDeepEqual(a.queries, c.queries);
    const order = a.queries.map(({ row: at }) => at!);
    assert.deepEqual(
      order,
      [...order].sort((x, y) => x - y),
    );
    assert.deepEqual(a.dropped, [{ reason: 'not drawn into the sample', count: 30 }]);
  });
});

test('families: known ids, numbers, titles with more than a title', async (t) => {
  const abstract =
    'An ultrasonic probe with an array of elements that are driven in turn by a control unit over many lines, and a lens.';
  const rows = [
    { id: 'US4000001A', title: 'Probe', abstract, filing_date: '1980-01-01' },
    { id: 'US4000002A', title: 'PROBE.', abstract: `${abstract} More.`.repeat(4) },
    { id: 'US4000003A', title: 'Probe', abstract: 'Quite another.', filing_date: '1980-01-01' },
    { id: 'EP1000000A1', title: 'X' },
    { id: 'EP1000000B1', title: 'Y' },
    { id: 'US4000004A', title: 'A probe with many small elements', filing_date: '1981-02-03' },
    { id: 'US4000005A', title: 'A probe with many small elements', filing_date: '1981-02-03' },
    { id: 'US4000006A', title: 'A probe with many small elements', filing_date: '1982-02-03' },
    { id: 'US4000007A', title: 'Scanner', filing_date: '1982-02-03', cites: ['US1111111A'] },
    { id: 'US4000008A', title: 'Scanner', filing_date: '1982-02-03', cites: ['US1111111A', 'US2222222A'] },
    { id: 'US4000009A', title: 'Scanner', filing_date: '1982-02-03', cites: ['US3333333A'] },
    { id: 'US4000010A', family_id: '7' },
    { id: 'US4000011A', family_id: '7' },
  ];
  // The second abstract begins as the first does: its first 300 letters are compared where there are so many.
  rows[0]!.abstract = `${abstract} More.`.repeat(4);
  await withCorpus(scratch(t), rows, async (corpus) => {
    const { family, familyInferred, familiesKnown, families } = await loadRelations(corpus);
    assert.deepEqual([...family], [0, 0, 1, 2, 2, 3, 3, 4, 5, 5, 6, 7, 7]);
    assert.deepEqual([familyInferred, familiesKnown, families], [true, 2, 8]);
  });
});

test('ambiguous citations mean all publications of the application', async (t) => {
  const rows = [
    row('EP1000000A1'),
    row('EP1000000B1'),
    row('JPS5841326A'),
    row('JPS5841326B'),
    row('US4000001A', { cites: ['EP1000000', 'JPS5841326A', 'EP1000000A2'] }),
  ];
  await withCorpus(scratch(t), rows, async (corpus) => {
    const { found, relations } = await relevant(corpus, {});
    assert.deepEqual(found, { US4000001A: ['EP1000000A1', 'EP1000000B1', 'JPS5841326A'] });
    assert.deepEqual(relations.counts, { total: 3, inside: 3, unresolved: 0, ambiguous: 2, unreadable: 0 });
  });
});

test('judgements of the user: topics that are texts, topics that are patents', async (t) => {
  const home = scratch(t);
  const qrels = join(home, 'mine.qrels');
  const queriesFile = join(home, 'queries.jsonl');
  writeFileSync(
    qrels,
    'q1 0 US4000002A 2\nq1 0 US4000003A 0\nq1 0 US7777777A 1\nq2 0 US4000003A 1\nUS4000001A 0 US4000002A 1\nUS4000001A 0 US4000001A 1\nq4 0 US7777777A 1\n',
  );
  writeFileSync(
    queriesFile,
    `${['{"id":"q1","text":"a probe"}', '{"_id":"US4000001A"}', '{"id":"q4","text":"x"}', '{"id":"q5","text":"y"}'].join('\n')}\n`,
  );
  await withCorpus(home, set, async (corpus) => {
    const { found, relevance } = await relevant(corpus, { relevance: 'qrels', qrels, queriesFile });
    assert.deepEqual(found, { q1: ['US4000002A:2', 'US4000003A:0'], US4000001A: ['US4000002A'] });
    assert.deepEqual(relevance.queries, [
      { id: 'q1', text: 'a probe' },
      { id: 'US4000001A', row: 0 },
    ]);
    assert.deepEqual(Object.fromEntries(relevance.dropped.map(({ reason, count }) => [reason, count])), {
      'judged, but not in the queries file': 1,
      'no relevant document is in the corpus': 1,
      'no judgements': 1,
    });
    assert.equal(relevance.recallCeiling, 3 / 4);
    assert.equal(relevance.excluded(0).length, 0);
    const bare = await relevant(corpus, { relevance: 'qrels', qrels });
    assert.deepEqual(Object.keys(bare.found), ['US4000001A']);
    writeFileSync(queriesFile, 'query-id\ttext\nq1\tone\nq2\ttwo\n');
    writeFileSync(qrels, 'query-id\tcorpus-id\tscore\nq1\tUS4000002A\t1\nq2\tUS4000003A\t1\n');
    assert.deepEqual(Object.keys((await relevant(corpus, { relevance: 'qrels', qrels, queriesFile })).found), [
      'q1',
      'q2',
    ]);
    writeFileSync(qrels, 'q1 0 US4000002A 1\nq1 0 US4000003A high\n');
    await assert.rejects(
      relevant(corpus, { relevance: 'qrels', qrels, queriesFile }),
      (error: PatentlabError) => error.code === 'qrels.line' && error.details.line === 2,
    );
    await assert.rejects(
      relevant(corpus, { relevance: 'qrels', qrels: join(home, 'none'), queriesFile }),
      code('file.unreadable'),
    );
    await assert.rejects(relevant(corpus, { relevance: 'qrels' }), code('relevance.qrels'));
  });
});

test('no query at all is an error that says why', async (t) => {
  await withCorpus(scratch(t), [row('US4000001A', { cites: ['US1A'] }), row('US4000002A')], async (corpus) => {
    await assert.rejects(relevant(corpus, {}), code('relevance.none'));
    await assert.rejects(relevant(corpus, { relevance: 'coupling' }), code('relevance.none'));
  });
});

test('days: partial dates mean their first or last day', () => {
  assert.equal(dayOf('1970-01-02', 'first'), 1);
  assert.equal(dayOf('1970', 'first'), 0);
  assert.equal(dayOf('1970', 'last'), 364);
  assert.equal(dayOf('1972-02', 'last'), dayOf('1972-02-29', 'first'));
  assert.equal(dayOf('1912-04-09', 'last') < 0, true);
  assert.equal(dayOf('soon', 'last'), unknownDay);
});

test('relevance by cites is what a plain reading of the lists gives', async (t) => {
  const id = (n: number) => `US${4000000 + n}A`;
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(fc.nat(15), { maxLength: 6 }), { minLength: 2, maxLength: 10 }),
      async (lists) => {
        const home = scratch(t);
        const rows = lists.map((cites, i) => ({ id: id(i), title: `t${i}`, cites: cites.map(id) }));
        const plain: Record<string, string[]> = {};
        lists.forEach((cites, i) => {
          const inside = [...new Set(cites)].filter((n) => n !== i && n < lists.length).sort((a, b) => a - b);
          if (inside.length > 0) plain[id(i)] = inside.map(id);
        });
        await withCorpus(home, rows, async (corpus) => {
          if (Object.keys(plain).length === 0) await assert.rejects(relevant(corpus, {}), code('relevance.none'));
          else assert.deepEqual((await relevant(corpus, {})).found, plain);
          const relations = await loadRelations(corpus);
          const back = transpose(transpose(relations.cites, corpus.size), corpus.size);
          for (let at = 0; at < corpus.size; at++) {
            const slice = (l: typeof back) =>
              [...l.targets.subarray(l.offsets[at]!, l.offsets[at + 1]!)].filter((x) => x >= 0).sort((a, b) => a - b);
            assert.deepEqual(slice(back), slice(relations.cites));
          }
        });
      },
    ),
    { numRuns: 20 },
  );
});

test('real: 13,641 edges of 1,046 patents, families by more than titles', {
  skip: missing('ultrasound_us.jsonl.gz'),
}, async (t) => {
  const home = scratch(t);
  const summary = await importCorpus({ home, name: 'mine', paths: [realData('ultrasound_us.jsonl.gz')] });
  assert.equal(summary.stored, 1252);
  assert.equal(summary.rejected, 0);
  assert.equal(summary.citationsInside, 13_641);
  assert.equal(summary.summary.citations.citing, 1046);
  await withCorpus(home, undefined, async (corpus) => {
    const { relevance, relations, found } = await relevant(corpus, {});
    assert.equal(relations.counts.inside, 13_641);
    assert.equal(relations.counts.ambiguous, 0);
    assert.equal(relevance.queries.length, 1045); // one patent cites only its own family
    assert.equal(Object.values(found).flat().length, 13_629);
    assert.equal(relevance.candidates, 1230);
    const sizes = new Map<number, number>();
    for (const family of relations.family) sizes.set(family, (sizes.get(family) ?? 0) + 1);
    const shared = [...sizes.values()].filter((size) => size > 1);
    assert.deepEqual([shared.length, shared.reduce((sum, size) => sum + size, 0)], [60, 134]);
    const of = (id: string) => relations.family[corpus.row(id)!];
    assert.equal(of('US5704361A'), of('US6306096B1')); // continuations
    assert.equal(of('US3911730'), of('US3911730A')); // one publication twice
    assert.notEqual(of('US4101795A'), of('US4756313A')); // two probes called "Ultrasonic Probe"
  });
});

test('real: couplings and citations of 10,000 abstracts', { skip: missing('us_abstracts_10k.jsonl.gz') }, async (t) => {
  const home = scratch(t);
  await importCorpus({ home, name: 'mine', paths: [realData('us_abstracts_10k.jsonl.gz')] });
  await withCorpus(home, undefined, async (corpus) => {
    // The file repeats citations: 164 of its entries are inside the set, 148 of them different.
    // Compared as strings, 3,064 pairs share 5,435 cited publications in all. Read as documents, two more pairs share one
    // (cited under different kind codes), and two publications of one application count as one document: 5,394.
    const { relations } = await relevant(corpus, {});
    assert.equal(relations.counts.inside, 148);
    const { relevance } = await relevant(corpus, { relevance: 'coupling' });
    let pairs = 0;
    let strength = 0;
    for (const { rows, gains } of relevance.judged) {
      pairs += rows.length;
      for (const gain of gains) strength += gain;
    }
    t.diagnostic(`${pairs / 2} pairs, ${strength / 2} shared documents, ${relevance.queries.length} queries`);
    assert.equal(pairs / 2, 3066);
    assert.equal(strength / 2, 5394);
  });
});
