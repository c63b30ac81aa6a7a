/** Tasks and their data: definitions, files by layout, what counts, errors with file, field, expected and found. */
import assert from 'node:assert/strict';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { writeParquet } from '../../../src/base/node/parquet.ts';
import { nodePlatform } from '../../../src/base/node/platform.ts';
import { loadClassification } from '../../../src/study/mteb/classification.ts';
import { namedPrompt } from '../../../src/study/mteb/encoder.ts';
import { loadRetrieval } from '../../../src/study/mteb/retrieval.ts';
import { chooseFiles, locateData } from '../../../src/study/mteb/tables.ts';
import {
  type ClassificationTask,
  loadMtebTasks,
  parseMtebTasks,
  type RetrievalTask,
} from '../../../src/study/mteb/tasks.ts';
import { localHub } from '../../hub/local-hub.ts';
import { writeDapfam, writePatentClassification } from '../../support/mteb-data.ts';
import { scratch } from '../../support/scratch.ts';

const known = await loadMtebTasks(nodePlatform);
const retrieval = (name: string) => known.find(name) as RetrievalTask;
const classification = known.find('PatentClassification') as ClassificationTask;

async function dataOf(name: string, data: string) {
  const task = known.find(name);
  return locateData(task, known.datasetOf(task), { home: join(data, 'home'), data });
}

test('the tasks: 18 of DAPFAM and 18 of NanoDAPFAM, in domains and texts as their names say', () => {
  const all = known.tasks.filter(({ data }) => data === 'dapfam') as RetrievalTask[];
  assert.equal(all.length, 18);
  const sections = { TitlAbs: 2, TitlAbsClm: 3, FullText: 4 };
  for (const { name, relations, queries, corpus, expected, mainScore } of all) {
    const [, domain, from, to] =
      /^DAPFAM(All|In|Out)(TitlAbs|TitlAbsClm)To(TitlAbs|TitlAbsClm|FullText)Retrieval$/.exec(name)!;
    assert.equal(relations.where.domain_rel, domain === 'All' ? undefined : domain!.toUpperCase());
    assert.equal(queries.text.length, sections[from as keyof typeof sections]);
    assert.equal(1 + corpus.text.length, sections[to as keyof typeof sections]);
    assert.equal(expected.positives, { All: 24929, In: 19736, Out: 5193 }[domain!]);
    assert.equal(mainScore, 'ndcg_at_100');
    const nano = retrieval(`Nano${name.replace('Retrieval', '')}`);
    assert.ok(nano.inferred !== undefined && nano.split === nano.name);
  }
  assert.throws(() => known.find('BigPatentCluster'), { code: 'mteb.task', message: /there is no task/ });
});

test('a file of tasks that is wrong', () => {
  const text = 'version: "1"\nmteb: "2"\n';
  assert.throws(() => parseMtebTasks('a: [', 'own.yaml'), { code: 'mteb.yaml' });
  assert.throws(() => parseMtebTasks(text, 'own.yaml'), { code: 'mteb.field' });
  const packaged = readFileSync(join(import.meta.dirname, '../../../src/study/mteb/tasks.yaml'), 'utf8');
  const wrong = packaged.replace('data: big-patent-sets', 'data: dapfam');
  assert.throws(() => parseMtebTasks(wrong, 'own.yaml'), {
    code: 'mteb.field',
    message: /a table that its data set has not/,
  });
});

test('files by the first pattern that fits, all parts in order', () => {
  const task = known.find('BigPatentClustering.v2');
  const names = ['README.md', 'data/test-00001-of-00002.parquet', 'data/test-00000-of-00002.parquet', 'test.parquet'];
  assert.deepEqual(chooseFiles(task, known.datasetOf(task), names).files, {
    test: ['data/test-00000-of-00002.parquet', 'data/test-00001-of-00002.parquet'],
  });
  const nano = known.find('NanoDAPFAMInTitlAbsToTitlAbs');
  const parts = ['corpus', 'queries', 'qrels'].map((part) => `${part}/NanoDAPFAMInTitlAbsToTitlAbs.parquet`);
  const others = parts.map((part) => part.replace('TitlAbs.', 'TitlAbsClm.'));
  assert.deepEqual(Object.values(chooseFiles(nano, known.datasetOf(nano), [...others, ...parts]).files).flat(), parts);
  assert.equal(chooseFiles(nano, known.datasetOf(nano), others).missing, 'corpus');
});

test('retrieval: relevant pairs by domain, texts by name of the task', async (t) => {
  const folder = scratch(t);
  await writeDapfam(folder);
  const read = async (name: string) => loadRetrieval(retrieval(name), await dataOf(name, folder));
  const all = await read('DAPFAMAllTitlAbsToTitlAbsRetrieval');
  const within = await read('DAPFAMInTitlAbsToTitlAbsRetrieval');
  const outside = await read('DAPFAMOutTitlAbsClmToFullTextRetrieval');
  assert.equal(within.found.positives! + outside.found.positives!, all.found.positives);
  assert.deepEqual(all.found, { queries: 11, corpus: 40, positives: 37 });
  assert.ok(!all.queries.ids.includes('q11'), 'a query without a relevant document');
  assert.match(all.queries.texts[0]!, /^walking frame\n\w+/);
  assert.equal(all.queries.texts[0]!.split('\n').length, 2);
  assert.equal(outside.queries.texts[0]!.split('\n').length, 3);
  const texts: string[] = [];
  for await (const text of outside.texts()) texts.push(text);
  assert.equal(texts.length, 40);
  assert.match(texts[1]!, /^ultrasonic transducer \w+ [^\n]*\n1\. A [^\n]*\n[^\n]*$/, 'the title before a blank');
});

test('retrieval: an id that stands twice means its last row, an empty title leaves no blank', async (t) => {
  const folder = scratch(t);
  const lines = (name: string, rows: object[]) =>
    writeFileSync(join(folder, name), rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  const patent = (title_en: string | null, abstract_en: string) => ({ title_en, abstract_en });
  lines('corpus.jsonl', [
    { relevant_id: 'a', ...patent('first', 'old') },
    { relevant_id: 'b', ...patent(null, ' other ') },
    { relevant_id: 'a', ...patent('', 'new') },
  ]);
  lines('queries.jsonl', [
    { query_id: 1, ...patent('t', '') },
    { query_id: 2, ...patent('u', 'v') },
  ]);
  lines('qrels_all.jsonl', [
    { query_id: 1, relevant_id: 'a', relevance_score: 1, domain_rel: 'IN' },
    { query_id: 2, relevant_id: 'a', relevance_score: 1, domain_rel: 'IN' },
    { query_id: 2, relevant_id: 'a', relevance_score: 0, domain_rel: 'IN' },
    { query_id: 3, relevant_id: 'a', relevance_score: 1, domain_rel: 'IN' },
  ]);
  const name = 'DAPFAMInTitlAbsToTitlAbsRetrieval';
  const { documents, queries, judgements, texts } = await loadRetrieval(retrieval(name), await dataOf(name, folder));
  assert.deepEqual(queries, { ids: ['1'], texts: ['t'] });
  assert.deepEqual([...judgements], [['1', new Map([['a', 1]])]]);
  const read: string[] = [];
  for await (const text of texts()) read.push(text);
  assert.deepEqual(
    [documents, read],
    [
      ['b', 'a'],
      ['other', 'new'],
    ],
  );
});

test('what is wrong is said with file, field, expected and found', async (t) => {
  const folder = scratch(t);
  await writePatentClassification(folder);
  const train = join(folder, 'train.jsonl');
  const load = async () => loadClassification(classification, await dataOf(classification.name, folder));
  assert.deepEqual((await load()).found, { train: 120, test: 60, labels: 4 });
  const cases: [string, { code: string; details: Record<string, unknown> }][] = [
    [
      '{"text":"a","label":1}\n{"text":"b"}\n',
      { code: 'mteb.column', details: { file: train, line: 2, field: 'label', found: 'text' } },
    ],
    [
      '{"text":"a","label":null}\n',
      { code: 'mteb.value', details: { file: train, line: 1, field: 'label', found: 'null' } },
    ],
    ['{"text":"a",\n', { code: 'mteb.row', details: { file: train, line: 1 } }],
    ['{"text":"a","label":1}\n', { code: 'mteb.labels', details: { file: train, field: 'label', found: '1' } }],
    ['', { code: 'mteb.rows', details: { file: train } }],
  ];
  for (const [content, { code, details }] of cases) {
    writeFileSync(train, content);
    await assert.rejects(load(), (error: Error & { code: string; details: Record<string, unknown> }) => {
      assert.equal(error.code, code, error.message);
      for (const [key, value] of Object.entries(details)) assert.equal(error.details[key], value, `${code}: ${key}`);
      return true;
    });
  }
  const parquet = join(folder, 'data', 'test-00000-of-00001.parquet');
  await writeParquet(parquet, [{ name: 'text', type: 'VARCHAR', values: ['a'] }]);
  writeFileSync(train, '{"text":"a","label":1}\n{"text":"b","label":0}\n');
  await assert.rejects(load(), (error: Error & { code: string; details: Record<string, string> }) => {
    assert.deepEqual([error.code, error.details.file], ['mteb.column', parquet]);
    assert.deepEqual([error.details.field, error.details.found], ['label', 'text']);
    return true;
  });
  renameSync(train, join(folder, 'training.txt'));
  await assert.rejects(load(), (error: Error & { code: string; details: Record<string, string> }) => {
    assert.equal(error.code, 'mteb.files');
    assert.match(error.details.expected!, /data\/train\*\.parquet/);
    assert.match(error.details.found!, /training\.txt/);
    return true;
  });
  await assert.rejects(dataOf(classification.name, join(folder, 'nowhere')), { code: 'mteb.folder' });
});

test('data from a hub, without a folder', async (t) => {
  const home = scratch(t);
  const rows = (label: number) => `{"text":"a","label":${label}}\n{"text":"b","label":${1 - label}}\n`;
  const files = {
    'train.jsonl': Buffer.from(rows(1)),
    'test.jsonl': Buffer.from(rows(0)),
    'other.bin': Buffer.from('x'),
  };
  const dataset = known.datasetOf(classification);
  const hub = await localHub(t, dataset.path, files, { kind: 'dataset', revision: dataset.revision });
  const env = { HF_ENDPOINT: hub.endpoint, HF_HOME: join(home, 'none') };
  const data = await locateData(classification, dataset, { home, env });
  assert.equal(data.commit, hub.commit);
  assert.deepEqual((await loadClassification(classification, data)).found, { train: 2, test: 2, labels: 2 });
  assert.ok(!hub.log.some((line) => line.includes('other.bin')));
  const again = await locateData(classification, dataset, { home, env, offline: true });
  assert.equal(again.folder, data.folder);
});

test('prompts: of the task and role, the task, the type and role, the type, the role', () => {
  const task = retrieval('DAPFAMAllTitlAbsToTitlAbsRetrieval');
  const named: Record<string, string> = {
    [`${task.name}-query`]: '1',
    [task.name]: '2',
    'Retrieval-query': '3',
    Retrieval: '4',
    query: '5',
  };
  for (const [key, prompt] of Object.entries(named)) {
    assert.equal(namedPrompt(named, task, 'query'), prompt);
    delete named[key];
  }
  assert.equal(namedPrompt({ query: 'q' }, task), undefined);
  assert.equal(namedPrompt({ Classification: 'c' }, classification), 'c');
});
