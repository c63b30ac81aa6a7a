/** Reranking: order and ties, cells of their own with their bases, scores kept by text, and what wrong use is told. */
import assert from 'node:assert/strict';
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { nodePlatform } from '../../src/base/node/platform.ts';
import { type Progress, silent } from '../../src/base/progress.ts';
import { openCorpus } from '../../src/corpus/store.ts';
import { viewText } from '../../src/corpus/views.ts';
import { loadCrossEncoder } from '../../src/model/cross-encoder.ts';
import { rerankSentences } from '../../src/report/rerank-sentences.ts';
import { plain } from '../../src/report/sentences.ts';
import { Standings } from '../../src/report/standings.ts';
import { rerank } from '../../src/retrieve/rerank.ts';
import { CellStore } from '../../src/study/cell.ts';
import { evaluate, planEvaluation } from '../../src/study/evaluate.ts';
import type { EvaluateOptions } from '../../src/study/evaluate-options.ts';
import { repeatCell } from '../../src/study/repeat.ts';
import type { CellResult } from '../../src/study/results.ts';
import { systemName } from '../../src/study/results.ts';
import { loadTokenizer } from '../../src/tokenizer/index.ts';
import { PairEncoder } from '../../src/tokenizer/pair.ts';
import { crossEncoderFolder } from '../support/cross-encoders.ts';
import { inventCorpus } from '../support/invent.ts';
import { tinyCheckpoint } from '../support/tiny-checkpoint.ts';

const home = mkdtempSync(join(tmpdir(), 'patentlab-rerank-'));
after(() => rmSync(home, { recursive: true, force: true }));
const encoder = join(home, 'tiny');
let model = '';

before(async () => {
  await inventCorpus(home, 'devices', { patents: 60 });
  tinyCheckpoint(encoder);
  model = crossEncoderFolder('bert', home);
});

const options = (extra: Partial<EvaluateOptions> = {}): EvaluateOptions => ({
  platform: nodePlatform,
  home,
  corpora: ['devices'],
  models: ['bm25', 'lsa'],
  fuse: ['linear'],
  views: ['TA'],
  rerank: [`cross=${model}`],
  rerankDepth: 8,
  relevance: { relevance: 'cites', sampleQueries: 12 },
  lsaDimensions: 16,
  depth: 30,
  resamples: 100,
  threads: 1,
  ...extra,
});

const score = fc.integer({ min: -4, max: 4 }).map((value) => value / 2);

test('the first are put in order by score, then id; the rest stay behind them, and the scores fall', () => {
  fc.assert(
    fc.property(fc.array(score, { minLength: 1, maxLength: 20 }), fc.nat(25), (scores, more) => {
      const rows = Int32Array.from({ length: scores.length + more }, (_, i) => (i * 7) % (scores.length + more + 1));
      fc.pre(new Set(rows).size === rows.length);
      const tieRank = Uint32Array.from({ length: rows.length + 1 }, (_, row) => rows.length - row);
      const before = { rows, scores: Float32Array.from(rows, (_, i) => 100 - i) };
      const { rows: found, scores: given } = rerank(before, scores, tieRank);
      const expected = scores
        .map((value, i) => ({ value, row: rows[i]! }))
        .sort((a, b) => b.value - a.value || tieRank[a.row]! - tieRank[b.row]!);
      assert.deepEqual(
        [...found.subarray(0, scores.length)],
        expected.map(({ row }) => row),
      );
      assert.deepEqual(
        [...given.subarray(0, scores.length)],
        expected.map(({ value }) => value),
      );
      assert.deepEqual(found.subarray(scores.length), rows.subarray(scores.length));
      for (let i = scores.length; i < given.length; i++) assert.ok(given[i]! < given[i - 1]!);
      assert.deepEqual([...rows], [...before.rows], 'the input is left alone');
    }),
  );
});

test('scores that are no numbers, or too many of them, are refused; none leave the ranking as it is', () => {
  const ranking = { rows: Int32Array.of(3, 1), scores: Float32Array.of(2, 1) };
  assert.throws(() => rerank(ranking, [1, Number.NaN]), { code: 'search.nan' });
  assert.throws(() => rerank(ranking, [1, 2, 3]), { code: 'rerank.count' });
  assert.equal(rerank(ranking, []), ranking);
});

const cellOf = (cells: readonly CellResult[], name: string) => cells.find((cell) => systemName(cell) === name)!;
const bases = ['bm25', 'lsa', 'bm25+lsa (linear)'];

test('every system has a reranked one, compared with it, in the order that the model itself gives', async () => {
  const { results, computed } = await evaluate(options());
  assert.equal(computed, 6);
  const names = results.cells.map(systemName);
  assert.deepEqual(names, [...bases, ...bases.map((base) => `${base} > cross`)]);
  const store = new CellStore(home, 'evaluate-devices');
  const corpus = await openCorpus(home, 'devices');
  const cross = await loadCrossEncoder(nodePlatform, model, { threads: 1 });
  const pairs = new PairEncoder(await loadTokenizer(nodePlatform, model), cross.maxLength);
  try {
    const textOf = async (row: number) => pairs.read(viewText(await corpus.get(row), 'TA'));
    for (const base of bases) {
      const cell = cellOf(results.cells, `${base} > cross`);
      assert.deepEqual(cell.rerank, { base, model: 'cross', depth: 8 });
      const after = await store.rankings(cell.manifest.cell);
      const before = await store.rankings(cellOf(results.cells, base).manifest.cell);
      for (const query of [0, 7]) {
        const found = before[query]!;
        const text = await textOf(
          corpus.row(results.cells.length > 0 ? (await store.load(cell.manifest.cell))!.queryIds[query]! : '')!,
        );
        const joined = await Promise.all(
          Array.from(found.rows.subarray(0, 8), async (row) => pairs.join(text, await textOf(row))),
        );
        const scores = await cross.score(joined);
        const ids = (row: number) => corpus.id(row);
        const expected = Array.from(found.rows.subarray(0, 8), (row, i) => ({ row, score: scores[i]! })).sort(
          (a, b) => b.score - a.score || (ids(a.row) > ids(b.row) ? -1 : 1),
        );
        assert.deepEqual(
          [...after[query]!.rows.subarray(0, 8)],
          expected.map(({ row }) => row),
        );
        assert.deepEqual(after[query]!.rows.subarray(8), found.rows.subarray(8));
      }
    }
  } finally {
    await cross.close();
    await corpus.close();
  }
  const table = results.comparisons.find(({ metric }) => metric === 'ndcg@10')!;
  for (const base of bases)
    assert.ok(table.pairs.some(({ a, b }) => [a, b].join() === [base, `${base} > cross`].join()));
});

test('a reranked system costs its base and the scoring; the report says what it did', async () => {
  const { results } = await evaluate(options());
  for (const base of bases) {
    const { cost } = cellOf(results.cells, `${base} > cross`);
    const before = cellOf(results.cells, base).cost;
    assert.ok(cost.rerankSeconds! > 0);
    assert.ok(Math.abs(cost.searchSeconds - before.searchSeconds - cost.rerankSeconds!) < 1e-9);
    assert.ok(cost.seconds >= before.seconds);
  }
  const standings = new Standings(results);
  const [group] = standings.groups;
  const sentences = rerankSentences(standings, group!).map(plain);
  assert.equal(sentences.length, 3);
  for (const [verdict, words] of [
    ['better', 'helps bm25:'],
    ['worse', 'hurts bm25:'],
    ['equivalent', 'makes no difference that matters to bm25:'],
    ['undecided', 'is undecided for bm25:'],
  ] as const) {
    const told = structuredClone(results);
    for (const { pairs } of told.comparisons)
      for (const pair of pairs) if (pair.a === 'bm25' && pair.b === 'bm25 > cross') pair.verdict = opposite[verdict];
    const standings = new Standings(told);
    const text = rerankSentences(standings, standings.groups[0]!).map(plain).join(' ');
    assert.match(
      text,
      new RegExp(`Reranking the first 8 documents by cross ${words} nDCG@10 from [\\d.]+ to [\\d.]+ `),
    );
    assert.match(text, /; a query takes [\d.]+ m?s instead of [\d.]+ m?s\./);
  }
  const untested = { ...results, comparisons: [] };
  assert.deepEqual(rerankSentences(new Standings(untested), new Standings(untested).groups[0]!), []);
});

/** A verdict of the pair as it stands, base first, that reads so from the reranked side. */
const opposite = { better: 'worse', worse: 'better', equivalent: 'equivalent', undecided: 'undecided' } as const;

interface Told {
  pairs: number;
  stored: number;
}

/** Counts the pairs that were computed and those that were found. */
function counting(told: Told, onPair = () => {}): Progress {
  return {
    ...silent,
    begin: (label) => ({
      ...silent.begin(label),
      advance(amount = 1, note) {
        if (!label.includes(' > cross')) return;
        if (note === 'stored') told.stored += amount;
        else told.pairs += amount;
        onPair();
      },
    }),
  };
}

test('interrupted in the middle it goes on from the last query, and ends with the same bits', async () => {
  const vectors = join(home, 'other-vectors');
  const whole = await evaluate(options({ models: ['bm25'], fuse: [] }));
  const abort = new AbortController();
  const first = { pairs: 0, stored: 0 };
  const progress = counting(first, () => first.pairs > 40 && abort.abort());
  const stopped = options({ models: ['bm25'], fuse: [], study: 'stopped', vectors, progress, signal: abort.signal });
  await assert.rejects(evaluate(stopped), { name: 'AbortError' });
  assert.ok(globSync('*/pairs/*.json', { cwd: vectors }).length >= 4);
  const second = { pairs: 0, stored: 0 };
  const resumed = await evaluate({ ...stopped, progress: counting(second), signal: undefined });
  assert.ok(second.stored >= 32 && second.pairs > 0);
  const [a, b] = [whole, resumed].map(({ results }) => cellOf(results.cells, 'bm25 > cross'));
  assert.deepEqual(b!.metrics, a!.metrics);
  const rankings = await Promise.all([
    new CellStore(home, 'evaluate-devices').rankings(a!.manifest.cell),
    new CellStore(home, 'stopped').rankings(b!.manifest.cell),
  ]);
  assert.deepEqual(rankings[1], rankings[0]);

  // A damaged file of scores is computed anew.
  const file = join(vectors, globSync('*/pairs/*.json', { cwd: vectors })[0]!);
  writeFileSync(file, readFileSync(file, 'utf8').slice(0, 40));
  const third = { pairs: 0, stored: 0 };
  await evaluate({ ...stopped, study: 'damaged', progress: counting(third), signal: undefined });
  assert.equal(third.pairs, 8);
});

test('systems that find the same documents share their scores', async () => {
  const vectors = join(home, 'shared-vectors');
  const told = { pairs: 0, stored: 0 };
  await evaluate(options({ study: 'shared', vectors, progress: counting(told) }));
  assert.ok(told.stored > told.pairs / 4, `${told.stored} of ${told.pairs + told.stored} pairs were found`);
});

test('the cell is made again from its manifest alone, in either precision', async () => {
  const { results } = await evaluate(
    options({
      models: [`tiny=${encoder}`],
      fuse: ['rrf'],
      rerankOf: ['bm25+tiny (rrf)'],
      dtype: ['fp32'],
      study: 'again',
    }),
  );
  assert.deepEqual(results.cells.map(systemName), ['bm25', 'tiny', 'bm25+tiny (rrf)', 'bm25+tiny (rrf) > cross']);
  const outcome = await repeatCell(results.cells[3]!.manifest.cell, { platform: nodePlatform, home });
  assert.ok(outcome.identical, JSON.stringify(outcome.changed));
  const int8 = await evaluate(
    options({ models: ['bm25'], fuse: [], dtype: ['int8'], rerankLength: 24, study: 'again-int8' }),
  );
  const cell = cellOf(int8.results.cells, 'bm25 > cross-int8');
  assert.equal(cell.manifest.dtype, 'int8');
  assert.equal(cell.manifest.length, 24);
  assert.ok((await repeatCell(cell.manifest.cell, { platform: nodePlatform, home })).identical);
});

test('a query without a text stays as it was ranked', async () => {
  const queries = join(home, 'queries.jsonl');
  const qrels = join(home, 'own.qrels');
  const corpus = await openCorpus(home, 'devices');
  const ids = [0, 1, 2].map((row) => corpus.id(row));
  const title = await corpus.title(0);
  await corpus.close();
  writeFileSync(
    queries,
    `${JSON.stringify({ id: 'q', text: title })}\n${JSON.stringify({ id: 'empty', text: ' ' })}\n`,
  );
  writeFileSync(qrels, `q 0 ${ids[0]} 1\nempty 0 ${ids[1]} 1\n`);
  const { results } = await evaluate(
    options({
      models: ['lsa'],
      fuse: [],
      study: 'own',
      relevance: { relevance: 'qrels', qrels, queriesFile: queries },
    }),
  );
  const store = new CellStore(home, 'own');
  const [before, after] = await Promise.all(results.cells.map(({ manifest }) => store.rankings(manifest.cell)));
  assert.deepEqual(after![1], before![1]);
  assert.notDeepEqual(after![0]!.scores, before![0]!.scores);
});

test('the estimate counts pairs', async () => {
  const plan = await planEvaluation(options({ study: 'plan' }));
  const planned = plan.cells.filter(({ system }) => system.endsWith('> cross'));
  assert.equal(planned.length, 3);
  for (const { seconds, bytes } of planned) assert.ok(seconds > 0 && bytes > 0);
});

test('wrong use is told', async () => {
  const rejects = (extra: Partial<EvaluateOptions>, code: string, message: RegExp) =>
    assert.rejects(evaluate(options({ study: 'wrong', ...extra })), { code, message });
  await rejects({ rerankDepth: 31 }, 'evaluate.rerank-depth', /more documents .* than a ranking holds/);
  await rejects({ rerankOf: ['nothing'] }, 'evaluate.rerank', /there is no system "nothing" to rerank/);
  await rejects({ rerank: ['bm25'] }, 'evaluate.rerank', /reads no pairs/);
  await rejects({ rerank: [], rerankOf: ['bm25'] }, 'evaluate.rerank', /--rerank-of has no effect/);
  await rejects({ rerank: [] }, 'evaluate.rerank', /--rerank-depth has no effect/);
  await rejects({ rerankLength: 49 }, 'model.max-length', /cannot take texts of this length/);
  await rejects({ rerank: [encoder] }, 'cross-encoder.no-head', /no classification head/);
  assert.equal(basename(encoder), 'tiny');
});
