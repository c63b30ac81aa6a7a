/** The kernel: published vectors, bounds and other properties of measures. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseMetric, trecMeasures } from '../../src/metrics/measure.ts';
import { notJudged, RankingScorer } from '../../src/metrics/ranking.ts';

/** Values by name of one ranking; judged gains are sorted here. */
function values(names: string[], gains: number[], judged: number[], level = 1): Record<string, number> {
  const scorer = new RankingScorer(names.map(parseMetric), { level });
  const out = new Float64Array(names.length);
  scorer.score(
    gains,
    gains.length,
    [...judged].sort((a, b) => b - a),
    out,
  );
  return Object.fromEntries(names.map((name, m) => [name, out[m]!]));
}

const near = (actual: number | undefined, expected: number, tolerance = 5e-11) =>
  assert.ok(Math.abs(actual! - expected) <= tolerance, `${actual} is not ${expected}`);

test('relevant at ranks 2 and 5 of 10, three judged', () => {
  const gains = [0, 1, 0, 0, 1, 0, 0, 0, 0, 0];
  const got = values(['ndcg@10', 'map', 'mrr', 'recall@10', 'mrr@1', 'success@1', 'p@5'], gains, [1, 1, 1]);
  near(got['ndcg@10'], 0.4776237035);
  near(got.map, 0.3);
  near(got.mrr, 0.5);
  near(got['recall@10'], 2 / 3);
  near(got['mrr@1'], 0);
  near(got['success@1'], 0);
  near(got['p@5'], 0.4);
});

test('graded ranking: linear gain; exponential gain is another measure, had by transforming the gains', () => {
  const run = [3, 2, 3, 0, 1, 2];
  const judged = [...run, 3, 2];
  near(values(['ndcg@6'], run, judged)['ndcg@6'], 0.785002372);
  const exponential = (gain: number) => 2 ** gain - 1;
  near(values(['ndcg@6'], run.map(exponential), judged.map(exponential))['ndcg@6'], 0.7510833868);
});

test('a query without a relevant document, and one without a ranking, score 0 everywhere', () => {
  const names = trecMeasures.map(({ name }) => name).filter((name) => !/^(num_|gm_|utility|unj|rbp_resid)/.test(name));
  for (const value of Object.values(values(names, [0, -1, 0], [0, 0]))) assert.equal(value, 0);
  for (const value of Object.values(values(names, [], [2, 1, 0]))) assert.equal(value, 0);
});

test('every measure of trec_eval parses from both its names', () => {
  for (const measure of trecMeasures) {
    assert.deepEqual(parseMetric(measure.name), measure);
    assert.deepEqual(parseMetric(measure.label), measure);
  }
  assert.equal(parseMetric('nDCG@7').name, 'ndcg_cut_7');
  assert.equal(parseMetric('hit@3').label, 'success@3');
  assert.equal(parseMetric('AP').name, 'map');
  assert.equal(parseMetric('unjudged@10').name, 'unj_10');
});

test('unknown and incomplete names say what is meant', () => {
  const details = (name: string) => {
    try {
      parseMetric(name);
    } catch (error) {
      return error as { code: string; message: string; details: { hint?: string; expected?: string } };
    }
    assert.fail(`${name} parsed`);
  };
  assert.match(details('ndgc@10').details.hint!, /ndcg@10/);
  assert.match(details('recal@100').details.hint!, /recall@100/);
  assert.equal(details('nonsense').code, 'metric.unknown');
  assert.match(details('recall').details.expected!, /recall@10/);
  for (const bad of ['ndcg@0', 'ndcg@-1', 'ndcg@1.5']) assert.equal(details(bad).code, 'metric.cut');
});

const ranking = fc
  .record({
    gains: fc.array(fc.constantFrom(-2, notJudged, 0, 0, 1, 2, 3), { maxLength: 40 }),
    rest: fc.array(fc.constantFrom(0, 1, 2, 3), { maxLength: 10 }),
  })
  .map(({ gains, rest }) => ({ gains, judged: [...gains.filter((gain) => gain >= 0), ...rest] }));

const unitMeasures = trecMeasures
  .map(({ name }) => name)
  .filter((name) => !/^(num_|gm_|utility|rbp_resid|ndcg_rel|Rndcg)/.test(name));

test('measures lie between 0 and 1', () => {
  fc.assert(
    fc.property(ranking, fc.constantFrom(1, 2), ({ gains, judged }, level) => {
      for (const [name, value] of Object.entries(values(unitMeasures, gains, judged, level))) {
        assert.ok(value >= 0 && value <= 1 + 1e-12, `${name} is ${value}`);
      }
    }),
  );
});

test('nDCG is 1 exactly for the ideal order', () => {
  fc.assert(
    fc.property(ranking, ({ gains, judged }) => {
      const ideal = [...judged].sort((a, b) => b - a);
      const best = values(['ndcg', 'map', 'ndcg@5'], ideal, judged);
      const some = judged.some((gain) => gain > 0) ? 1 : 0;
      for (const value of Object.values(best)) near(value, some, 1e-12);
      const { ndcg } = values(['ndcg'], gains, judged);
      const padded = ideal.map((gain, i) => [gain, Math.max(0, gains[i] ?? 0)]);
      const isIdeal = some === 1 && padded.every(([want, have]) => want === have);
      assert.equal(ndcg! > 1 - 1e-12, isIdeal);
    }),
  );
});

test('moving a relevant document up never lowers a measure of effectiveness', () => {
  const names = [
    'ndcg',
    'ndcg@5',
    'map',
    'map@5',
    'mrr',
    'p@5',
    'recall@5',
    'bpref',
    'Rprec',
    'success@5',
    'binG',
    'rbp',
  ];
  fc.assert(
    fc.property(ranking, fc.nat(), ({ gains, judged }, pick) => {
      const at = gains.findIndex((gain, i) => i > 0 && i >= pick % Math.max(1, gains.length) && gain >= 1);
      fc.pre(at > 0 && gains[at - 1]! < gains[at]!);
      const moved = [...gains];
      [moved[at - 1], moved[at]] = [moved[at]!, moved[at - 1]!];
      const [before, after] = [values(names, gains, judged), values(names, moved, judged)];
      for (const name of names)
        assert.ok(after[name]! >= before[name]! - 1e-12, `${name}: ${before[name]} -> ${after[name]}`);
    }),
  );
});

test('one scorer gives the same values whatever it scored before', () => {
  fc.assert(
    fc.property(fc.array(ranking, { maxLength: 6 }), (rankings) => {
      const names = trecMeasures.map(({ name }) => name);
      const scorer = new RankingScorer(trecMeasures);
      const out = new Float64Array(names.length);
      for (const { gains, judged } of rankings) {
        const sorted = [...judged].sort((a, b) => b - a);
        scorer.score(gains, gains.length, sorted, out);
        const fresh = new Float64Array(names.length);
        new RankingScorer(trecMeasures).score(gains, gains.length, sorted, fresh);
        assert.deepEqual(out, fresh);
      }
    }),
    { numRuns: 30 },
  );
});

test('long rankings outgrow the working arrays', () => {
  const gains = Array.from({ length: 5000 }, (_, i) => (i % 3 === 0 ? 1 : 0));
  const got = values(['p@5000', 'recall@3000', 'num_rel_ret', 'unj@10'], gains, gains);
  near(got['p@5000'], 1667 / 5000);
  near(got['recall@3000'], 1000 / 1667);
  assert.equal(got.num_rel_ret, 1667);
});
