/** TF-IDF rows against scikit-learn's TfidfVectorizer (test/oracle/probes.py), and what they take from the training texts alone. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { nodePlatform } from '../../src/base/node/platform.ts';
import { predictLogistic, trainLogistic } from '../../src/classify/logistic.ts';
import { TfidfFeatures } from '../../src/classify/tfidf-features.ts';
import { openEngine } from '../../src/engine/index.ts';
import { labelSets } from '../../src/metrics/label-sets.ts';
import { fixture } from './invented.ts';

test('equals scikit-learn: vocabulary, and values to 1e-6', () => {
  const { texts } = fixture;
  for (const { sublinear, terms, rows } of fixture.tfidf) {
    const features = TfidfFeatures.fit(texts.slice(0, 40), { sublinear, stopWords: 'none' });
    assert.equal(features.terms.length, terms);
    const matrix = features.rows(texts.slice(40));
    rows.forEach((expected, row) => {
      const own = new Map<string, number>();
      for (let i = matrix.starts[row]!; i < matrix.starts[row + 1]!; i++)
        own.set(features.terms[matrix.indices[i]!]!, matrix.values[i]!);
      assert.deepEqual([...own.keys()].sort(), Object.keys(expected).sort());
      for (const [term, value] of own) assert.ok(Math.abs(value - expected[term]!) < 1e-6, `${term}: ${value}`);
    });
  }
});

test('the words are those of the training texts, the most frequent where there is no room for all', () => {
  const features = TfidfFeatures.fit(['valve valve pump', 'valve pump', 'rotor valve', 'rotor pump', 'lens'], {
    maxTerms: 2,
  });
  assert.deepEqual([...features.terms], ['valve', 'pump']);
  const { rows, columns, starts, values } = features.rows(['turbine lens', 'pump turbine', '']);
  assert.deepEqual([rows, columns, [...starts], [...values]], [3, 2, [0, 0, 1, 1], [1]]);
  assert.throws(() => TfidfFeatures.fit(['one', 'two']), { code: 'classify.terms' });
  assert.throws(() => TfidfFeatures.fit(['one one'], { minDocuments: 0 }), { code: 'classify.option' });
});

const engine = await openEngine(nodePlatform, { threads: 1 });
after(() => engine.close());

test('a lexical baseline: words that tell the label are found by logistic regression', async () => {
  const words = ['echo', 'valve', 'lens'];
  const texts = Array.from(
    { length: 120 },
    (_, i) => `${words[i % 3]} number ${i % 7} of a device with ${words[(i + (i % 5 === 0 ? 1 : 0)) % 3]}`,
  );
  const truth = labelSets(texts.map((_, i) => [i % 3]));
  const features = TfidfFeatures.fit(texts);
  const { model } = await trainLogistic(features.rows(texts), truth, { engine, labels: 3, C: 100 });
  const found = await predictLogistic(model, features.rows(['an echo', 'a valve', 'a lens']), { engine });
  for (let row = 0; row < 3; row++)
    for (let label = 0; label < 3; label++) assert.equal(found[row * 3 + label]! > 0.5, row === label);
});
