/** Study files: what they say is read, and what they say wrong is told with file, line and field. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { PatentlabError } from '../../src/base/errors.ts';
import { changedFields } from '../../src/study/embedding/run.ts';
import { parseEmbeddingSpec } from '../../src/study/embedding/spec.ts';

const least = 'kind: embedding\ncorpora: [mine]\nmodels: [tiny]\nrecipes: [R1]\n';
const refused = (text: string): PatentlabError => {
  try {
    parseEmbeddingSpec(text, 'study.yaml');
  } catch (error) {
    if (error instanceof PatentlabError) return error;
    throw error;
  }
  return assert.fail(`accepted: ${text}`);
};

test('the least that a study says, with its defaults', () => {
  const spec = parseEmbeddingSpec(least, '/somewhere/my study.yaml');
  assert.equal(spec.name, 'my-study');
  assert.deepEqual(spec.seeds, [1, 2, 3, 4, 5]);
  assert.deepEqual(spec.baselines, ['bm25', 'lsa', 'zero-shot']);
  assert.deepEqual([spec.matched, spec.allowUnmatched, spec.transfer], [true, false, true]);
  assert.deepEqual(spec.recipes, [{ label: 'R1', recipe: 'R1', shuffled: false }]);
  assert.deepEqual(spec.corpora[0], { name: 'mine', relevance: 'cites', onlyEarlier: false, train: true });
});

test('every mistake is told with file, line and field', () => {
  const cases: [text: string, line: number, field: string, expected: RegExp][] = [
    [`${least}steps: 5\n`, 5, 'steps', /corpora, models, views/],
    [`${least}training: { steps: 5, epochs: 2 }\n`, 5, 'training', /one of steps and epochs/],
    [`${least}training:\n  batch: 1\n`, 6, 'training.batch', /2/],
    [`${least}training:\n  rat: 1\n`, 6, 'training.rat', /pairs, steps/],
    [`${least}seeds: [1, 1]\n`, 5, 'seeds', /no two that are the same/],
    [`${least}views: [TA, XY]\n`, 5, 'views.1', /T, A, C1/],
    [least.replace('[R1]', '[R1, R9]'), 4, 'recipes.1', /R1, R2, R3, R4/],
    [least.replace('[R1]', '[R1 torn]'), 4, 'recipes.0', /shuffled/],
    [least.replace('[mine]', '[{ name: a, builtin: greenhouse-robots }]'), 2, 'corpora.0', /one of name and builtin/],
    [least.replace('embedding', 'decoder'), 1, 'kind', /embedding/],
    [`${least}remedies: { loraScale: [0.5] }\n`, 5, 'remedies.loraScale', /training\.lora/],
    [`${least}remedies: { mixed: true }\n`, 5, 'remedies.mixed', /two corpora/],
    [`${least}remedies: { recipes: [R2], interpolate: [0.5] }\n`, 5, 'remedies.recipes', /R1/],
    [least.replace('[mine]', '[{ name: mine, train: false }]'), 2, 'corpora', /train: false/],
    [`${least}remedies: { interpolate: [1.5] }\n`, 5, 'remedies.interpolate.0', /1/],
    [`${least}training:\n  hardNegatives: { from: bm25, per: 0 }\n`, 6, 'training.hardNegatives.per', /0/],
    [
      `${least}training:\n  hardNegatives:\n    from: bm25\n    pe: 1\n`,
      8,
      'training.hardNegatives.pe',
      /from, per, skip/,
    ],
    [`${least}training: { hardNegatives: { from: tiny } }\n`, 5, 'training.hardNegatives.from', /bm25, model/],
    [`${least}training: { dropout: 1 }\n`, 5, 'training.dropout', /1/],
    [`${least}training: { lora: { rnk: 8 } }\n`, 5, 'training.lora.rnk', /rank, alpha, dropout/],
    [
      least.replace('[mine]', '[{ name: mine, trains: false }]'),
      2,
      'corpora.0.trains',
      /relevance, onlyEarlier, split, train/,
    ],
    [least.replace('[tiny]', '[{ model: other, tiny: { layers: 1 } }]'), 3, 'models.0.tiny', /model: tiny/],
  ];
  for (const [text, line, field, expected] of cases) {
    const { code, exitCode, details } = refused(text);
    assert.equal(code, 'study.spec', text);
    assert.equal(exitCode, 2);
    assert.deepEqual([details.file, details.line, details.field], ['study.yaml', line, field], text);
    assert.match(details.expected!, expected);
  }
  assert.equal(refused(least.replace('recipes: [R1]\n', '')).details.field, 'recipes');
  const broken = refused('kind: [embedding\ncorpora');
  assert.deepEqual([broken.code, broken.details.file], ['study.yaml', 'study.yaml']);
});

test('the studies that come with the package can be read', () => {
  for (const name of ['embedding.small.yaml', 'embedding.yaml']) {
    const path = join(import.meta.dirname, '..', '..', 'studies', name);
    const spec = parseEmbeddingSpec(readFileSync(path, 'utf8'), path);
    assert.equal(spec.name, name.replace('.yaml', ''));
    assert.ok(spec.recipes.some(({ shuffled }) => shuffled) && spec.matched && spec.transfer);
  }
});

test('what was changed in a study is told field by field', () => {
  const change = (extra: string) =>
    changedFields(parseEmbeddingSpec(least, 'a.yaml'), parseEmbeddingSpec(least + extra, 'a.yaml'));
  assert.deepEqual(change(''), []);
  assert.deepEqual(change('training: { batch: 8 }\n'), ['training.batch 32 → 8']);
  assert.deepEqual(change('seeds: [1]\nmargin: 0.02\n'), ['seeds [1,2,3,4,5] → [1]', 'margin 0.01 → 0.02']);
});
