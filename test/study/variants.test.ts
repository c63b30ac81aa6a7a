/** Variants of a model: their names, that widths share vectors, that each is what it is alone, and that each can be made again. */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { nodePlatform } from '../../src/base/node/platform.ts';
import type { PassageOptions } from '../../src/encode/index.ts';
import { CellStore } from '../../src/study/cell.ts';
import { evaluate } from '../../src/study/evaluate.ts';
import type { EvaluateOptions } from '../../src/study/evaluate-options.ts';
import { repeatCell } from '../../src/study/repeat.ts';
import { type EvaluationResults, systemName } from '../../src/study/results.ts';
import { parseSystems } from '../../src/study/systems.ts';
import { expandSystems, parsePassages } from '../../src/study/variants.ts';
import { inventCorpus } from '../support/invent.ts';
import { tinyCheckpoint } from '../support/tiny-checkpoint.ts';

const max: PassageOptions = { size: 24, overlap: 6, aggregate: 'max' };
const mean: PassageOptions = { ...max, aggregate: 'mean' };

const labels = async (
  settings: Partial<EvaluateOptions>,
  models = ['a/mini'],
  fuse: readonly ('rrf' | 'linear')[] = [],
  dtypes: readonly ('fp32' | 'int8')[] = ['fp32'],
) => {
  const limits = { dimensions: 384, maxLength: 256 };
  const parsed = parseSystems(models, fuse, dtypes);
  const { systems, warnings } = await expandSystems(parsed, settings, async () => limits);
  return { names: systems.map(({ label }) => label), warnings, systems };
};

test('names: of a list each value, of passages how they count; a single value is none', async () => {
  assert.deepEqual((await labels({ length: 128 })).names, ['mini']);
  assert.deepEqual((await labels({ length: [128], dimensions: [64, 64] })).names, ['mini']);
  assert.deepEqual((await labels({ length: [128, 64] })).names, ['mini [64 tokens]', 'mini [128 tokens]']);
  assert.deepEqual((await labels({ dimensions: [64, 128] })).names, ['mini', 'mini [64 d]', 'mini [128 d]']);
  assert.deepEqual((await labels({ passages: [max, mean, max] })).names, [
    'mini',
    'mini [passages max]',
    'mini [passages mean]',
  ]);
  assert.deepEqual((await labels({ passages: [max], passagesOnly: true, dimensions: [8, 9] })).names, [
    'mini [passages max]', 'mini [passages max, 8 d]', 'mini [passages max, 9 d]',
  ]); // biome-ignore format: names
  assert.deepEqual((await labels({ passages: [max, { ...max, size: 32, most: 4, queries: 'mean' }] })).names, [
    'mini', 'mini [passages max 24-6]', 'mini [passages max 32-6 most 4 queries mean]',
  ]); // biome-ignore format: names
  assert.deepEqual((await labels({ length: [32, 64], dimensions: [8, 16] }, ['x=a/mini'], [], ['int8'])).names, [
    'x-int8 [32 tokens]', 'x-int8 [32 tokens, 8 d]', 'x-int8 [32 tokens, 16 d]',
    'x-int8 [64 tokens]', 'x-int8 [64 tokens, 8 d]', 'x-int8 [64 tokens, 16 d]',
  ]); // biome-ignore format: names
  const fused = await labels({ dimensions: [64, 128] }, ['bm25', 'lsa'], ['rrf']);
  assert.deepEqual(fused.names, [
    'bm25', 'lsa', 'lsa [64 d]', 'lsa [128 d]', 'bm25+lsa', 'bm25+lsa [64 d]', 'bm25+lsa [128 d]',
  ]); // biome-ignore format: names
});

test('what a model does not have is left out and said; all of it too much leaves what it has', async () => {
  const wide = await labels({ dimensions: [64, 384, 1024] });
  assert.deepEqual(wide.names, ['mini', 'mini [64 d]']);
  assert.deepEqual(wide.warnings, ['mini has 384 dimensions: not cut to 1024.']);
  const long = await labels({ length: [128, 512] });
  assert.deepEqual(long.names, ['mini [128 tokens]']);
  assert.deepEqual(long.warnings, ['mini reads 256 tokens: not tried with 512.']);
  assert.deepEqual((await labels({ length: [300, 512] })).names, ['mini [256 tokens]']);
  const passages = await labels({ passages: [{ ...max, size: 512 }] });
  assert.match(passages.warnings[0]!, /its passages are no longer/);
  const [, cut] = passages.systems;
  assert.equal(cut!.kind === 'encoder' && cut!.passages!.size, 256);
});

test('passages without an encoder are refused', async () => {
  await assert.rejects(labels({ passages: [max] }, ['bm25', 'lsa']), { code: 'evaluate.passages', exitCode: 2 });
});

test('passages by their words', () => {
  assert.deepEqual(parsePassages('size=256'), { size: 256, overlap: 64, aggregate: 'max' });
  assert.deepEqual(parsePassages('size=128, overlap=0,aggregate=mean,most=8,queries=mean'), {
    size: 128, overlap: 0, aggregate: 'mean', most: 8, queries: 'mean',
  }); // biome-ignore format: one line of fields
  for (const text of [
    '',
    'overlap=3',
    'size=256,size=128',
    'size=256;overlap=1',
    'size=256,overlap=300',
    'size=2,aggregate=sum',
    'size=256,overlap=x',
  ])
    assert.throws(() => parsePassages(text), { exitCode: 2 }, text);
});

const home = mkdtempSync(join(tmpdir(), 'patentlab-variants-'));
after(() => rmSync(home, { recursive: true, force: true }));

before(async () => {
  await inventCorpus(home, 'devices', { patents: 50 });
  tinyCheckpoint(join(home, 'tiny'));
  tinyCheckpoint(join(home, 'long'), { maxLength: 128 });
});

const options = (extra: Partial<EvaluateOptions>): EvaluateOptions => ({
  platform: nodePlatform,
  home,
  corpora: ['devices'],
  models: [join(home, 'tiny')],
  views: ['TA'],
  depth: 60,
  resamples: 100,
  threads: 1,
  ...extra,
});

const valuesOf = ({ cells }: EvaluationResults) =>
  Object.fromEntries(cells.map((cell) => [systemName(cell), cell.metrics['ndcg@10']!.value]));

const evaluation = () =>
  evaluate(
    options({
      models: ['lsa', join(home, 'tiny')],
      length: [12, 24],
      dimensions: [4, 8],
      passages: [max, mean],
      lsaDimensions: 16,
    }),
  );

test('in one call: every way to read encodes once, whatever its widths, and each variant is what it is alone', async () => {
  const { results } = await evaluation();
  const readings = ['tiny [12 tokens]', 'tiny [24 tokens]', 'tiny [passages max]', 'tiny [passages mean]'];
  const dense = [...readings.flatMap((name) => [name, ...[4, 8].map((d) => name.replace(']', `, ${d} d]`))])];
  assert.deepEqual(new Set(Object.keys(valuesOf(results))), new Set(['lsa', 'lsa [4 d]', 'lsa [8 d]', ...dense]));
  // Two lengths and one way to cut passages, whose vectors max and mean share: three kinds of vectors, each of all documents.
  assert.equal(readdirSync(join(home, 'vectors')).length, 3);
  const computed = results.cells.filter(
    ({ cost, model }) => cost.documentsPerSecond !== undefined && /^tiny/.test(model),
  );
  assert.equal(computed.length, 3);

  const together = valuesOf(results);
  const alone = async (extra: Partial<EvaluateOptions>) =>
    valuesOf((await evaluate(options({ study: 'alone', vectors: join(home, 'other'), ...extra }))).results);
  assert.equal((await alone({ length: 24, dimensions: 8 })).tiny, together['tiny [24 tokens, 8 d]']);
  assert.equal((await alone({ length: 12 })).tiny, together['tiny [12 tokens]']);
  const passages = await alone({ passages: [mean], passagesOnly: true, dimensions: 4 });
  assert.equal(passages['tiny [passages mean]'], together['tiny [passages mean, 4 d]']);
  assert.equal((await alone({ models: ['lsa [8 d]'], lsaDimensions: 16 }))['lsa [8 d]'], together['lsa [8 d]']);
  assert.notEqual(together['tiny [passages max]'], together['tiny [passages mean]']);

  assert.equal((await evaluation()).computed, 0);
});

test('what is kept of the full width: the ratio of the means, with an interval around it', async () => {
  const { results } = await evaluation();
  const fused = await evaluate(
    options({ study: 'fused', models: ['lsa'], dimensions: [4, 8], lsaDimensions: 16, fuse: ['linear'] }),
  );
  const together = { ...valuesOf(results), ...valuesOf(fused.results) };
  assert.equal(results.retentions.length, 5);
  assert.deepEqual(
    fused.results.retentions.map(({ model }) => model),
    ['lsa', 'bm25+lsa (linear)'],
  );
  for (const { model, full, cut } of [...results.retentions, ...fused.results.retentions]) {
    assert.equal(full.system, model);
    assert.equal(full.dimensions, 16);
    assert.deepEqual(
      cut.map(({ dimensions }) => dimensions),
      [8, 4],
    );
    for (const { system, kept } of cut) {
      assert.ok(Math.abs(kept.value - together[system]! / together[full.system]!) < 1e-12, system);
      assert.ok(kept.lower <= kept.value && kept.value <= kept.upper);
    }
  }
});

test('a variant can be made again from its manifest, to the bit', async () => {
  const { results } = await evaluation();
  const fused = await evaluate(
    options({ study: 'fused', passages: [max], passagesOnly: true, dimensions: [4, 8], fuse: ['linear'] }),
  );
  for (const name of [
    'tiny [24 tokens, 8 d]',
    'tiny [passages mean, 4 d]',
    'lsa [4 d]',
    'bm25+tiny [passages max, 8 d] (linear)',
  ]) {
    const cell = [...results.cells, ...fused.results.cells].find((one) => systemName(one) === name)!;
    const outcome = await repeatCell(cell.manifest.cell, { platform: nodePlatform, home });
    assert.deepEqual(outcome.changed, [], name);
    assert.ok(outcome.identical, name);
  }
});

test('where all texts fit in one passage, max and mean rank as no passages do, to the bit', async () => {
  const wide: PassageOptions = { size: 128, overlap: 8, aggregate: 'max' };
  const { results } = await evaluate(
    options({
      study: 'titles',
      models: [join(home, 'long')],
      views: ['T'],
      passages: [wide, { ...wide, aggregate: 'mean' }, { ...wide, queries: 'mean' }],
    }),
  );
  const store = new CellStore(home, 'titles');
  const [plain, ...others] = await Promise.all(results.cells.map(({ manifest }) => store.rankings(manifest.cell)));
  assert.equal(others.length, 3);
  assert.equal(results.cells[0]!.cost.truncated, 0);
  for (const rankings of others) assert.deepEqual(rankings, plain);
});

test('classification reads the mean of passages and cut vectors, and leaves out what only a query can choose', async () => {
  const { results } = await evaluate(
    options({
      study: 'labels',
      tasks: ['classification'],
      probes: ['knn'],
      models: ['lsa', join(home, 'tiny')],
      dimensions: [4, 8],
      passages: [max, mean],
      lsaDimensions: 16,
    }),
  );
  const { cells } = results.classification!;
  const names = ['lsa', 'tiny'].flatMap((name) => [name, `${name} [4 d]`, `${name} [8 d]`]);
  const passages = ['tiny [passages mean]', 'tiny [passages mean, 4 d]', 'tiny [passages mean, 8 d]'];
  assert.deepEqual(new Set(cells.map(({ model }) => model)), new Set([...names, ...passages]));
  for (const name of ['tiny [passages mean, 4 d]', 'lsa [8 d]']) {
    const { manifest } = cells.find(({ model }) => model === name)!;
    const outcome = await repeatCell(manifest.cell, { platform: nodePlatform, home });
    assert.deepEqual(outcome.changed, [], name);
    assert.ok(outcome.identical, name);
  }
});
