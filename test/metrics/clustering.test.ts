/** Measures of clusterings against scikit-learn (test/oracle/clustering_metrics.py), their laws, and the cost of AMI. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { stream } from '../../src/base/random.ts';
import {
  clusteringMeasures,
  clusteringMetrics,
  contingencyTable,
  expectedMutualInformation,
  tableMetrics,
} from '../../src/metrics/clustering.ts';

interface Case {
  name: string;
  truth: number[];
  assigned: number[];
  emi: number;
  metrics: Record<string, number>;
}

const path = join(import.meta.dirname, '..', 'fixtures', 'metrics', 'clustering.json');
const { cases, large } = JSON.parse(readFileSync(path, 'utf8')) as {
  cases: Case[];
  large: { metrics: Record<string, number> };
};

const near = (actual: number, expected: number, what: string, tolerance = 1e-12) =>
  assert.ok(Math.abs(actual - expected) < tolerance, `${what}: ${actual}, expected ${expected}`);

const sizes = (names: readonly number[]) => {
  const counts = new Map<number, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return Float64Array.from(counts.values());
};

assert.ok(cases.length >= 30);
for (const { name, truth, assigned, emi, metrics } of cases) {
  test(`scikit-learn: ${name}`, () => {
    const ours = clusteringMetrics(truth, assigned);
    assert.deepEqual(Object.keys(ours).sort(), Object.keys(metrics).sort());
    for (const measure of clusteringMeasures) near(ours[measure], metrics[measure]!, measure);
    near(expectedMutualInformation(sizes(truth), sizes(assigned), truth.length), emi, 'expected mutual information');
  });
}

test('scikit-learn: 6,000 documents, 83 classes, 16 clusters', () => {
  const truth = Int32Array.from({ length: 6000 }, (_, i) => ((i * i) % 7919) % 83);
  const assigned = truth.map((of, i) => (i % 3 === 0 ? of % 16 : ((i * 31) % 101) % 16));
  const ours = clusteringMetrics(truth, assigned);
  for (const measure of clusteringMeasures) near(ours[measure], large.metrics[measure]!, measure);
});

test('the vector of the V-measure: homogeneity .5196, completeness .5772, V .5469, ARI .3043', () => {
  const ours = clusteringMetrics([0, 0, 0, 1, 1, 1, 2, 2], [0, 0, 1, 1, 1, 1, 2, 0]);
  near(ours.homogeneity, 0.5196243461, 'homogeneity', 1e-10);
  near(ours.completeness, 0.5771596324, 'completeness', 1e-10);
  near(ours.vMeasure, 0.5468828911, 'V-measure', 1e-9);
  near(ours.ari, 0.3043478261, 'ARI', 1e-10);
});

const partitions = fc
  .integer({ min: 1, max: 40 })
  .chain((documents) =>
    fc.tuple(
      ...[5, 7].map((most) =>
        fc.array(fc.integer({ min: -2, max: most }), { minLength: documents, maxLength: documents }),
      ),
    ),
  ) as fc.Arbitrary<[number[], number[]]>;

test('property: names of classes and clusters and the order of documents do not matter', () => {
  fc.assert(
    fc.property(partitions, fc.nat(), ([truth, assigned], turn) => {
      const before = clusteringMetrics(truth, assigned);
      const order = truth.map((_, d) => (d + turn) % truth.length);
      const after = clusteringMetrics(
        order.map((d) => 100 - 3 * truth[d]!),
        order.map((d) => (assigned[d]! + 11) ** 2),
      );
      for (const measure of clusteringMeasures) near(after[measure], before[measure], measure);
    }),
  );
});

test('property: homogeneity and completeness change places with the two partitions, the others stay; all but two lie in 0..1', () => {
  fc.assert(
    fc.property(partitions, ([truth, assigned]) => {
      const [one, other] = [clusteringMetrics(truth, assigned), clusteringMetrics(assigned, truth)];
      near(one.homogeneity, other.completeness, 'homogeneity');
      for (const measure of ['vMeasure', 'ari', 'ami', 'nmi'] as const) near(one[measure], other[measure], measure);
      for (const measure of clusteringMeasures) {
        assert.ok(
          one[measure] <= 1 + 1e-12 && one[measure] >= (measure === 'ari' || measure === 'ami' ? -1 : 0),
          measure,
        );
      }
      const itself = clusteringMetrics(truth, truth);
      for (const measure of clusteringMeasures) assert.equal(itself[measure], 1, measure);
    }),
  );
});

test('property: weighted counts are repeated documents', () => {
  fc.assert(
    fc.property(partitions, fc.infiniteStream(fc.nat(3)), ([truth, assigned], draws) => {
      const weights = truth.map((_, d) => (d === 0 ? 1 : draws.next().value));
      const table = contingencyTable(truth, assigned);
      const counts = new Float64Array(table.counts.length);
      weights.forEach((weight, d) => {
        counts[table.cellOf[d]!]! += weight;
      });
      const weighted = tableMetrics(table, counts);
      const repeat = (names: number[]) => names.flatMap((name, d) => new Array<number>(weights[d]!).fill(name));
      const repeated = clusteringMetrics(repeat(truth), repeat(assigned));
      for (const measure of clusteringMeasures) near(weighted[measure], repeated[measure], measure);
    }),
  );
});

test('expected mutual information is that of shuffled documents', () => {
  const random = stream(5, 'shuffled');
  const truth = Int32Array.from({ length: 60 }, () => random.integer(4));
  const assigned = Int32Array.from({ length: 60 }, () => random.integer(5));
  const [rows, columns] = [sizes([...truth]), sizes([...assigned])];
  const entropy = (of: Float64Array) => of.reduce((sum, n) => sum - (n / 60) * Math.log(n / 60), 0);
  let mean = 0;
  const shuffles = 20_000;
  for (let i = 0; i < shuffles; i++) {
    mean += (clusteringMetrics(truth, random.shuffle(assigned)).homogeneity * entropy(rows)) / shuffles;
  }
  near(expectedMutualInformation(rows, columns, 60), mean, 'mean of shuffles', 1e-3);
});

test('AMI of 50,000 documents, 64 clusters and 500 labels takes well below a second', () => {
  const random = stream(6, 'large');
  const truth = Int32Array.from({ length: 50_000 }, () => Math.floor(500 * random.uniform() ** 2));
  const assigned = truth.map((of) => (random.uniform() < 0.4 ? of % 64 : random.integer(64)));
  const started = performance.now();
  const { ami } = clusteringMetrics(truth, assigned);
  const seconds = (performance.now() - started) / 1000;
  assert.ok(ami > 0.1 && ami < 0.9);
  assert.ok(seconds < 2, `${seconds} s`);
});

test('wrong input is named', () => {
  const code = (error: unknown) => (error as { code?: string }).code === 'clustering.documents';
  assert.throws(() => clusteringMetrics([], []), code);
  assert.throws(() => clusteringMetrics([1, 2], [1]), code);
});
