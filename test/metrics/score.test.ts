/** Scoring of runs keyed by strings: other people's evaluators, ties, order of input, switches. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseMetric, trecMeasures } from '../../src/metrics/measure.ts';
import { compareBytes, rankOrder, scoreRun, summary, topicValues } from '../../src/metrics/score.ts';
import type { Judgements, Run } from '../../src/metrics/types.ts';

type Table = Record<string, Record<string, number>>;

const fixture = (name: string) =>
  JSON.parse(readFileSync(join(import.meta.dirname, '..', 'fixtures', 'metrics', name), 'utf8')) as unknown;

const judgementsOf = (table: Table): Judgements =>
  new Map(Object.entries(table).map(([topic, judged]) => [topic, new Map(Object.entries(judged))]));

const runOf = (table: Table): Run =>
  new Map(
    Object.entries(table).map(([topic, scores]) => [
      topic,
      { documents: Object.keys(scores), scores: Float64Array.from(Object.values(scores)) },
    ]),
  );

test('equals pytrec_eval on graded judgements with ties, negative relevance and levels', () => {
  const cases = fixture('pytrec_eval.json') as { level: number; qrels: Table; run: Table; values: Table }[];
  let compared = 0;
  for (const { level, qrels, run, values } of cases) {
    const measures = Object.keys(Object.values(values)[0]!).map(parseMetric);
    const scores = scoreRun(judgementsOf(qrels), runOf(run), measures, { level });
    for (const [topic, expected] of Object.entries(values)) {
      const ours = topicValues(scores, scores.topics.indexOf(topic));
      for (const [name, value] of Object.entries(expected)) {
        assert.ok(Math.abs((ours[name] as number) - value) < 1e-9, `${name} of ${topic}: ${ours[name]}, not ${value}`);
        compared++;
      }
    }
  }
  assert.ok(compared > 1000);
});

test('equals ranx where they mean the same', () => {
  const { qrels, run, means } = fixture('ranx.json') as { qrels: Table; run: Table; means: Record<string, number> };
  const measures = Object.keys(means).map(parseMetric);
  const ours = summary(scoreRun(judgementsOf(qrels), runOf(run), measures, { complete: true }));
  for (const [name, value] of Object.entries(means)) {
    assert.ok(
      Math.abs(ours[parseMetric(name).name]! - value) < 1e-9,
      `${name}: ${ours[parseMetric(name).name]}, not ${value}`,
    );
  }
});

test('equal scores go by document id, last first in byte order; scores are told apart as 32-bit floats', () => {
  const judgements: Judgements = new Map([['1', new Map([['b', 1]])]]);
  const rank = (documents: string[], scores: number[]) =>
    1 / summary(scoreRun(judgements, new Map([['1', { documents, scores }]]), [parseMetric('mrr')])).recip_rank!;
  assert.equal(rank(['a', 'b', 'c'], [1, 1, 1]), 2);
  assert.equal(rank(['a', 'b'], [1 + 1e-9, 1]), 1);
  assert.equal(rank(['c', 'b'], [1, 1 + 1e-9]), 2);
  assert.equal(rank(['a', 'b', 'c'], [3, 1, 2]), 3);
});

test('byte order is that of UTF-8', () => {
  const reference = (a: string, b: string) => Math.sign(Buffer.compare(Buffer.from(a), Buffer.from(b)));
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (a, b) => {
      assert.equal(Math.sign(compareBytes(a, b)), reference(a, b));
    }),
  );
  assert.ok(compareBytes('\u{1f600}', '\uffff') > 0);
});

test('rank order is that of a plain sort, for any scores', () => {
  const score = fc.oneof(fc.constantFrom(0, -0, 1, -1, 0.5), fc.float({ noNaN: true }), fc.double({ noNaN: true }));
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.string({ maxLength: 3 }), score)), (entries) => {
      const documents = entries.map(([id], i) => `${id}${i}`);
      const scores = entries.map(([, value]) => value);
      const expected = documents
        .map((_, i) => i)
        .sort((i, j) => {
          const [a, b] = [Math.fround(scores[i]!), Math.fround(scores[j]!)];
          return a > b ? -1 : a < b ? 1 : compareBytes(documents[j]!, documents[i]!);
        });
      assert.deepEqual([...(rankOrder({ documents, scores }) ?? expected.map((_, i) => i))], expected);
    }),
    { numRuns: 500 },
  );
});

const table = fc.dictionary(
  fc.constantFrom('t1', 't2', 't3'),
  fc.dictionary(fc.constantFrom(...'abcdefghij'), fc.integer({ min: -1, max: 3 }), { minKeys: 1 }),
  { minKeys: 1 },
);

test('the order in which documents and topics are given does not matter', () => {
  fc.assert(
    fc.property(table, table, (qrels, run) => {
      const turned = (given: Run): Run =>
        new Map(
          [...given]
            .reverse()
            .map(([topic, { documents, scores }]) => [
              topic,
              { documents: [...documents].reverse(), scores: [...scores].reverse() },
            ]),
        );
      const options = { complete: true };
      const a = scoreRun(judgementsOf(qrels), runOf(run), trecMeasures, options);
      const b = scoreRun(judgementsOf(qrels), turned(runOf(run)), trecMeasures, options);
      assert.deepEqual(a, b);
    }),
  );
});

test('complete counts missing topics as 0, the default does not count them', () => {
  const judgements = judgementsOf({ a: { x: 1 }, b: { y: 1 }, c: { z: 1 } });
  const run = runOf({ a: { x: 1 }, d: { x: 1 } });
  const measures = ['map', 'num_q', 'gm_map', 'num_rel'].map(parseMetric);
  const part = scoreRun(judgements, run, measures);
  assert.deepEqual(summary(part), { map: 1, num_q: 1, gm_map: 1, num_rel: 1 });
  assert.deepEqual([part.missing, part.unjudgedTopics], [['b', 'c'], 1]);
  const whole = summary(scoreRun(judgements, run, measures, { complete: true }));
  assert.equal(whole.map, 1 / 3);
  assert.equal(whole.num_q, 3);
  assert.ok(Math.abs(whole.gm_map! - Math.exp((2 * Math.log(1e-5)) / 3)) < 1e-12);
  assert.throws(() => scoreRun(judgements, runOf({ q: { x: 1 } }), measures), { code: 'score.topics' });
});

test('maxDocs cuts after sorting', () => {
  const judgements = judgementsOf({ a: { x: 1, y: 1 } });
  const run = runOf({ a: { w: 1, y: 2, x: 3 } });
  const measures = ['num_ret', 'num_rel_ret'].map(parseMetric);
  assert.deepEqual(summary(scoreRun(judgements, run, measures, { maxDocs: 1 })), { num_ret: 1, num_rel_ret: 1 });
});
