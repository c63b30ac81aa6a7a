/** Logistic regression against scikit-learn (test/oracle/probes.py), its stopping rule, and labels with nothing to learn. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { nodePlatform } from '../../src/base/node/platform.ts';
import type { DenseRows } from '../../src/classify/features.ts';
import { predictLogistic, trainLogistic } from '../../src/classify/logistic.ts';
import type { SparseMatrix } from '../../src/encode/lsa-matrix.ts';
import { openEngine } from '../../src/engine/index.ts';
import { labelSets } from '../../src/metrics/label-sets.ts';
import { apart, fixture, invent } from './invented.ts';

const engine = await openEngine(nodePlatform, { threads: 1 });
after(() => engine.close());
const { rows, test: tests, dimensions, labels } = fixture.sizes;
const train = invent(1, rows, dimensions, labels);
const held = invent(2, tests, dimensions, labels);

/** The same rows with all numbers written out. */
function sparse({ vectors, dimensions: columns }: DenseRows): SparseMatrix {
  const count = vectors.length / columns;
  return {
    rows: count,
    columns,
    starts: Int32Array.from({ length: count + 1 }, (_, row) => row * columns),
    indices: Int32Array.from(vectors, (_, i) => i % columns),
    values: vectors,
  };
}

const forms = {
  dense: [train.features, held.features],
  sparse: [sparse(train.features), sparse(held.features)],
} as const;
const column = (values: Float32Array, label: number) =>
  Array.from({ length: tests }, (_, row) => values[row * labels + label]!);

for (const [form, [features, heldFeatures]] of Object.entries(forms)) {
  test(`${form} rows, one-vs-rest: coefficients equal scikit-learn's to 2e-4, probabilities to 1e-5`, async () => {
    for (const { classWeight, C, labels: solved } of fixture.logistic) {
      const options = { engine, labels, C, classWeight, tolerance: 2e-8, maxIterations: 500 };
      const { model, convergence } = await trainLogistic(features, train.truth, options);
      assert.deepEqual(
        convergence.map(({ label }) => label),
        [1, 2, 3, 4],
      );
      const found = await predictLogistic(model, heldFeatures, { engine });
      for (const [name, { coefficients, intercept, probabilities }] of Object.entries(solved)) {
        const label = Number(name);
        const own = model.weights.subarray(label * dimensions, (label + 1) * dimensions);
        const where = `${classWeight}, C ${C}, label ${label}`;
        assert.ok(apart(own, coefficients) < 2e-4, `${where}: ${apart(own, coefficients)}`);
        assert.ok(Math.abs(model.intercepts[label]! - intercept) < 2e-4, `${where}: ${model.intercepts[label]}`);
        const difference = apart(column(found, label), probabilities);
        assert.ok(difference < 1e-5, `${where}: probabilities off by ${difference}`);
      }
    }
  });

  test(`${form} rows, softmax: equals scikit-learn's; a class without a document never gets a probability`, async () => {
    for (const { classes, classWeight, coefficients, intercepts, probabilities } of fixture.softmax) {
      const truth = labelSets(train.sets.map((own) => [classes[own[1]! % classes.length]!]));
      const fit = await trainLogistic(features, truth, {
        engine,
        labels,
        classWeight,
        task: 'multi-class',
        tolerance: 1e-7,
        maxIterations: 500,
      });
      const found = await predictLogistic(fit.model, heldFeatures, { engine });
      const expected = new Float32Array(tests * labels);
      for (const [row, own] of probabilities.entries())
        for (const [i, value] of own.entries()) expected[row * labels + classes[i]!] = value;
      assert.ok(apart(found, expected) < 1e-5, `${apart(found, expected)}`);
      // Of two classes scikit-learn keeps the second one's coefficients only.
      const kept = classes.slice(classes.length - coefficients.length);
      kept.forEach((label, i) => {
        const own = fit.model.weights.subarray(label * dimensions, (label + 1) * dimensions);
        assert.ok(apart(own, coefficients[i]!) < 2e-4, `class ${label}: ${apart(own, coefficients[i]!)}`);
        assert.ok(Math.abs(fit.model.intercepts[label]! - intercepts[i]!) < 2e-4);
      });
    }
  });
}

test('many rows, whose covariance axes are used, in several blocks: the same model as few iterations without them', async () => {
  const large = invent(5, 9000, dimensions, labels);
  const options = { engine, labels, tolerance: 1e-6, maxIterations: 500 };
  const dense = await trainLogistic(large.features, large.truth, options);
  const other = await trainLogistic(sparse(large.features), large.truth, options);
  assert.ok(dense.convergence.every(({ converged }) => converged));
  assert.ok(apart(dense.model.weights, other.model.weights) < 2e-3);
  const most = (fit: typeof dense) => Math.max(...fit.convergence.map(({ iterations }) => iterations));
  assert.ok(most(dense) < most(other), `${most(dense)} iterations, ${most(other)} without the axes`);
  const [a, b] = await Promise.all(
    [dense, other].map(({ model }) => predictLogistic(model, held.features, { engine })),
  );
  assert.ok(apart(a!, b!) < 1e-4);
});

test('stops where the largest gradient is at the tolerance, and says so where it is not', async () => {
  const loose = await trainLogistic(train.features, train.truth, { engine, labels });
  for (const { gradientNorm, converged } of loose.convergence) assert.ok(converged && gradientNorm <= 1e-4);
  // The gradient at the end, computed here from the model.
  const probabilities = await predictLogistic(loose.model, train.features, { engine });
  for (const { label, gradientNorm } of loose.convergence) {
    let largest = 0;
    for (let i = 0; i <= dimensions; i++) {
      let sum = i < dimensions ? loose.model.weights[label * dimensions + i]! / rows : 0;
      for (let row = 0; row < rows; row++) {
        const x = i < dimensions ? train.features.vectors[row * dimensions + i]! : 1;
        sum += ((probabilities[row * labels + label]! - Number(train.sets[row]!.includes(label))) * x) / rows;
      }
      largest = Math.max(largest, Math.abs(sum));
    }
    assert.ok(Math.abs(largest - gradientNorm) < 1e-6, `label ${label}: ${largest}, said ${gradientNorm}`);
  }
  const early = await trainLogistic(train.features, train.truth, { engine, labels, tolerance: 1e-7, maxIterations: 2 });
  const open = early.convergence.filter(({ converged }) => !converged);
  assert.equal(open.length, 4);
  for (const { iterations, gradientNorm } of open) assert.ok(iterations === 2 && gradientNorm > 1e-7);
  const warning = early.warnings.find(({ code }) => code === 'logistic.convergence');
  assert.deepEqual(warning?.labels, [1, 2, 3, 4]);
  assert.match(warning!.message, /has not converged for 4 of 4/);
});

test('a label of all documents, of none, a single class: probability 1 or 0, a warning, never NaN', async () => {
  const { model, warnings } = await trainLogistic(train.features, train.truth, { engine, labels });
  const found = await predictLogistic(model, held.features, { engine });
  assert.ok(column(found, 0).every((value) => value === 1));
  assert.ok(column(found, labels - 1).every((value) => value === 0));
  assert.deepEqual(warnings.find(({ code }) => code === 'logistic.constant')?.labels, [0, labels - 1]);
  for (const task of ['multi-label', 'multi-class'] as const) {
    const one = labelSets(train.sets.map(() => [2]));
    const single = await trainLogistic(train.features, one, { engine, labels, task });
    const probabilities = await predictLogistic(single.model, held.features, { engine });
    for (let i = 0; i < probabilities.length; i++) assert.equal(probabilities[i], i % labels === 2 ? 1 : 0);
  }
});

test('wrong input is refused', async () => {
  const code = (wanted: string) => ({ code: wanted });
  const options = { engine, labels };
  const { truth, features } = train;
  const { model } = await trainLogistic(features, truth, { ...options, maxIterations: 1 });
  await assert.rejects(trainLogistic(features, held.truth, options), code('classify.rows'));
  await assert.rejects(trainLogistic(features, truth, { ...options, C: 0 }), code('classify.option'));
  await assert.rejects(trainLogistic(features, truth, { ...options, task: 'multi-class' }), code('classify.classes'));
  await assert.rejects(trainLogistic(features, truth, { engine, labels: 2 }), code('labels.codes'));
  await assert.rejects(
    predictLogistic(model, { ...held.features, dimensions: 6 }, { engine }),
    code('classify.dimensions'),
  );
  const broken = { vectors: features.vectors.slice(), dimensions };
  broken.vectors[7] = Number.NaN;
  await assert.rejects(trainLogistic(broken, truth, options), code('classify.finite'));
});

test('equal input gives equal bytes', async () => {
  const [a, b] = [
    await trainLogistic(train.features, train.truth, { engine, labels }),
    await trainLogistic(train.features, train.truth, { engine, labels }),
  ];
  assert.deepEqual(a.model, b.model);
});
