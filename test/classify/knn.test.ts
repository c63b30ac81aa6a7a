/** k-NN against scikit-learn and MTEB (test/oracle/probes.py), against a naive search, and on input that is wrong. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { nodePlatform } from '../../src/base/node/platform.ts';
import { stream } from '../../src/base/random.ts';
import { knnClassify, mtebMultilabel } from '../../src/classify/knn.ts';
import { nearestNeighbours } from '../../src/classify/neighbours.ts';
import { indicatorScores } from '../../src/classify/predictions.ts';
import { sampleByLabel } from '../../src/classify/sample-by-label.ts';
import { openEngine } from '../../src/engine/index.ts';
import { rankingMetrics } from '../../src/metrics/label-ranking.ts';
import { labelSets } from '../../src/metrics/label-sets.ts';
import { multilabelMetrics } from '../../src/metrics/multilabel.ts';
import { apart, fixture, invent, listed } from './invented.ts';

const engine = await openEngine(nodePlatform, { threads: 1 });
after(() => engine.close());
const { rows, test: tests, dimensions, labels } = fixture.sizes;
const train = invent(1, rows, dimensions, labels);
const held = invent(2, tests, dimensions, labels);

test('the data are those of the fixture', () => {
  const sum = train.features.vectors.reduce((total, value) => total + value, 0);
  assert.ok(Math.abs(sum - fixture.check[0]) < 2e-3, `${sum}`);
  assert.equal(train.truth.codes.length, fixture.check[1]);
});

test('equals scikit-learn: neighbours, distances to 1e-5, and both kinds of predictions', async () => {
  const single = labelSets(train.sets.map(([, first]) => [first!]));
  for (const { distance, k, ...expected } of fixture.neighbours) {
    const found = await nearestNeighbours(train.features, held.features, { engine, k, distance });
    assert.deepEqual([...found.rows], expected.rows.flat(), `${distance}, k ${k}`);
    assert.ok(apart(found.distances, expected.distances.flat()) < 1e-5);
    const options = { engine, k, distance, labels };
    const several = await knnClassify(train.features, train.truth, held.features, options);
    assert.deepEqual(listed(several.predicted), expected.predicted, `${distance}, k ${k}`);
    const one = await knnClassify(train.features, single, held.features, { ...options, task: 'multi-class' });
    assert.deepEqual([...one.predicted.codes], expected.one, `${distance}, k ${k}`);
    expected.rows.forEach((own, row) => {
      const share = own.filter((neighbour) => train.sets[neighbour]!.includes(2)).length / k;
      assert.equal(several.scores[row * labels + 2], Math.fround(share));
    });
  }
});

test("MTEB's protocol: the rows it draws from its order, its predictions and its scores", async () => {
  for (const { samplesPerLabel, order, rows: drawn, predicted, ...scores } of fixture.mteb) {
    assert.deepEqual([...sampleByLabel(train.truth, { samplesPerLabel, seed: 1, order })], drawn);
    const options = { engine, labels, samplesPerLabel, seed: 1, drawn: [drawn] };
    const [only] = await mtebMultilabel(train.features, train.truth, held.features, options);
    assert.deepEqual(listed(only!.predicted), predicted);
    const measured = multilabelMetrics(held.truth, only!.predicted, labels);
    const { lrap } = rankingMetrics(held.truth, indicatorScores(only!.predicted, labels), labels);
    assert.ok(Math.abs(lrap - scores.lrap) < 1e-12);
    assert.ok(Math.abs(measured.subsetAccuracy - scores.accuracy) < 1e-12);
    assert.ok(Math.abs(measured.f1Macro - scores.f1) < 1e-12);
  }
});

test('samples: each label as often as asked for where there are so many; drawn anew by seed and experiment', () => {
  const [first, again, next] = [0, 0, 1].map((experiment) => sampleByLabel(train.truth, { seed: 3, experiment }));
  assert.deepEqual(first, again);
  assert.notDeepEqual(first, next);
  for (let label = 0; label < labels; label++) {
    const of = (some: Iterable<number>) => [...some].filter((row) => train.sets[row]!.includes(label)).length;
    assert.ok(of(first!) >= Math.min(8, of(train.sets.keys())), `label ${label}`);
  }
});

test('neighbours are exact on any rows: duplicates, large common parts, rows of zeros', async () => {
  const property = fc.asyncProperty(
    fc.integer({ min: 1, max: 1e6 }),
    fc.integer({ min: 1, max: 120 }),
    fc.constantFrom('euclidean' as const, 'cosine' as const),
    fc.constantFrom(0, 1, 100),
    async (seed, count, distance, common) => {
      const random = stream(seed, 'rows');
      const width = 1 + random.integer(6);
      // Whole numbers make many equal distances.
      const make = (length: number) => Float32Array.from({ length }, () => common + random.integer(3) - 1);
      const [left, right] = [make(count * width), make(5 * width)];
      const k = 1 + random.integer(count);
      const found = await nearestNeighbours(
        { vectors: left, dimensions: width },
        { vectors: right, dimensions: width },
        { engine, k, distance },
      );
      const norm = (vector: Float32Array) => Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0)) || 1;
      for (let query = 0; query < 5; query++) {
        const own = right.subarray(query * width, (query + 1) * width);
        const all = Array.from({ length: count }, (_, row) => {
          const other = left.subarray(row * width, (row + 1) * width);
          if (distance === 'cosine')
            return {
              row,
              value: 1 - own.reduce((sum, value, i) => sum + value * other[i]!, 0) / (norm(own) * norm(other)),
            };
          return { row, value: Math.sqrt(own.reduce((sum, value, i) => sum + (value - other[i]!) ** 2, 0)) };
        });
        all.sort((a, b) => a.value - b.value || a.row - b.row);
        assert.deepEqual(
          [...found.rows.subarray(query * k, (query + 1) * k)],
          all.slice(0, k).map(({ row }) => row),
        );
      }
    },
  );
  await fc.assert(property, { numRuns: 30 });
});

test('wrong input is refused: fewer rows than k, vectors of two lengths, numbers that are none, labels of other rows', async () => {
  const two = { vectors: Float32Array.of(1, 2, 3, 4), dimensions: 2 };
  const options = { engine, labels: 2, k: 1 };
  const truth = labelSets([[0], [1]]);
  const code = (wanted: string) => ({ code: wanted });
  await assert.rejects(knnClassify(two, truth, two, { ...options, k: 3 }), code('classify.neighbours'));
  await assert.rejects(knnClassify(two, truth, { ...two, dimensions: 4 }, options), code('classify.dimensions'));
  await assert.rejects(knnClassify({ ...two, dimensions: 3 }, truth, two, options), code('classify.dimensions'));
  await assert.rejects(knnClassify(two, labelSets([[0]]), two, options), code('classify.rows'));
  for (const wrong of [Number.NaN, Number.POSITIVE_INFINITY]) {
    const broken = { vectors: Float32Array.of(1, 2, wrong, 4), dimensions: 2 };
    await assert.rejects(knnClassify(broken, truth, two, options), code('classify.finite'));
    await assert.rejects(knnClassify(two, truth, broken, options), code('classify.finite'));
  }
});

test('a label that no training document has scores 0 and is never predicted', async () => {
  const { scores, predicted } = await knnClassify(train.features, train.truth, held.features, { engine, labels });
  for (let row = 0; row < tests; row++) assert.equal(scores[row * labels + labels - 1], 0);
  assert.ok(!predicted.codes.includes(labels - 1));
});
