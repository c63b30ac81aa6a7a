/** Memory of an import does not grow with the corpus: 500,000 invented patents in a process of its own. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { stream } from '../../src/base/random.ts';
import { openCorpus } from '../../src/corpus/store.ts';
import { scratch } from '../support/scratch.ts';

const patents = 500_000;
const words = 'holder frame control unit sensor valve wheel motor lens housing spring lever joint cable pump'.split(
  ' ',
);

/** Short invented patents with three citations each, one of them inside the set as a rule. */
async function writeSource(path: string): Promise<void> {
  const random = stream(5, 'memory');
  const file = createWriteStream(path);
  const text = (length: number) => Array.from({ length }, () => random.pick(words)).join(' ');
  for (let i = 0; i < patents; i++) {
    const line = JSON.stringify({
      id: `US${4_000_000 + i}A`,
      title: `${text(4)} ${i}`,
      abstract: text(40),
      cpc: [`A61B${1 + random.integer(90)}/00`],
      cites: [
        `US${4_000_000 + random.integer(patents)}A`,
        `US${5_000_000 + random.integer(4_000_000)}B2`,
        `EP${random.integer(3_000_000)}A1`,
      ],
      filing_date: `19${70 + random.integer(30)}-0${1 + random.integer(9)}-11`,
    });
    if (!file.write(`${line}\n`)) await once(file, 'drain');
  }
  file.end();
  await once(file, 'close');
}

test('import of 500,000 patents: under 2 GB and flat from 100,000 on', async (t) => {
  const home = scratch(t);
  const source = join(home, 'source.jsonl');
  await writeSource(source);
  const started = performance.now();
  const child = spawn(process.execPath, [join(import.meta.dirname, 'memory-child.ts'), home, source], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  const [code] = (await once(child, 'close')) as [number];
  assert.equal(code, 0);
  const samples = output
    .trim()
    .split('\n')
    .map((line) => line.split(' ').map(Number) as [rows: number, rss: number]);
  // The heap swells and shrinks with the collector: what a stretch needs is the most seen in it, its middle shows a drift.
  const from = (first: number, last: number) =>
    samples.flatMap(([rows, rss]) => (rows >= first && rows < last ? [rss] : [])).sort((a, b) => a - b);
  const median = (values: number[]) => values[values.length >> 1]!;
  const most = (values: number[]) => values[values.length - 1]!;
  const first = from(50_000, 150_000);
  const windows = [150_000, 250_000, 350_000, 450_000].map((start) => from(start, start + 100_000));
  const end = from(patents, patents + 1);
  const megabytes = (bytes: number) => (bytes / 1e6).toFixed(0);
  const shown = [first, ...windows, end].map((values) => `${megabytes(median(values))} (${megabytes(most(values))})`);
  const peak = Math.max(...samples.map(([, rss]) => rss));
  t.diagnostic(
    `${((performance.now() - started) / 1000).toFixed(0)} s; MB, median (most): ${shown.join(', ')}; of the whole run ${megabytes(peak)}`,
  );
  assert.ok(peak < 2e9);
  for (const later of [...windows, end])
    assert.ok(median(later) <= 1.1 * median(first), 'grows by more than 10 % after 100,000 patents');
  assert.ok(peak <= 1.1 * most(first), 'needs more than 10 % above what 100,000 patents do');
  const corpus = await openCorpus(home, 'mine');
  assert.equal(corpus.size, patents);
  await corpus.close();
});
