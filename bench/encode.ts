/**
 * Encoding of real patents with all-MiniLM-L6-v2, tokenising included, against sentence-transformers on the same cores, in
 * turn: title and abstract (unequal lengths), and whole texts (of which 256 tokens are read); fp32 and int8. Prints our
 * int8's cosine to fp32 too.
 *
 * usage: npm run bench -- encode [texts=256] [rounds=3] [threads=all] [budget=2048,...] [dtype=fp32,int8] [view=TA,full]
 * Needs PATENTLAB_TEST_MODELS (a folder with all-MiniLM-L6-v2) and the ultrasound data.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { nodePlatform } from '../src/base/node/platform.ts';
import { openEncoder } from '../src/encode/index.ts';
import { loadModel, type ModelDtype } from '../src/model/index.ts';
import { missingModel, realModel } from '../test/support/models.ts';
import { titleAbstract, ultrasound, wholeText } from '../test/support/texts.ts';
import { median, report } from './support/measurement.ts';

const settings = Object.fromEntries(process.argv.slice(2).map((argument) => argument.split('=')));
const count = Number(settings.texts ?? 256);
const rounds = Number(settings.rounds ?? 3);
const threads = Number(settings.threads ?? nodePlatform.processors);
const budgets = String(settings.budget ?? '1024')
  .split(',')
  .map(Number);
const dtypes = String(settings.dtype ?? 'fp32,int8').split(',') as ModelDtype[];
const views = String(settings.view ?? 'TA,full').split(',');
const withPeer = settings.peer !== 'no';

const absent = missingModel('all-MiniLM-L6-v2');
if (absent) {
  console.error(absent);
  process.exit(1);
}
const folder = realModel('all-MiniLM-L6-v2');

/** Every n-th patent, so that all years are there. */
async function patents(view: string): Promise<string[]> {
  const all: string[] = [];
  for await (const row of ultrasound()) all.push(view === 'TA' ? titleAbstract(row) : wholeText(row));
  return Array.from({ length: count }, (_, i) => all[Math.floor((i * all.length) / count)]!);
}

interface Peer {
  seconds(texts: string[]): Promise<number>;
  close(): void;
}

async function startPeer(scratch: string): Promise<Peer> {
  const script = join(import.meta.dirname, 'peers', 'sentence_transformers_encode.py');
  const child = spawn(process.env.PATENTLAB_PYTHON ?? 'python3', [script, folder, String(threads)], {
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  if ((await answers.next()).done) throw new Error('the peer did not start: are its packages installed?');
  return {
    async seconds(texts) {
      const path = join(scratch, 'texts.json');
      writeFileSync(path, JSON.stringify(texts));
      child.stdin.write(`${path}\n`);
      return Number((await answers.next()).value);
    },
    close: () => child.stdin.end(),
  };
}

const scratch = mkdtempSync(join(tmpdir(), 'patentlab-bench-'));
const peer = withPeer ? await startPeer(scratch) : undefined;
try {
  for (const view of views) {
    const texts = await patents(view);
    const variants = await Promise.all(
      dtypes.flatMap((dtype) =>
        budgets.map(async (budget) => {
          const model = await loadModel(nodePlatform, folder, { dtype, threads });
          const encoder = await openEncoder(nodePlatform, model, { batchTokens: budget });
          const warm = await encoder.encode({ texts: texts.slice(0, 32) });
          await warm.read();
          const seconds: number[] = [];
          return { dtype, budget, model, encoder, seconds, vectors: new Float32Array() as Float32Array, tokens: 0 };
        }),
      ),
    );
    const theirs: number[] = [];
    for (let round = 0; round < rounds; round++) {
      for (const variant of variants) {
        const started = performance.now();
        const encoded = await variant.encoder.encode({ texts });
        variant.seconds.push((performance.now() - started) / 1000);
        variant.vectors = await encoded.read();
        variant.tokens = encoded.summary.tokens;
      }
      if (peer) theirs.push(await peer.seconds(texts));
    }
    const reference = peer ? median(theirs) : null;
    for (const { dtype, budget, seconds, tokens } of variants) {
      const ours = median(seconds);
      report({
        bench: 'encode',
        case: `${view}, ${dtype}, ${count} patents, ${tokens} tokens, ${threads} threads, batches of ${budget} tokens`,
        ours,
        peer: reference,
        peerName: peer ? 'sentence-transformers fp32, batches of 32' : null,
        ratio: reference === null ? null : reference / ours,
        unit: 's',
      });
    }
    const exact = variants.find(({ dtype }) => dtype === 'fp32');
    const quantised = variants.find(({ dtype }) => dtype === 'int8');
    if (exact && quantised) {
      const width = exact.model.dimensions;
      const cosines = Float64Array.from(texts, (_, row) => {
        let sum = 0;
        for (let i = row * width; i < (row + 1) * width; i++) sum += exact.vectors[i]! * quantised.vectors[i]!;
        return sum;
      }).sort();
      report({
        bench: 'encode',
        case: `${view}, cosine of int8 to fp32, 1st percentile of ${count} patents (median ${cosines[count >> 1]!.toFixed(5)})`,
        ours: cosines[Math.floor(count / 100)]!,
        peer: null,
        peerName: null,
        ratio: null,
        unit: 'cosine',
      });
    }
    for (const { encoder, model } of variants) {
      await encoder.close();
      await model.close();
    }
  }
} finally {
  peer?.close();
  rmSync(scratch, { recursive: true, force: true });
}
