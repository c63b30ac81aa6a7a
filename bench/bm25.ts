/**
 * BM25 against bm25s with numba on one thread, on the same token ids, interleaved: building the index, and searching with
 * whole patents and with abstracts as queries.
 *
 *   npm run bench -- bm25 [rounds] [part of a case's name]
 *
 * Cases: `full-1252` (full texts find full texts), `full-10k` (the same, eight times over with a twentieth of the words
 * renamed in each copy), `abstracts-10k` (abstracts of all fields). bm25s is timed inside Python, without reading the ids.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { gunzipSync } from 'node:zlib';
import { Bm25Builder, type Bm25Index } from '../src/retrieve/bm25.ts';
import { WordAnalyser } from '../src/tokenizer/words.ts';
import { missing, realData } from '../test/support/data.ts';
import { median, report } from './support/measurement.ts';

const rounds = Number(process.argv[2] ?? 5);
const wanted = process.argv[3] ?? '';
const absent = missing('ultrasound_us.jsonl.gz', 'us_abstracts_10k.jsonl.gz');
if (absent) {
  console.error(absent);
  process.exit(1);
}
const folder = mkdtempSync(join(tmpdir(), 'patentlab-bench-'));

// The peer ---------------------------------------------------------------------------------------------------------

const peer = spawn(process.env.PATENTLAB_PYTHON ?? 'python3', [join(import.meta.dirname, 'peers', 'bm25s_numba.py')], {
  stdio: ['pipe', 'pipe', 'inherit'],
});
const answers = createInterface({ input: peer.stdout })[Symbol.asyncIterator]();
async function ask(job: object): Promise<{ seconds: number; top: number; version: string }> {
  peer.stdin.write(`${JSON.stringify(job)}\n`);
  const { value, done } = await answers.next();
  if (done) throw new Error('bm25s left: set PATENTLAB_PYTHON to a Python that has bm25s and numba');
  return JSON.parse(value) as { seconds: number; top: number; version: string };
}

function write(name: string, documents: readonly Int32Array[]): string {
  const path = join(folder, name);
  const parts = [Int32Array.of(documents.length, ...documents.map((ids) => ids.length)), ...documents];
  writeFileSync(
    path,
    Buffer.concat(parts.map((part) => new Uint8Array(part.buffer, part.byteOffset, part.byteLength))),
  );
  return path;
}

// The data ---------------------------------------------------------------------------------------------------------

function read<T>(name: string): T[] {
  const lines = gunzipSync(readFileSync(realData(name)))
    .toString()
    .trim()
    .split('\n');
  return lines.map((line) => JSON.parse(line) as T);
}

const patents = read<{ title?: string; abstract?: string; text?: string }>('ultrasound_us.jsonl.gz');
const abstracts = read<{ abstract_en?: string }>('us_abstracts_10k.jsonl.gz');

function cases(): { name: string; documents: Int32Array[]; queries: Int32Array[]; k: number }[] {
  const words = new WordAnalyser();
  const full = patents.map(({ title, abstract, text }) =>
    words.analyse(`${title ?? ''}\n${abstract ?? ''}\n${text ?? ''}`),
  );
  const heads = patents.map(({ title, abstract }) =>
    words.analyse(`${title ?? ''}\n${abstract ?? ''}`, { grow: false }),
  );
  const copies = Array.from({ length: 8 }, (_, copy) =>
    full.map((ids) => ids.map((id, i) => ((i * 31 + copy) % 20 === 0 ? (id * 7 + copy * 1013) % words.size : id))),
  ).flat();
  const short = new WordAnalyser();
  const tens = abstracts.map(({ abstract_en }) => short.analyse(abstract_en ?? ''));
  const some = <T>(list: T[], count: number) => list.filter((_, i) => i % Math.ceil(list.length / count) === 0);
  const notEmpty = (list: Int32Array[]) => list.filter((ids) => ids.length > 0);
  return [
    { name: 'full-1252, queries of full text', documents: full, queries: some(notEmpty(full), 200), k: 1000 },
    { name: 'full-1252, queries of title and abstract', documents: full, queries: notEmpty(heads), k: 1000 },
    { name: 'full-10k, queries of full text', documents: copies, queries: some(notEmpty(full), 100), k: 1000 },
    { name: 'abstracts-10k, queries of abstracts', documents: tens, queries: some(notEmpty(tens), 2000), k: 1000 },
    { name: 'abstracts-10k, best 100', documents: tens, queries: some(notEmpty(tens), 2000), k: 100 },
  ];
}

function compare(name: string, ours: number[], theirs: number[], version: string, count: number, unit: string): void {
  const [mine, peer] = [count / median(ours), count / median(theirs)];
  const peerName = `bm25s ${version}, numba, 1 thread`;
  report({ bench: 'bm25', case: name, ours: mine, peer, peerName, ratio: mine / peer, unit });
}

let built = '';
let index: Bm25Index | undefined;
let corpusPath = '';
for (const { name, documents, queries, k } of cases().filter(({ name }) => name.includes(wanted))) {
  const corpus = name.split(',')[0]!;
  if (corpus !== built) {
    built = corpus;
    corpusPath = write(`${corpus}.bin`, documents);
    const [ours, theirs]: [number[], number[]] = [[], []];
    let version = '';
    for (let round = 0; round < Math.min(3, rounds); round++) {
      const started = performance.now();
      const builder = new Bm25Builder();
      for (const ids of documents) builder.add(ids);
      index = builder.finish();
      ours.push((performance.now() - started) / 1000);
      const answer = await ask({ index: corpusPath });
      theirs.push(answer.seconds);
      version = answer.version;
    }
    compare(`${corpus}, build`, ours, theirs, version, documents.length, 'documents/s');
    console.error(`${corpus}: ${index!.postings} postings, ${(index!.bytes / 1e6).toFixed(1)} MB`);
  }
  const queryPath = write(`${name.replaceAll(/[^a-z0-9]+/g, '-')}-queries.bin`, queries);
  const [ours, theirs]: [number[], number[]] = [[], []];
  let version = '';
  for (let round = 0; round <= rounds; round++) {
    const started = performance.now();
    let top = 0;
    for (const { scores } of index!.searchAll(queries, { k })) top += scores[0] ?? 0;
    const seconds = (performance.now() - started) / 1000;
    const answer = await ask({ search: queryPath, k });
    if (Math.abs(top / answer.top - 1) > 1e-4) throw new Error(`${name}: best scores differ, ${top} and ${answer.top}`);
    version = answer.version;
    if (round === 0) continue; // both sides warm up
    ours.push(seconds);
    theirs.push(answer.seconds);
  }
  compare(name, ours, theirs, version, queries.length, 'queries/s');
}
peer.stdin.end();
rmSync(folder, { recursive: true, force: true });
