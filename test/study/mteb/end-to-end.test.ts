/** The protocols themselves on MTEB's vectors: retrieval to the digit, the others within MTEB's interval over ten seeds. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { nodePlatform } from '../../../src/base/node/platform.ts';
import { mtebDraw, scoreClustering } from '../../../src/cluster/mteb-clustering.ts';
import { type Engine, openEngine } from '../../../src/engine/index.ts';
import { vectorArray } from '../../../src/retrieve/exact.ts';
import { type MatrixProduct, openMatrixProduct } from '../../../src/retrieve/matrix-product.ts';
import { experiments } from '../../../src/study/mteb/classification.ts';
import { bootstrapScores, setScores } from '../../../src/study/mteb/clustering.ts';
import type { TaskEncoder } from '../../../src/study/mteb/encoder.ts';
import { evaluateRetrieval, type RetrievalData } from '../../../src/study/mteb/retrieval.ts';
import { undersamples } from '../../../src/study/mteb/sampling.ts';
import { type Fixture, fixture, flat } from './fixtures.ts';

const dimensions = 8;

/** Two-sided 95 % quantile of Student's t at 9 degrees of freedom. */
const quantile = 2.2622;

/** Asserts that a score lies where MTEB's own, with an eleventh seed, would lie in 95 of 100 cases. */
function assertWithin(found: number, seeds: Record<string, Record<string, number>>, name: string): void {
  const values = Object.values(seeds).map((of) => of[name]!);
  assert.equal(values.length, 10);
  const mean = values.reduce((sum, value) => sum + value, 0) / 10;
  const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 9);
  const reach = quantile * deviation * Math.sqrt(1 + 1 / 10);
  assert.ok(Math.abs(found - mean) <= reach + 1e-9, `${name} ${found}, MTEB ${mean} ± ${reach}`);
}

describe('end to end', () => {
  let product: MatrixProduct;
  let engine: Engine;
  before(async () => {
    product = await openMatrixProduct(nodePlatform, { threads: 1 });
    engine = await openEngine(nodePlatform, { threads: 1 });
  });
  after(async () => {
    await product.close();
    await engine.close();
  });

  test('retrieval', async () => {
    const { documents, queries, relevant, scores } = fixture('retrieval');
    const ids = Object.keys(relevant).filter((query) => relevant[query].length > 0);
    const rows = ids.map((query) => queries[Number(query.slice(1))]);
    const encoder: TaskEncoder = {
      similarity: 'cosine',
      async encode({ role }) {
        const vectors = flat(role === 'query' ? rows : documents);
        return { ...vectorArray(vectors, dimensions), read: async () => vectors };
      },
    };
    const data: RetrievalData = {
      queries: { ids, texts: ids },
      documents: documents.map((_: unknown, i: number) => `d${i}`),
      async *texts() {},
      judgements: new Map(ids.map((query) => [query, new Map(relevant[query].map((of: string) => [of, 1]))])),
      found: {},
    };
    const found = await evaluateRetrieval(data, encoder, { product, cuts: [1, 3, 5, 10, 20, 100, 1000] });
    for (const [name, value] of Object.entries(found)) {
      if (scores[name] === null) assert.ok(Number.isNaN(value), name);
      // Areas depend on the spread of scores, whose last digits are the matrix product's.
      else assert.ok(Math.abs(value - scores[name]) <= (name.startsWith('nauc') ? 1e-4 : 1e-12), `${name}: ${value}`);
    }
    await assert.rejects(evaluateRetrieval(data, { ...encoder, similarity: 'euclidean' }, { product, cuts: [1] }), {
      code: 'mteb.similarity',
      exitCode: 2,
    });
  });

  test('classification', async () => {
    for (const [name, labels] of [
      ['four', 4],
      ['two', 2],
    ] as const) {
      const { train, test: tested, trainLabels, testLabels, scores, seeds } = fixture('classification')[name];
      const truth = Int32Array.from(trainLabels);
      const samples = undersamples(truth, { samplesPerLabel: 8, experiments: 10, seed: 42 });
      const hundredths = (rows: number[][]) => flat(rows).map((value) => value / 100);
      const vectors = { train: hundredths(train), test: hundredths(tested), dimensions };
      const found = await experiments(vectors, truth, Int32Array.from(testLabels), samples, {
        engine,
        labels,
        iterations: 100,
        signal: undefined,
      });
      for (const measure of ['accuracy', 'f1', 'f1_weighted'] as const) assertWithin(found[measure], seeds, measure);
      const same = found.scores_per_experiment.filter(
        (of, i) => Math.abs(of.accuracy - scores.scores_per_experiment[i].accuracy) < 1e-12,
      );
      assert.ok(same.length >= 8, `${same.length} of 10 experiments have MTEB's accuracy`);
    }
  });

  test('clustering', async () => {
    const { vectors, labels, bounds, bootstraps, sets } = fixture('clustering');
    const all = flat(vectors);
    const draw = mtebDraw(400, { size: 150, embed: { share: 0.3 } });
    const rows = flat([...draw.rows].map((row) => vectors[row]));
    const truth = draw.rows.map((row) => labels[row]);
    const clustered = await scoreClustering(rows, truth, draw.resamples, { dimensions, product });
    const found = bootstrapScores(clustered.scores);
    assertWithin(found.v_measure, bootstraps.seeds, 'v_measure');
    assertWithin(found.ami, bootstraps.seeds, 'ami');
    const measures: number[] = [];
    for (const [i, from] of bounds.slice(0, -1).entries()) {
      const own = Int32Array.from(labels.slice(from, bounds[i + 1]) as Fixture);
      const { mean } = await scoreClustering(
        all.slice(from * dimensions, bounds[i + 1] * dimensions),
        own,
        [Int32Array.from(own.keys())],
        { dimensions, product, batchRows: 500 },
      );
      measures.push(mean);
    }
    assertWithin(setScores([...measures, 1]).v_measure, sets.seeds, 'v_measure');
    const exact = [
      found.v_measure - bootstraps.scores.v_measure,
      setScores([...measures, 1]).v_measure - sets.scores.v_measure,
    ];
    for (const difference of exact)
      assert.ok(Math.abs(difference) < 1e-9, `k-means takes scikit-learn's steps: ${difference}`);
  });
});
