/** From corpus to results on 120 invented patents: cells resume and repeat, exported runs score the same, rows share queries. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { after, before, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { nodePlatform } from '../../src/base/node/platform.ts';
import { type Progress, silent } from '../../src/base/progress.ts';
import { importCorpus } from '../../src/corpus/import.ts';
import { splitCorpus, testPart } from '../../src/corpus/splits.ts';
import { openCorpus } from '../../src/corpus/store.ts';
import { parseMetric } from '../../src/metrics/measure.ts';
import { scoreRun, summary } from '../../src/metrics/score.ts';
import { readJudgements, readRun } from '../../src/metrics/trec.ts';
import { findCells } from '../../src/study/cell-folders.ts';
import { evaluate, planEvaluation } from '../../src/study/evaluate.ts';
import type { EvaluateOptions } from '../../src/study/evaluate-options.ts';
import { repeatCell } from '../../src/study/repeat.ts';
import { inventCorpus } from '../support/invent.ts';
import { tinyCheckpoint } from '../support/tiny-checkpoint.ts';

const home = mkdtempSync(join(tmpdir(), 'patentlab-study-'));
after(() => rmSync(home, { recursive: true, force: true }));

const options = (extra: Partial<EvaluateOptions> = {}): EvaluateOptions => ({
  platform: nodePlatform,
  home,
  corpora: ['devices'],
  models: ['bm25', 'lsa'],
  views: ['T', 'TA'],
  fuse: ['linear', 'rrf'],
  lsaDimensions: 24,
  depth: 60,
  resamples: 100,
  ...extra,
});

before(() => inventCorpus(home, 'devices', { patents: 120 }));

test('all cells, all rows over the same queries, every number in range', async () => {
  const { results, computed, folder } = await evaluate(options());
  assert.equal(computed, 8);
  assert.equal(results.cells.length, 8);
  assert.equal(results.invented, true, 'the records say that they are invented');
  const { version } = JSON.parse(readFileSync(join(import.meta.dirname, '..', '..', 'package.json'), 'utf8'));
  assert.equal(results.packageVersion, version);
  assert.equal(new Set(results.cells.map(({ queries }) => queries)).size, 1);
  for (const { metrics, model, manifest } of results.cells) {
    for (const { value, lower, upper } of Object.values(metrics))
      assert.ok(0 <= lower && lower <= value && value <= upper && upper <= 1, model);
    assert.ok(existsSync(join(folder, 'cells', manifest.cell, 'manifest.json')));
  }
  const pairs = results.comparisons.find(({ metric, view }) => metric === 'ndcg@10' && view === 'TA')!.pairs;
  assert.equal(pairs.length, 6);
  assert.equal(results.viewComparisons.length, 4);
  const value = (model: string, view: string) =>
    results.cells.find((cell) => cell.model === model && cell.view === view)!.metrics['ndcg@10']!.value;
  assert.ok(value('bm25', 'TA') > value('bm25', 'T'), 'more text finds more');
  const pair = pairs.find(({ a, b }) => a === 'bm25' && b === 'lsa')!;
  assert.ok(Math.abs(pair.difference - (value('bm25', 'TA') - value('lsa', 'TA'))) < 1e-12);
});

test('a fused row costs what its parts and the fusion cost together', async () => {
  const { results } = await evaluate(options());
  const costOf = (model: string, fuse?: string) =>
    results.cells.find((cell) => cell.model === model && cell.view === 'TA' && cell.fuse === fuse)!.cost;
  const [bm25, lsa] = [costOf('bm25'), costOf('lsa')];
  for (const method of ['linear', 'rrf']) {
    const fused = costOf('bm25+lsa', method);
    assert.ok(fused.fusionSeconds! > 0 && fused.tuningSeconds! > 0, 'the fusion alone');
    assert.equal(fused.searchSeconds, bm25.searchSeconds + lsa.searchSeconds + fused.fusionSeconds!);
    assert.ok(Math.abs(fused.queriesPerSecond! * fused.searchSeconds - results.cells[0]!.queries) < 1e-6);
    assert.equal(fused.encodeSeconds, bm25.encodeSeconds! + lsa.encodeSeconds!);
    assert.equal(fused.indexBytes, bm25.indexBytes! + lsa.indexBytes!);
    assert.ok(fused.documentsPerSecond! > 0);
    assert.ok(fused.seconds > bm25.seconds + lsa.seconds + fused.fusionSeconds!);
    assert.ok(fused.peakMemoryBytes >= Math.max(bm25.peakMemoryBytes, lsa.peakMemoryBytes));
  }
});

test('a second call computes nothing and gives the same results', async () => {
  const first = await evaluate(options());
  const again = await evaluate(options());
  assert.equal(again.computed, 0);
  const { created: _, ...a } = first.results;
  const { created: __, ...b } = again.results;
  assert.deepEqual(b, a);
});

test('stopped after any cell, the same call goes on and ends with the same numbers', async () => {
  const whole = (await evaluate(options({ views: ['TA'] }))).results.cells.map(({ metrics }) => metrics);
  for (const stopAfter of [1, 3]) {
    const study = `stopped-${stopAfter}`;
    const abort = new AbortController();
    let seen = 0;
    const stopping = evaluate(
      options({ views: ['TA'], study, signal: abort.signal, onCell: () => ++seen === stopAfter && abort.abort() }),
    );
    await assert.rejects(stopping, { name: 'AbortError' });
    const resumed = await evaluate(options({ views: ['TA'], study }));
    assert.equal(resumed.computed, 4 - stopAfter);
    assert.deepEqual(
      resumed.results.cells.map(({ metrics }) => metrics),
      whole,
    );
  }
});

test('a damaged cell is computed anew', async () => {
  const { results } = await evaluate(options());
  const { cell } = results.cells[0]!.manifest;
  const folder = join(home, 'runs', 'evaluate-devices', 'cells', cell);
  const path = join(folder, 'scores.npy');
  const bytes = readFileSync(path);
  bytes[bytes.length - 3]! ^= 4;
  writeFileSync(path, bytes);
  const again = await evaluate(options());
  assert.equal(again.computed, 1);
  assert.deepEqual(again.results.cells[0]!.metrics, results.cells[0]!.metrics);
});

test('the exported runs score under trec_eval rules as the leaderboard says', async () => {
  const { results, folder } = await evaluate(options());
  const qrels = readFileSync(join(folder, 'trec', 'devices.qrels'), 'utf8');
  const judgements = await readJudgements([qrels], { file: 'devices.qrels' });
  const names = ['ndcg@10', 'map', 'mrr', 'recall@100', 'r-precision', 'success@1'];
  assert.equal(readdirSync(join(folder, 'trec')).length, 9);
  for (const cell of results.cells) {
    const text = gunzipSync(readFileSync(join(folder, cell.files.run!)));
    const { run } = await readRun([text.toString()], { file: cell.files.run! });
    const scores = scoreRun(judgements, run, names.map(parseMetric), { complete: true });
    const measures = Object.values(summary(scores)).map(Number);
    for (const [i, name] of names.entries()) {
      assert.ok(
        Math.abs(measures[i]! - cell.metrics[name]!.value) < 1e-9,
        `${cell.model} ${cell.view} ${name}: ${measures[i]} and ${cell.metrics[name]!.value}`,
      );
    }
  }
});

test('no query finds itself, its family, or with --only-earlier anything published later', async () => {
  const { results, folder } = await evaluate(
    options({
      models: ['bm25', 'lsa'],
      views: ['TA'],
      fuse: [],
      study: 'earlier',
      relevance: { relevance: 'cites', onlyEarlier: true },
    }),
  );
  const corpus = await openCorpus(home, 'devices');
  for (const cell of results.cells) {
    for (const line of gunzipSync(readFileSync(join(folder, cell.files.run!)))
      .toString()
      .trim()
      .split('\n')) {
      const [query, , document] = line.split(' ');
      const [a, b] = [await corpus.get(corpus.row(query!)!), await corpus.get(corpus.row(document!)!)];
      assert.notEqual(a.family, b.family);
      assert.ok(
        b.dates.publication! < a.dates.priority!,
        `${query} of ${a.dates.priority} found ${document} of ${b.dates.publication}`,
      );
    }
  }
  await corpus.close();
});

test('repeat gives the same bits, for every kind of system, and leaves nothing behind', async () => {
  const { results } = await evaluate(options());
  for (const cell of results.cells.filter(({ view }) => view === 'TA')) {
    const outcome = await repeatCell(cell.manifest.cell, { platform: nodePlatform, home });
    assert.equal(outcome.identical, true, `${cell.model} ${cell.fuse ?? ''}`);
    assert.deepEqual(outcome.changed, []);
  }
  assert.ok(!readdirSync(join(home, 'runs')).some((name) => name.startsWith('repeat-')));
  await assert.rejects(repeatCell('zzzz', { platform: nodePlatform, home }), {
    code: 'repeat.cell',
  });
});

test('repeat says what changed when the corpus is another one', async () => {
  await inventCorpus(home, 'changing', { landscape: 'greenhouse-robots', patents: 60 });
  const { results } = await evaluate(options({ corpora: ['changing'], models: ['bm25'], views: ['T'], fuse: [] }));
  await inventCorpus(home, 'changing', { patents: 60 });
  const outcome = await repeatCell(results.cells[0]!.manifest.cell, {
    platform: nodePlatform,
    home,
  });
  assert.equal(outcome.identical, false);
  assert.ok(outcome.changed.some(({ field }) => field === 'corpus.hash'));
});

test('a dry run computes nothing and says which cells are open; --max-time ends the run with a warning', async () => {
  const before = (await findCells(home)).length;
  const plan = await planEvaluation(options({ study: 'planned' }));
  assert.equal(plan.cells.length, 8);
  assert.ok(plan.cells.every(({ done }) => !done) && plan.seconds > 0 && plan.bytes > 0);
  assert.equal((await findCells(home)).length, before);
  const { results, computed } = await evaluate(options({ study: 'late', maxTime: 0 }));
  assert.equal(computed, 0);
  assert.match(results.warnings.join(), /--max-time/);
});

test('before an encoder begins on a corpus of some size, its time is foretold, once', async () => {
  await inventCorpus(home, 'some', { patents: 520 });
  tinyCheckpoint(join(home, 'tiny'));
  const told = async () => {
    const events: string[] = [];
    const progress: Progress = {
      begin: (label) => {
        events.push(label);
        return silent.begin(label);
      },
      say: (line) => events.push(line),
    };
    const models = ['bm25', `tiny=${join(home, 'tiny')}`];
    await evaluate(options({ corpora: ['some'], models, views: ['T'], fuse: [], progress }));
    return events;
  };
  const [first] = await told();
  assert.match(first!, /^some T tiny: about .+, less what is stored already; \d+ MB on disk$/);
  assert.ok((await told()).every((line) => !line.includes('about')));
});

test('a model that cannot be had is told before any cell is computed', async () => {
  const cells = (await findCells(home)).length;
  const wrong = options({
    study: 'missing',
    models: ['bm25', 'lsa', './no-such-model'],
    views: ['TAC'],
    offline: true,
  });
  await assert.rejects(evaluate(wrong), /no-such-model/);
  assert.equal((await findCells(home)).length, cells);
});

test('one query: a value without an interval, the same when it is read back', async () => {
  const once = options({ relevance: { relevance: 'cites', sampleQueries: 1 }, study: 'one', views: ['T'], fuse: [] });
  const first = await evaluate(once);
  const again = await evaluate(once);
  assert.equal(again.computed, 0);
  assert.deepEqual(again.results.cells[0]!.metrics, first.results.cells[0]!.metrics);
  assert.ok(Number.isNaN(again.results.cells[0]!.metrics['ndcg@10']!.lower));
});

test('within a split its test part alone is searched, and a sample of queries is drawn from it', async () => {
  const relevance = { relevance: 'cites' as const, sampleQueries: 7 };
  const { results } = await evaluate(
    options({
      relevance,
      split: { by: 'family', seed: 1, test: 0.4 },
      study: 'sampled',
      models: ['bm25'],
      views: ['T'],
      fuse: [],
    }),
  );
  assert.equal(results.cells[0]!.queries, 7);
  const corpus = await openCorpus(home, 'devices');
  const { part } = await splitCorpus(corpus, { by: 'family', seed: 1, test: 0.4 });
  await corpus.close();
  const tested = part.filter((own) => own === testPart).length;
  assert.ok(tested > 7 && tested < part.length);
  assert.equal(results.cells[0]!.documents, tested, 'documents that may be found');
});

test('a torn manifest is no manifest', async () => {
  const settings = options({ study: 'torn', models: ['bm25'], views: ['T'], fuse: [] });
  const { results } = await evaluate(settings);
  const manifest = join(home, 'runs', 'torn', 'cells', results.cells[0]!.manifest.cell, 'manifest.json');
  for (const text of ['', '{"format":1', 'null', '{"format":2,"files":{}}']) {
    writeFileSync(manifest, text);
    assert.equal((await evaluate(settings)).computed, 1, text);
  }
});

test('every option that can change a number gives a cell of its own', async () => {
  const judgements = join(home, 'own.qrels');
  const texts = join(home, 'own.jsonl');
  const corpus = await openCorpus(home, 'devices');
  const ids = Array.from({ length: 6 }, (_, row) => corpus.id(row));
  await corpus.close();
  const own = async (gain: number, text: string, date: string) => {
    writeFileSync(judgements, ids.map((id) => `q 0 ${id} ${gain}\n`).join(''));
    writeFileSync(texts, `${JSON.stringify({ id: 'q', text, date })}\n`);
    return { relevance: 'qrels', qrels: judgements, queriesFile: texts, onlyEarlier: true } as const;
  };
  const base = { models: ['bm25', 'lsa'], views: ['TA'], fuse: [] as const };
  const variants: (() => Promise<Partial<EvaluateOptions>> | Partial<EvaluateOptions>)[] = [
    () => ({}),
    () => ({ seed: 2 }),
    () => ({ resamples: 101 }),
    () => ({ depth: 59 }),
    () => ({ maskCitations: true }),
    () => ({ views: ['T'] }),
    () => ({ bm25: { k1: 1.2 }, lsaDimensions: 23 }),
    () => ({ bm25: { b: 0.5 }, lsaDimensions: 22 }),
    () => ({ bm25: { variant: 'bm25+' }, lsaDimensions: 21 }),
    () => ({ analyser: { stem: 'english' } }),
    () => ({ packageVersion: '0.0.1' }),
    () => ({ relevance: { relevance: 'cited-by' } }),
    () => ({ relevance: { relevance: 'cites', onlyEarlier: true } }),
    () => ({ relevance: { relevance: 'cites', sampleQueries: 5 } }),
    async () => ({ relevance: await own(1, 'a wheel with a brake', '2030-01-01') }),
    async () => ({ relevance: await own(2, 'a wheel with a brake', '2030-01-01') }),
    async () => ({ relevance: await own(1, 'a lever with a brake', '2030-01-01') }),
    async () => ({ relevance: await own(1, 'a wheel with a brake', '2031-01-01') }),
  ];
  const cells = new Map<string, number>();
  for (const [i, variant] of variants.entries()) {
    const plan = await planEvaluation(options({ ...base, study: 'keys', ...(await variant()) }));
    for (const { cell } of plan.cells) {
      assert.ok(!cells.has(cell), `variants ${i} and ${cells.get(cell)} share a cell`);
      cells.set(cell, i);
    }
  }
});

test('a cell is repeated from another folder than the one it was made in', async () => {
  const corpus = await openCorpus(home, 'devices');
  writeFileSync(join(home, 'relative.qrels'), `q 0 ${corpus.id(3)} 1\n`);
  writeFileSync(join(home, 'relative.tsv'), 'q\ta wheel with a brake\n');
  await corpus.close();
  const from = (file: string) => relative(process.cwd(), join(home, file));
  const { results } = await evaluate(
    options({
      models: ['bm25'],
      views: ['TA'],
      fuse: [],
      relevance: { relevance: 'qrels', qrels: from('relative.qrels'), queriesFile: from('relative.tsv') },
    }),
  );
  const { cell, request } = results.cells[0]!.manifest;
  assert.equal(request.relevance?.qrels, join(home, 'relative.qrels'));
  const outcome = await repeatCell(cell, { platform: nodePlatform, home });
  assert.deepEqual({ identical: outcome.identical, changed: outcome.changed }, { identical: true, changed: [] });
});

test('a view that no patent has is refused; one without some of its sections is said', async () => {
  const path = join(home, 'titles.jsonl');
  writeFileSync(path, '{"id":"US1A","title":"A wheel","cites":["US2A"]}\n{"id":"US2A","title":"A brake"}\n');
  await importCorpus({ home, name: 'titles', paths: [path] });
  const settings = options({ corpora: ['titles'], models: ['bm25'], fuse: [] });
  await assert.rejects(evaluate({ ...settings, views: ['C'] }), { code: 'evaluate.view-empty', exitCode: 2 });
  const { results } = await evaluate({ ...settings, views: ['TA'] });
  assert.match(results.warnings.join(), /View TA of titles: no patent has abstract/);
});

test('a corpus without citations inside is refused with what to do', async () => {
  const path = join(home, 'alone.jsonl');
  writeFileSync(path, '{"id":"US1A","title":"One thing"}\n{"id":"US2A","title":"Another thing"}\n');
  await importCorpus({ home, name: 'alone', paths: [path] });
  await assert.rejects(evaluate(options({ corpora: ['alone'] })), (error: { code: string; exitCode: number }) => {
    assert.equal(error.exitCode, 2);
    return true;
  });
});
