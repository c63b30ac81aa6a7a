/**
 * LSA against scikit-learn on the same token ids, in turn: counting, TF-IDF, truncated SVD to 256 dimensions and the
 * vectors of all documents. Prints to stderr how much of the matrix (the sum of squared singular values) each one found.
 *
 *   npm run bench -- lsa [rounds]
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { LsaBuilder } from '../src/encode/lsa.ts';
import { WordAnalyser } from '../src/tokenizer/words.ts';
import { missing, realData } from '../test/support/data.ts';
import { median, report } from './support/measurement.ts';

const rounds = Number(process.argv[2] ?? 3);
const absent = missing('ultrasound_us.jsonl.gz', 'drones_title_ipc.jsonl.gz');
if (absent) {
  console.error(absent);
  process.exit(1);
}

function read(name: string): Record<string, string | null>[] {
  const lines = gunzipSync(readFileSync(realData(name)))
    .toString()
    .trim()
    .split('\n');
  return lines.map((line) => JSON.parse(line) as Record<string, string | null>);
}

const corpora: Record<string, () => string[]> = {
  '1,252 full texts': () =>
    read('ultrasound_us.jsonl.gz').map(
      ({ title, abstract, text }) => `${title ?? ''}\n${abstract ?? ''}\n${text ?? ''}`,
    ),
  '48,873 titles': () => read('drones_title_ipc.jsonl.gz').map(({ title }) => title ?? ''),
};

const folder = mkdtempSync(join(tmpdir(), 'patentlab-bench-'));
for (const [name, texts] of Object.entries(corpora)) {
  const analyser = new WordAnalyser();
  const documents = texts().map((text) => analyser.analyse(text));
  const path = join(folder, 'ids.bin');
  const parts = [Int32Array.of(documents.length, ...documents.map((ids) => ids.length)), ...documents];
  writeFileSync(
    path,
    Buffer.concat(parts.map((part) => new Uint8Array(part.buffer, part.byteOffset, part.byteLength))),
  );
  const [ours, theirs]: [number[], number[]] = [[], []];
  let version = '';
  for (let round = 0; round < rounds; round++) {
    const started = performance.now();
    const builder = new LsaBuilder({ seed: 1 });
    for (const ids of documents) builder.add(ids);
    const model = builder.fit();
    model.encodeAll(documents);
    ours.push((performance.now() - started) / 1000);
    const peer = spawnSync(
      process.env.PATENTLAB_PYTHON ?? 'python3',
      [join(import.meta.dirname, 'peers', 'lsa.py'), path],
      {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    if (peer.status !== 0) throw new Error('the peer failed: set PATENTLAB_PYTHON to a Python that has scikit-learn');
    const answer = JSON.parse(peer.stdout) as { seconds: number; energy: number; version: string };
    theirs.push(answer.seconds);
    version = answer.version;
    const energy = model.singularValues.reduce((sum, value) => sum + value * value, 0);
    if (round === 0)
      console.error(
        `${name}: energy ${energy.toFixed(1)}, scikit-learn's ${answer.energy.toFixed(1)}; model ${(model.bytes / 1e6).toFixed(1)} MB`,
      );
  }
  const [mine, peer] = [median(ours), median(theirs)];
  report({
    bench: 'lsa',
    case: name,
    ours: mine,
    peer,
    peerName: `scikit-learn ${version}`,
    ratio: peer / mine,
    unit: 's',
  });
}
rmSync(folder, { recursive: true, force: true });
