/** The embedding study end to end on invented patents: expansion, resumption, sharing, controls, transfer, remedies. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { PatentlabError } from '../../src/base/errors.ts';
import { readParquet } from '../../src/base/node/parquet.ts';
import { nodePlatform } from '../../src/base/node/platform.ts';
import { silent } from '../../src/base/progress.ts';
import { holm } from '../../src/metrics/significance.ts';
import { loadModel } from '../../src/model/load.ts';
import { writeStudyReport } from '../../src/report/write.ts';
import type { EmbeddingResults } from '../../src/study/embedding/results.ts';
import { gatherStudy, planStudy, runStudy } from '../../src/study/study.ts';
import { importRows } from '../corpus/store-support.ts';
import { cli } from '../support/cli.ts';
import { inventCorpus } from '../support/invent.ts';

const home = mkdtempSync(join(tmpdir(), 'patentlab-study-'));
after(() => rmSync(home, { recursive: true, force: true }));
before(async () => {
  await inventCorpus(home, 'devices', { patents: 110 });
  await inventCorpus(home, 'robots', { landscape: 'greenhouse-robots', patents: 110 });
});

const small = '{ name: small, model: tiny, tiny: { layers: 1, hidden: 16, heads: 2, vocabulary: 500 } }';
const study = ({
  name = 'study',
  corpora = '[devices, robots]',
  recipes = '[R1]',
  seeds = '[1]',
  training = '{ steps: 2, batch: 4, maxLength: 16 }',
  more = '',
} = {}) => `kind: embedding
name: ${name}
corpora: ${corpora}
models: [${small}]
views: [T]
recipes: ${recipes}
seeds: ${seeds}
split: { by: family, test: 0.35 }
training: ${training}
baselines: [bm25, zero-shot]
resamples: 100
${more}`;
const options = (text: string, extra = {}) => ({
  platform: nodePlatform,
  home,
  file: 'study.yaml',
  text,
  threads: 1,
  device: 'cpu' as const,
  ...extra,
});
const refusal = async (work: Promise<unknown>): Promise<PatentlabError> => {
  const error = await work.then(
    () => assert.fail('not refused'),
    (found: unknown) => found,
  );
  assert.ok(error instanceof PatentlabError, String(error));
  return error;
};

const whole = study({
  recipes: '[R3, R1 shuffled]',
  seeds: '[1, 2]',
  more: 'remedies: { interpolate: [0.5], mixed: true, recipes: [R3] }\n',
});
let results: EmbeddingResults;

test('runs from corpora to results; a second run finds everything', async () => {
  const before = await planStudy(options(whole));
  // Per corpus 2 recipes x 2 seeds, and R3 on both corpora together; per seed and corpus a checkpoint half-way.
  assert.equal(before.work.filter(({ kind }) => kind === 'train').length, 2 * 2 * 2 + 2);
  assert.equal(before.work.filter(({ kind }) => kind === 'derive').length, 2 * 2);
  assert.equal(before.work.filter(({ kind }) => kind === 'evaluate').length, 2 * (2 + 10 + 4));
  assert.ok(before.work.every(({ done }) => !done) && before.seconds > 0 && before.bytes > 0);
  const run = await runStudy(options(whole));
  results = run.results;
  assert.deepEqual(run.computed, { checkpoints: 14, cells: 32 });
  assert.deepEqual(results.cells, { done: 32, total: 32 });
  const again = await runStudy(options(whole));
  assert.deepEqual(again.computed, { checkpoints: 0, cells: 0 });
  const { created: _, ...same } = again.results;
  const { created: __, ...first } = results;
  assert.deepEqual(same, first);
  const after = await planStudy(options(whole));
  assert.ok(
    after.work.every(({ done }) => done),
    JSON.stringify(after.work.find(({ done }) => !done)),
  );
  assert.deepEqual(
    after.work.flatMap(({ hash }) => hash ?? []),
    before.work.flatMap(({ hash }) => hash ?? []),
    'hashes are known before anything is trained',
  );
});

test('queries are of the test part alone, and none of them trained', () => {
  for (const { queries, split } of results.corpora) {
    assert.ok(queries! > 5 && queries! <= split!.patents.test);
    assert.ok(split!.citations.across > 0);
  }
  for (const { audit } of results.trainings) {
    assert.equal(audit.counts.judgements, 0);
    assert.ok(audit.pairs > 0);
  }
});

test('no encoder reads more of a text after training than before', () => {
  const encoders = results.manifests.filter(({ modelHash }) => modelHash !== undefined);
  assert.deepEqual([...new Set(encoders.map(({ length }) => length))], [16]);
  assert.equal(encoders.length, results.manifests.length - 2, 'all but bm25 on either corpus');
});

test('a mixed training with other data than one corpus gives is said to be so', () => {
  const pairsOn = (corpus: string) => results.trainings.find((one) => one.corpus === corpus)!.pairs;
  const together = pairsOn('all corpora');
  assert.equal(together, Math.min(pairsOn('devices'), pairsOn('robots')));
  const told = results.warnings.filter((warning) => /their comparison there is not matched/.test(warning));
  const unlike = ['devices', 'robots'].filter((corpus) => pairsOn(corpus) !== together);
  assert.deepEqual(
    told.map((warning) => /a training on (\S+) alone/.exec(warning)![1]),
    unlike,
  );
  assert.equal(unlike.length, 1, 'the two have not the same number of pairs');
});

test('all recipes of a corpus have the same pairs, steps and seeds', () => {
  assert.ok(results.matched);
  for (const own of Map.groupBy(results.trainings, ({ corpus }) => corpus).values()) {
    assert.equal(new Set(own.map(({ pairs, steps }) => `${pairs} ${steps}`)).size, 1);
    assert.ok(own.every(({ reloaded }) => reloaded <= 1e-4));
  }
});

test('the transfer matrix holds every trained system on every corpus, as its table has it', () => {
  assert.equal(results.transfer.length, 2 * (2 * 2 + 2 + 1));
  for (const { system, role, from, to, view, comparison, value, start } of results.transfer) {
    assert.ok(Math.abs(comparison.difference - (value - start)) < 1e-12);
    assert.equal(comparison.a, system);
    assert.equal(comparison.tentative, true);
    assert.ok(comparison.lower <= comparison.difference && comparison.difference <= comparison.upper);
    const table = results.comparisons.find((one) => one.corpus === to && one.view === view)!;
    const questions = [...Map.groupBy(table.pairs, ({ question }) => question).values()];
    assert.ok(questions.length > 2);
    for (const own of questions) {
      assert.deepEqual(
        own.map(({ pHolm }) => pHolm),
        holm(own.map(({ p }) => p)),
        'Holm over all pairs of a question',
      );
      assert.ok(table.resamples >= 40 * own.length);
    }
    assert.equal(from === 'all corpora', role === 'mixed');
  }
});

test('the report is one file that says what is invented and what was not shown', async () => {
  const { html, json, csv } = await writeStudyReport(join(home, 'report'), results);
  const page = readFileSync(html, 'utf8');
  for (const id of ['advice', 'summary', 'standings', 'recipes', 'transfer', 'remedies', 'trainings', 'manifests'])
    assert.match(page, new RegExp(`<section id="${id}"`));
  assert.match(page, /Invented data: says nothing about your patents/);
  assert.match(page, /advises nothing/);
  assert.doesNotMatch(page.replaceAll(/repeat [0-9a-f]{16}/g, ''), /src=|https?:\/\//);
  assert.deepEqual(JSON.parse(readFileSync(json, 'utf8')).cells, results.cells);
  assert.equal(csv.length, 4);
  const table = await readParquet(join(home, 'report', 'results.parquet'));
  assert.equal(table.value!.length, results.rows.length * 6);
});

test('weights half-way are the mean of both ends, and an adapter scaled down is the same thing', async () => {
  const text = study({
    name: 'lora',
    corpora: '[devices]',
    training: '{ steps: 2, batch: 4, maxLength: 16, rate: 1e-2, lora: { rank: 2 } }',
    more: 'remedies: { loraScale: [0.5] }\n',
  });
  const run = await runStudy(options(text));
  const scaled = run.results.systems.find(({ role }) => role === 'lora-scale')!;
  assert.equal(scaled.weight, 0.5);
  const manifests = join(home, 'runs', 'lora', 'checkpoints');
  const of = (kind: string) => {
    const found = readdirSync(manifests).find((hash) => {
      const { key } = JSON.parse(readFileSync(join(manifests, hash, 'manifest.json'), 'utf8'));
      return key.kind === kind;
    });
    return join(manifests, found!, 'checkpoint');
  };
  const ids = [Int32Array.from([2, 40, 41, 42, 3])];
  const vectors = async (folder: string, adapter?: { folder: string; factor: number }) => {
    const model = await loadModel(nodePlatform, folder, { threads: 1, ...(adapter ? { adapter } : {}) });
    const result = Float32Array.from(await model.encode(ids));
    await model.close();
    return result;
  };
  const derived = await vectors(of('derived'));
  const beside = await vectors(of('start'), { folder: join(of('training'), 'adapter'), factor: 0.5 });
  const start = await vectors(of('start'));
  const apart = (a: Float32Array, b: Float32Array) => Math.max(...a.map((value, i) => Math.abs(value - b[i]!)));
  assert.ok(apart(derived, beside) < 1e-5, String(apart(derived, beside)));
  assert.ok(apart(derived, start) > 1e-4, 'two steps moved the model');
});

test('a killed study goes on where it stopped; an edited one keeps what is still valid, and says so', async () => {
  const text = study({ name: 'edited', corpora: '[devices]', recipes: '[R1, R3]' });
  const abort = new AbortController();
  let seen = 0;
  const progress = {
    ...silent,
    say(line: string) {
      if (line.includes('nDCG@10') && ++seen === 3) abort.abort();
    },
  };
  await assert.rejects(runStudy(options(text, { progress, signal: abort.signal })), { name: 'AbortError' });
  const partly = await gatherStudy(options(text));
  assert.ok(partly.results.cells.done >= 2 && partly.results.cells.done < partly.results.cells.total);
  const { computed } = await runStudy(options(text));
  assert.ok(computed.cells < 4 && computed.cells > 0);
  const said: string[] = [];
  const wider = text.replace('seeds: [1]', 'seeds: [1, 2]');
  const widened = await runStudy(
    options(wider, { progress: { ...silent, say: (line: string) => void said.push(line) } }),
  );
  assert.equal(widened.results.trainings.length, 4);
  assert.match(said.join('\n'), /changed since it last ran: seeds \[1\] → \[1,2\]\. 2 of 4 trainings are still valid/);
  const other = await planStudy(options(text.replace('steps: 2', 'steps: 3')));
  assert.ok(other.work.filter(({ kind }) => kind === 'train').every(({ done }) => !done));
  assert.ok(other.work.filter(({ system }) => system === 'bm25').every(({ done }) => done));
});

test('a study killed in the midst of a training goes on with it, to the same bits', async () => {
  const text = (name: string) =>
    study({ name, corpora: '[devices]', training: '{ steps: 60, batch: 4, maxLength: 16 }' });
  const file = join(home, 'killed.yaml');
  writeFileSync(file, text('killed'));
  const entry = join(import.meta.dirname, '..', '..', 'bin', 'patentlab.js');
  const common = ['--home', home, '--threads', '1', '--device', 'cpu'];
  const child = spawn(process.execPath, [entry, 'study', 'run', file, ...common], { stdio: 'ignore' });
  const checkpoints = join(home, 'runs', 'killed', 'checkpoints');
  const inTraining = () =>
    existsSync(checkpoints) &&
    readdirSync(checkpoints).some((hash) => existsSync(join(checkpoints, hash, 'checkpoint.training')));
  while (!inTraining() && child.exitCode === null) await pause(20);
  child.kill('SIGKILL');
  await once(child, 'exit');
  const weights = (name: string) => {
    const folder = join(home, 'runs', name, 'checkpoints');
    const hashes = readdirSync(folder).filter((hash) => existsSync(join(folder, hash, 'manifest.json')));
    const manifests = hashes.map((hash) => JSON.parse(readFileSync(join(folder, hash, 'manifest.json'), 'utf8')));
    return manifests.find(({ training }) => training !== undefined);
  };
  assert.equal(weights('killed'), undefined);
  const { results: again } = await runStudy(options(text('killed')));
  const { results: fresh } = await runStudy(options(text('unbroken')));
  assert.equal(weights('killed').hash, weights('unbroken').hash);
  assert.equal(weights('killed').modelHash, weights('unbroken').modelHash);
  assert.deepEqual(
    again.rows.map(({ metrics }) => metrics),
    fresh.rows.map(({ metrics }) => metrics),
  );
});

test('two processes share a study and make nothing twice', async () => {
  const file = join(home, 'shared.yaml');
  writeFileSync(file, study({ name: 'shared', corpora: '[devices]', recipes: '[R1, R3]', seeds: '[1, 2]' }));
  const runs = await Promise.all(
    [1, 2].map(() => cli(['study', 'run', file, '--home', home, '--json', '--threads', '1', '--device', 'cpu'])),
  );
  for (const { code, stderr } of runs) assert.equal(code, 0, stderr);
  const [a, b] = runs.map(({ stdout }) => JSON.parse(stdout));
  assert.equal(a.computed.checkpoints + b.computed.checkpoints, 4);
  assert.equal(a.computed.cells + b.computed.cells, 2 + 4);
  assert.deepEqual(a.rows, b.rows);
  assert.deepEqual(
    readdirSync(join(home, 'runs', 'shared', 'cells')).filter((name) => name.endsWith('.lock')),
    [],
  );
});

test('processes that begin on an empty home wait for the one that imports what comes with the package', async () => {
  const file = join(home, 'builtin.yaml');
  writeFileSync(file, study({ name: 'builtin', corpora: '[{ builtin: greenhouse-robots }]' }));
  const fresh = join(home, 'fresh');
  const plans = await Promise.all(
    [1, 2, 3].map(() => cli(['study', 'plan', file, '--home', fresh, '--json', '--threads', '1', '--device', 'cpu'])),
  );
  for (const { code, stderr } of plans) assert.equal(code, 0, stderr);
  assert.deepEqual(readdirSync(join(fresh, 'corpora')), ['demo-greenhouse-robots']);
});

test('recipes with different data are refused, unless they are allowed by name', async () => {
  const text = study({ name: 'unmatched', corpora: '[devices]', recipes: '[R1, R3]', more: 'matched: false\n' });
  const { code, exitCode, details } = await refusal(planStudy(options(text)));
  assert.deepEqual([code, exitCode], ['plan.unmatched', 2]);
  assert.match(details.found!, /devices, pairs: R1 \d+, R3 \d+/);
  const { warnings } = await planStudy(options(`${text}allowUnmatched: true\n`));
  assert.match(warnings.join(), /not matched: devices: pairs: R1/);
});

test('a signal that a corpus lacks is named, and the rest of the study runs', async () => {
  const words = ['probe', 'array', 'needle', 'pump', 'rotor', 'lens', 'filter', 'valve'];
  const text = (n: number) => Array.from({ length: 30 }, (_, i) => words[(n * (i + 3) + i * i) % 8]).join(' ');
  await importRows(
    home,
    Array.from({ length: 60 }, (_, n) => ({
      id: `US${4_000_000 + n}A`,
      title: `Title ${n} ${text(n).slice(0, 30)}`,
      abstract: `Abstract ${n}. ${text(n + 7)}`,
      cites: [1, 2, 5].map((step) => `US${4_000_000 + ((n + step) % 60)}A`),
    })),
    { name: 'unlabelled' },
  );
  const file = study({ name: 'absent', corpora: '[unlabelled]', recipes: '[R2, R3]' });
  const run = await runStudy(options(file));
  assert.deepEqual(
    run.results.absent.map(({ corpus, recipe }) => [corpus, recipe]),
    [['unlabelled', 'R2']],
  );
  assert.match(run.results.absent[0]!.reason, /lacks the labels/);
  assert.equal(run.results.trainings.length, 1);
  const none = await refusal(planStudy(options(study({ name: 'none', corpora: '[unlabelled]', recipes: '[R2]' }))));
  assert.equal(none.code, 'study.signals');
});

test('a corpus that nothing learns from is tested on as a whole', async () => {
  const text = study({ name: 'tested', corpora: '[devices, { name: robots, train: false }]' });
  const { results: of } = await runStudy(options(text));
  assert.deepEqual(
    of.trainings.map(({ corpus }) => corpus),
    ['devices'],
  );
  assert.deepEqual(
    of.transfer.map(({ from, to }) => [from, to]),
    [
      ['devices', 'devices'],
      ['devices', 'robots'],
    ],
  );
  const robots = of.corpora.find(({ name }) => name === 'robots')!;
  assert.equal(robots.split, undefined);
  assert.equal(robots.queries, robots.card.queries!.used);
  assert.ok(robots.queries! > results.corpora.find(({ name }) => name === 'robots')!.queries!);
  assert.match(readFileSync((await writeStudyReport(join(home, 'tested'), of)).html, 'utf8'), /all of it is tested on/);
});

test('a model that is not here is refused, or named', async () => {
  const text = study({ name: 'missing' }).replace('models: [', 'models: [./not-there, ');
  assert.equal((await refusal(planStudy(options(text)))).code, 'study.models');
  const { missingModels, work } = await planStudy(options(`${text}missingModels: skip\n`));
  assert.deepEqual(
    missingModels.map(({ model }) => model),
    ['not-there'],
  );
  assert.ok(work.length > 0);
});

test('hard negatives and dropout make another training; negatives are of the train part, and audited', async () => {
  const negatives = (name: string, more: string) =>
    study({ name, corpora: '[devices]', training: `{ steps: 2, batch: 4, maxLength: 16${more} }` });
  const trained = async (text: string) => (await runStudy(options(text))).results.trainings[0]!;
  const [plainPlan, plan] = [
    await planStudy(options(negatives('plain', ''))),
    await planStudy(options(negatives('mined', ', dropout: 0, hardNegatives: { from: bm25, per: 2, skip: 1 }'))),
  ];
  const work = ({ work: all }: typeof plan) => all.find(({ kind }) => kind === 'train')!;
  assert.ok(work(plan).seconds > work(plainPlan).seconds, 'more texts take more time');
  const hashes = new Set<string>([work(plainPlan).hash!, work(plan).hash!]);
  for (const more of [
    ', dropout: 0',
    ', hardNegatives: { from: bm25, per: 2, skip: 1 }',
    ', hardNegatives: { from: model }',
  ])
    hashes.add(work(await planStudy(options(negatives('mined', more)))).hash!);
  assert.equal(hashes.size, 5);

  const mined = await trained(negatives('mined', ', dropout: 0, hardNegatives: { from: bm25, per: 2, skip: 1 }'));
  assert.equal(mined.hash, work(plan).hash);
  assert.deepEqual([mined.audit.counts.negatives, mined.audit.counts.judgements], [0, 0]);
  const folder = join(home, 'runs', 'mined', 'checkpoints', mined.hash, 'checkpoint');
  const { hardNegatives, settings } = JSON.parse(readFileSync(join(folder, 'training.json'), 'utf8')) as {
    hardNegatives: { perPair: number };
    settings: { dropout: number };
  };
  assert.deepEqual([hardNegatives.perPair, settings.dropout], [2, 0]);
  const plain = await trained(negatives('plain', ', dropout: 0'));
  assert.ok(mined.loss.first > plain.loss.first, 'two more negatives a pair make the choice harder');

  // Another model finds them: it counts by its weights, not by its place.
  const moved = join(home, 'moved');
  cpSync(folder, moved, { recursive: true });
  const by = async (from: string) =>
    work(await planStudy(options(negatives('mined', `, hardNegatives: { from: ${JSON.stringify(from)} }`)))).hash;
  assert.equal(await by(folder), await by(moved));
  const error = await refusal(planStudy(options(negatives('mined', ', hardNegatives: { from: ./nowhere/at-all }'))));
  assert.deepEqual([error.code, error.details.field], ['study.models', 'training.hardNegatives.from']);
});
