/** Fine-tuning from a corpus to a proven checkpoint: LoRA, hard negatives, evaluation on the way, and what is refused. */
import assert from 'node:assert/strict';
import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { nodePlatform } from '../../src/base/node/platform.ts';
import { stream } from '../../src/base/random.ts';
import { openSafetensors, readFloat32 } from '../../src/base/safetensors.ts';
import { withValidation } from '../../src/corpus/carve.ts';
import { importCorpus } from '../../src/corpus/import.ts';
import { loadRelations } from '../../src/corpus/relations.ts';
import { splitCorpus, testPart, trainPart, validationPart } from '../../src/corpus/splits.ts';
import { type Corpus, openCorpus } from '../../src/corpus/store.ts';
import { loadTextPrints } from '../../src/corpus/text-prints.ts';
import { input, openEngine } from '../../src/engine/index.ts';
import { multipleNegativesRanking } from '../../src/train/losses.ts';
import { type FinetuneOptions, finetune } from '../../src/tune/finetune.ts';
import { heldOut, logProbabilities } from '../../src/tune/held-out.ts';
import { buildPairs } from '../../src/tune/recipes.ts';
import { scratch } from '../support/scratch.ts';

const { files } = nodePlatform;
const closing: (() => unknown)[] = [];
let corpus: Corpus;
let folder = '';
/** A small encoder trained once; everything else starts from it. */
let tuned = '';

const usual = { recipe: 'R1', batchSize: 8, maxSteps: 4, maxLength: 24, threads: 1, seed: 3 } as const;
const run = (options: Omit<FinetuneOptions, 'corpus' | 'recipe'> & { recipe?: string; corpus?: Corpus }) =>
  finetune(nodePlatform, { corpus, ...usual, ...options });

before(async () => {
  folder = scratch({ after: (cleanup: () => unknown) => closing.push(cleanup) } as never);
  const sample = join(import.meta.dirname, '..', '..', 'samples', 'assistive-devices.jsonl');
  await importCorpus({ home: folder, name: 'devices', paths: [sample] });
  corpus = await openCorpus(folder, 'devices');
  tuned = join(folder, 'tuned');
  await run({ model: 'tiny', out: tuned, tiny: { layers: 1, hidden: 32 }, evaluation: { every: 2, patience: 5 } });
});
after(async () => {
  await corpus.close();
  for (const cleanup of closing) await cleanup();
});

async function weightsOf(checkpoint: string): Promise<Map<string, Float32Array>> {
  const { tensors } = await openSafetensors(files, join(checkpoint, 'model.safetensors'));
  const weights = new Map<string, Float32Array>();
  for (const [name, tensor] of tensors) weights.set(name, await readFloat32(files, tensor));
  return weights;
}

test('LoRA with hard negatives: merged checkpoint and adapter agree, other weights stay, card and record say what was done', async () => {
  const out = join(folder, 'lora');
  const result = await run({
    model: tuned,
    out: `${out}/`,
    lora: { rank: 2, dropout: 0.1, targetModules: ['query', 'value'] },
    learningRate: 1e-2,
    hardNegatives: { by: 'bm25', skip: 1, perPair: 2 },
    evaluation: { every: 2 },
  });
  assert.equal(result.checkpoint, out);
  assert.ok(result.reloaded.maxDifference <= 1e-4 && result.reloaded.adapter! <= 1e-5);
  assert.deepEqual([result.audit.clean, result.hardNegatives?.perPair], [true, 2]);
  assert.ok(!existsSync(`${out}.training`));
  const [before, merged] = [await weightsOf(tuned), await weightsOf(out)];
  const changed = [...merged].filter(([name, values]) => values.some((value, i) => value !== before.get(name)![i]));
  assert.deepEqual(
    changed.map(([name]) => name.replace(/^.*self\./, '')),
    ['query.weight', 'value.weight'],
  );
  const config = JSON.parse(readFileSync(join(out, 'adapter', 'adapter_config.json'), 'utf8'));
  assert.deepEqual([config.r, config.lora_dropout, config.base_model_name_or_path], [2, 0.1, tuned]);

  const { validation, comparison } = result;
  assert.ok(validation !== undefined && comparison !== undefined);
  assert.deepEqual(
    validation.scores.map(({ step }) => step),
    [2, 4],
  );
  assert.equal(Math.max(...validation.scores.map(({ score }) => score)), validation.best.score);
  assert.deepEqual([validation.best.step, comparison.part], [result.step, 'test']);
  assert.ok(Math.abs(comparison.trained.value - comparison.start.value - comparison.difference) < 1e-12);
  assert.ok(comparison.lower <= comparison.difference && comparison.difference <= comparison.upper);
  const record = JSON.parse(readFileSync(join(out, 'training.json'), 'utf8'));
  assert.deepEqual(record.validation, validation);
  assert.deepEqual([record.losses.length, record.comparison.verdict], [4, comparison.verdict]);
  const card = readFileSync(join(out, 'README.md'), 'utf8');
  assert.match(card, /with LoRA on pairs of recipe R1.*hard negatives by bm25/);
  assert.match(card, /\| validation ndcg@10 before training \| 0\.\d+ \|/);
});

test('stopped and given again, a training with validation and negatives by a model ends as if it had never stopped', async () => {
  const options = {
    model: tuned,
    hardNegatives: { by: 'model', skip: 1 },
    evaluation: { every: 2 },
  } as const;
  const whole = await run({ ...options, out: join(folder, 'whole') });
  const out = join(folder, 'stopped');
  const stop = new AbortController();
  const progress = {
    begin: () => ({ advance() {}, total() {}, finish() {} }),
    say: (line: string) => void (line.startsWith('step 2:') && stop.abort()),
  };
  await assert.rejects(run({ ...options, out, progress, signal: stop.signal }), { name: 'AbortError' });
  assert.ok(!existsSync(out));
  await assert.rejects(run({ ...options, out, learningRate: 1e-3 }), { code: 'train.settings' });
  const resumed = await run({ ...options, out });
  assert.deepEqual(
    resumed.records.map(({ loss }) => loss),
    whole.records.map(({ loss }) => loss),
  );
  assert.deepEqual(resumed.validation, whole.validation);
  assert.deepEqual(await weightsOf(out), await weightsOf(join(folder, 'whole')));
});

test('bad input is one clear error, and what is there stays', async () => {
  const out = (name: string) => join(folder, name);
  const cases: [string, Parameters<typeof run>[0]][] = [
    ['model.folder-exists', { model: tuned, out: tuned }],
    ['plan.batch', { model: tuned, out: out('e1'), batchSize: 100_000 }],
    ['plan.steps', { model: tuned, out: out('e2'), epochs: 2 }],
    ['finetune.lora', { model: 'tiny', out: out('e3'), lora: {} }],
    ['model.lora', { model: tuned, out: out('e4'), lora: { targetModules: ['q_proj'] } }],
    ['negatives.setting', { model: tuned, out: out('e5'), hardNegatives: { by: 'bm25', perPair: 0 } }],
    ['negatives.none', { model: tuned, out: out('e6'), hardNegatives: { by: 'bm25', skip: 10_000 } }],
    ['finetune.evaluation', { model: tuned, out: out('e7'), evaluation: { every: 9 } }],
    ['recipe.category', { model: tuned, out: out('e8'), recipe: 'R3', recipeOptions: { citationCategories: ['X'] } }],
    ['relevance.filter', { model: tuned, out: out('e9'), recipeOptions: { citationCategories: ['Q'] } }],
  ];
  for (const [code, options] of cases) await assert.rejects(run(options), { code }, code);
  writeFileSync(out('file'), 'mine');
  await assert.rejects(run({ model: tuned, out: out('file') }), { code: 'model.folder-exists' });
  await assert.rejects(run({ model: tuned, out: join(out('file'), 'under') }), { code: 'disk.kind' });
  assert.equal(readFileSync(out('file'), 'utf8'), 'mine');

  const foreign = out('foreign');
  cpSync(tuned, foreign, { recursive: true });
  const config = JSON.parse(readFileSync(join(foreign, 'config.json'), 'utf8'));
  writeFileSync(join(foreign, 'config.json'), JSON.stringify({ ...config, model_type: 't5' }));
  await assert.rejects(run({ model: foreign, out: out('e10') }), { code: 'model.architecture' });
  assert.deepEqual(
    readdirSync(folder).filter((name) => /^e\d+$/.test(name)),
    [],
  );
});

test('a loss that is no number stops the training and keeps the last good state', async () => {
  const out = join(folder, 'diverged');
  const options = { model: tuned, out, schedule: { kind: 'constant' }, learningRate: 1e30 } as const;
  await assert.rejects(run(options), { code: 'train.finite' });
  const state = JSON.parse(readFileSync(join(`${out}.training`, 'state', 'state.json'), 'utf8'));
  const { tensors } = await openSafetensors(files, join(`${out}.training`, 'state', state.file));
  assert.ok(tensors.size > 0 && state.records.count === state.step && !existsSync(out));
});

test('a validation part is taken from families that train; the test part stays as it was', async () => {
  const relations = await loadRelations(corpus);
  const prints = await loadTextPrints(corpus);
  const split = await splitCorpus(corpus, { by: 'family', seed: 1, validation: 0 }, { relations, prints });
  const carved = withValidation(split, { relations, prints, seed: 4 });
  const partOfGroup = new Map<number, number>();
  for (const [row, part] of carved.part.entries()) {
    if (split.part[row] !== trainPart) assert.equal(part, split.part[row]);
    else assert.ok(part === trainPart || part === validationPart);
    assert.equal(partOfGroup.get(split.group[row]!) ?? part, part, 'a group stays whole');
    partOfGroup.set(split.group[row]!, part);
  }
  assert.ok(carved.summary.patents.validation > 0);
  assert.equal(carved.summary.patents.test, split.part.filter((part) => part === testPart).length);
  assert.equal(withValidation(carved, { relations, prints, seed: 9 }), carved);

  const all = await buildPairs('R1', { corpus, relations, split, prints }, { seed: 1 });
  const some = await buildPairs('R1', { corpus, relations, split, prints }, { seed: 1, citationCategories: ['x'] });
  assert.ok(some.pairs.length > 0 && some.pairs.length < all.pairs.length);
  const keys = new Set(Array.from({ length: all.pairs.length }, (_, i) => all.pairs.key(i)));
  for (let i = 0; i < some.pairs.length; i++) assert.ok(keys.has(some.pairs.key(i)));
});

test('without citations held-out pairs are scored: minus the loss of the batch, one value a pair', async () => {
  const [n, width, scale] = [5, 8, 20];
  const random = stream(2, 'vectors');
  const draw = () => Float32Array.from({ length: n * width }, () => random.normal());
  const unit = (vectors: Float32Array) =>
    vectors.map((value, i) => {
      const row = vectors.subarray(width * Math.floor(i / width), width * (Math.floor(i / width) + 1));
      return value / Math.hypot(...row);
    });
  const [anchors, positives] = [unit(draw()), unit(draw())];
  const mask = new Uint8Array(n * n);
  mask[1] = mask[n * 3 + 2] = 1;
  const shape = [n, width];
  const engine = await openEngine(nodePlatform, { threads: 1 });
  const loss = multipleNegativesRanking(input('a', 'float32', shape), input('p', 'float32', shape), {
    scale,
    falseNegatives: input('mask', 'bool', [n, n]),
  });
  const program = await engine.compile({ loss });
  const values = logProbabilities(anchors, positives, mask, scale);
  const { loss: expected } = await program.run({
    a: { data: anchors.slice(), shape },
    p: { data: positives.slice(), shape },
    mask: { data: mask, shape: [n, n] },
  });
  await engine.close();
  assert.ok(Math.abs(values.reduce((a, b) => a + b) / n + expected!.floats[0]!) < 1e-5);

  const relations = await loadRelations(corpus);
  const prints = await loadTextPrints(corpus);
  const split = await splitCorpus(corpus, { by: 'family', seed: 1 }, { relations, prints });
  const silent = {
    ...relations,
    cites: { ...relations.cites, targets: relations.cites.targets.map(() => -1) },
    citedBy: { ...relations.citedBy, targets: relations.citedBy.targets.map(() => -1) },
  };
  const task = await heldOut({
    ...{ corpus, relations: silent, split, prints, part: 'validation', recipe: 'R3', recipeOptions: { seed: 1 } },
    ...{ batchSize: 8, seed: 1, view: 'TA', maskCitations: false, documents: 2000, scale },
  });
  assert.ok(typeof task !== 'string' && task.metric === 'log-probability');
  const { queries, documents } = await task.texts();
  assert.deepEqual([queries.length, documents.length, task.clusters.length], [task.count, task.count, task.count]);
});
