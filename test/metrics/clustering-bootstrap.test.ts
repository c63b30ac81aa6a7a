/** Replicates and jackknife of clusterings against the documents drawn or left, scored plainly; equal families, equal draws. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stream } from '../../src/base/random.ts';
import { clusteringMeasures, clusteringMetrics } from '../../src/metrics/clustering.ts';
import { bootstrapClustering } from '../../src/metrics/clustering-bootstrap.ts';
import { compareReplicated, estimateReplicated } from '../../src/metrics/replicates.ts';
import { groupQueries, resamplingStreams } from '../../src/metrics/resample.ts';

function invent(documents: number, seed: number) {
  const random = stream(seed, 'invented clusters');
  const truth = Int32Array.from({ length: documents }, () => random.integer(4));
  const assign = (right: number) => truth.map((of) => (random.uniform() < right ? of : random.integer(5)));
  const families = Int32Array.from({ length: documents }, (_, d) => (d * 7) % Math.ceil(documents / 2));
  return { truth, good: assign(0.8), poor: assign(0.3), families };
}

test('replicates are the measures of the documents drawn, the jackknife those of the documents left', () => {
  const { truth, good, families } = invent(31, 1);
  const { of, groups } = groupQueries(31, families);
  const ours = bootstrapClustering(truth, good, families, { seed: 5, resamples: 20 });
  const documents = Array.from(truth, (_, d) => d);
  const plain = (rows: number[]) =>
    clusteringMetrics(
      rows.map((d) => truth[d]!),
      rows.map((d) => good[d]!),
    );
  const random = resamplingStreams(5).bootstrap;
  for (let b = 0; b < 20; b++) {
    const drawn = Array.from({ length: groups }, () => Math.floor(random.uint32() * (groups / 0x100000000)));
    const metrics = plain(drawn.flatMap((group) => documents.filter((d) => of[d] === group)));
    for (const measure of clusteringMeasures)
      assert.ok(Math.abs(ours[measure].replicates[b]! - metrics[measure]) < 1e-12, measure);
  }
  for (let group = 0; group < groups; group++) {
    const metrics = plain(documents.filter((d) => of[d] !== group));
    for (const measure of clusteringMeasures)
      assert.ok(Math.abs(ours[measure].jackknife![group]! - metrics[measure]) < 1e-12, measure);
  }
});

test('a better clustering is better, an equal one equivalent; the interval is about the value, not about its replicates', () => {
  const { truth, good, poor, families } = invent(400, 2);
  const own = [good, good, poor].map((assigned) => bootstrapClustering(truth, assigned, families, { resamples: 400 }));
  for (const metric of ['vMeasure', 'ami', 'ari'] as const) {
    const values = own.map((measures) => measures[metric]);
    const rows = compareReplicated({ systems: ['a', 'b', 'c'], values, metric });
    assert.deepEqual(
      rows.map(({ verdict }) => verdict),
      ['equivalent', 'better', 'better'],
    );
    const { value, lower, upper } = estimateReplicated(values[2]!);
    assert.ok(lower < value && value < upper);
    assert.ok(Math.abs((lower + upper) / 2 - value) < 0.2 * (upper - lower), `${metric} ${lower} ${value} ${upper}`);
  }
});

test('more than 1,000 families are merged; one family has no interval', () => {
  const { truth, good } = invent(2500, 3);
  const many = bootstrapClustering(truth, good, undefined, { resamples: 10 }).purity;
  assert.deepEqual([many.clusters, many.jackknife!.length, many.documents], [1000, 1000, 2500]);
  const one = bootstrapClustering(truth, good, new Int32Array(2500), { resamples: 10 }).purity;
  assert.equal(one.replicates.length, 0);
  assert.ok(Number.isNaN(estimateReplicated(one).lower));
  assert.throws(() => bootstrapClustering(truth, good, [1, 2]), RangeError);
});
