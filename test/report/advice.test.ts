import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Comparison, Verdict } from '../../src/metrics/types.ts';
import { adviseOn, type Evidence, type Option } from '../../src/report/advice.ts';
import { clusteringEvidence } from '../../src/report/clustering-evidence.ts';
import { renderHtml } from '../../src/report/html.ts';
import { plain } from '../../src/report/sentences.ts';
import { renderTerminal } from '../../src/report/terminal.ts';
import type { EvaluationResults } from '../../src/study/results.ts';
import { fakeResults } from './fake-results.ts';

const option = (system: string, value: number, cost?: number, view = 'TA'): Option => ({
  system,
  view,
  estimate: { value, lower: value - 0.01, upper: value + 0.01 },
  manifest: { cell: `cell-${system}-${view}` },
  ...(cost === undefined ? {} : { documentSeconds: cost, querySeconds: cost }),
});

/** Verdicts of the best option against the others by name; a name that is missing was not tested. */
function evidence(options: Option[], verdicts: Record<string, Verdict>): Evidence {
  return {
    corpus: 'mine',
    task: 'retrieval',
    metric: 'ndcg@10',
    options,
    sample: '300 queries',
    documents: 1000,
    compare(a, b): Comparison | undefined {
      const verdict = verdicts[`${b.system} ${b.view}`] ?? verdicts[b.system];
      if (verdict === undefined) return undefined;
      const difference = a.estimate.value - b.estimate.value;
      const [lower, upper] = [difference - 0.01, difference + 0.01];
      return { metric: 'ndcg@10', a: a.system, b: b.system, difference, lower, upper, p: 0.01, pHolm: 0.02, verdict, detectable: 0.015, queries: 300 };
    },
  }; // biome-ignore format: one line
}

const said = (of: Evidence) => adviseOn(of).sentences.map(plain).join(' ');

test('what is better than everything is advised, with what it is better than', () => {
  const of = evidence([option('bm25', 0.1), option('big', 0.3, 0.1)], { bm25: 'better' });
  assert.deepEqual(adviseOn(of).take, { system: 'big', view: 'TA' });
  assert.match(
    said(of),
    /^For search on mine, take big \(TA\): nDCG@10 0\.300 .* over 300 queries\. Better than bm25 \(TA\)/,
  );
});

test('of what is equivalent to the best, the cheapest is advised', () => {
  const options = [option('big', 0.3, 1), option('small', 0.299, 0.01), option('bm25', 0.1, 0.001)];
  const of = evidence(options, { small: 'equivalent', bm25: 'better' });
  assert.deepEqual(adviseOn(of).take, { system: 'small', view: 'TA' });
  assert.match(said(of), /take small \(TA\): it is equivalent to the best, big \(TA\) .* costs 100 times less/);
  // Cheaper by less than machines vary is no reason; nor is a cost that nobody knows.
  const near = [option('big', 0.3, 1), option('small', 0.299, 0.9)];
  assert.equal(adviseOn(evidence(near, { small: 'equivalent' })).take?.system, 'big');
  const unknown = [option('big', 0.3), option('small', 0.299, 0.01)];
  assert.equal(adviseOn(evidence(unknown, { small: 'equivalent' })).take?.system, 'big');
});

test('an undecided rival leaves the choice open, and says what it excludes', () => {
  const of = evidence([option('a', 0.3), option('b', 0.29), option('c', 0.1)], { b: 'undecided', c: 'better' });
  assert.equal(adviseOn(of).take, undefined);
  assert.match(said(of), /the tests do not decide between a \(TA\) and b \(TA\)/);
  assert.match(said(of), /a true difference below 0\.015 would often go unseen/);
  assert.match(said(of), /Shown to be worse than a \(TA\), so not needed: c \(TA\)/);
});

test('what was not tested against the best is counted, never ranked', () => {
  const options = [option('a', 0.3), option('a', 0.2, undefined, 'T'), option('b', 0.25, undefined, 'T')];
  const of = evidence(options, { 'a T': 'better' });
  assert.deepEqual(adviseOn(of).take, { system: 'a', view: 'TA' });
  assert.match(said(of), /1 other combination of system and view was not tested against it/);
  assert.doesNotMatch(said(of), /b \(T\)/);
});

test('one system alone is no choice', () => {
  const of = evidence([option('only', 0.3)], {});
  assert.equal(adviseOn(of).take, undefined);
  assert.match(said(of), /nothing to choose from/);
});

test('reports open with it, and say what was not shown; invented data advises nothing', () => {
  const real = renderHtml(fakeResults({ invented: false }));
  const first = real.indexOf('<section');
  assert.ok(real.slice(first, first + 40).includes('id="advice"'));
  assert.match(real, /For search on ultrasound-us/);
  assert.match(real, /What was not shown/);
  assert.match(real, /Classification and clustering were not evaluated/);
  assert.match(renderTerminal(fakeResults({ invented: false })), /For search on ultrasound-us/);
  const invented = fakeResults({ invented: true });
  assert.doesNotMatch(renderHtml(invented), /For search on/);
  assert.doesNotMatch(renderTerminal(invented), /For search on/);
});

test('what a task costs counts the encoding that another task paid for, where the report knows it', () => {
  const results = fakeResults({ views: ['TA'] });
  const made = results.cells.find(({ fuse, cost }) => fuse === undefined && cost.documentsPerSecond !== undefined)!;
  const { corpus, model, manifest } = made;
  const estimate = { value: 0.4, lower: 0.3, upper: 0.5 };
  const cell = (view: string) => ({
    corpus,
    model,
    view,
    documents: 100,
    manifest,
    metrics: { 'v-measure': estimate },
    cost: { clusterSeconds: 1 },
  });
  const clustering = { cells: [cell('TA'), cell('full')], comparisons: [] };
  const [evidence] = clusteringEvidence({ ...results, clustering } as unknown as EvaluationResults);
  const [shared, unknown] = evidence!.options;
  assert.equal(shared!.documentSeconds, 1 / made.cost.documentsPerSecond!);
  assert.equal(shared!.querySeconds, 0.01);
  assert.equal(unknown!.documentSeconds, undefined);
  assert.match(said({ ...evidence!, compare: () => undefined }), /^For clustering/);
});
