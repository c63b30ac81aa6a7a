/**
 * The engine on the shape of MiniLM-L6 (6 layers, 384 wide, 12 heads, 1536 within) over 16 sequences of 128 tokens, 45.9
 * GFLOP: float32 and 8-bit, by threads, weights at random. The peer, where PATENTLAB_PYTHON has transformers, is
 * its BertModel of the same shape; runs alternate, medians count.
 *
 *   npm run bench -- engine [rounds]
 *
 * Beside the times: session creation, and whether 10 runs gave the same bytes.
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { nodePlatform } from '../src/base/node/platform.ts';
import { stream } from '../src/base/random.ts';
import {
  add,
  attention,
  type Engine,
  gather,
  gelu,
  input,
  layerNorm,
  linear,
  linearInt8,
  openEngine,
  type ParameterValue,
  parameter,
  quantiseWeight,
  segmentMean,
  sequenceFeeds,
  sequenceInputs,
  type Tensor,
} from '../src/engine/index.ts';
import { median, report } from './support/measurement.ts';

const rounds = Number(process.argv[2] ?? 11);
const [layers, hidden, heads, inner, vocabulary, batch, seq] = [6, 384, 12, 1536, 30522, 16, 128];

// A position-wise product costs 2 · in · out a token; scores and their sum cost 4 · seq · hidden a token.
const perToken = layers * (2 * hidden * (4 * hidden + 2 * inner) + 4 * seq * hidden);
const gigaflop = (perToken * batch * seq) / 1e9;

function miniLm(int8: boolean): { outputs: Record<string, Tensor>; parameters: Map<string, ParameterValue> } {
  const random = stream(1, 'bench', 'engine');
  const parameters = new Map<string, ParameterValue>();
  const values = (size: number, spread: number) =>
    Float32Array.from({ length: size }, () => (random.uniform() - 0.5) * spread);
  const own = (name: string, shape: number[], spread: number, middle = 0) => {
    const size = shape.reduce((a, b) => a * b);
    parameters.set(name, { dtype: 'float32', shape, source: values(size, spread).map((value) => value + middle) });
    return parameter(name, shape);
  };
  const dense = (x: Tensor, name: string, out: number, width: number) => {
    const bias = own(`${name}.bias`, [out], 0.1);
    if (!int8) return linear(x, own(`${name}.weight`, [out, width], 0.15), bias);
    const { values: bytes, scales } = quantiseWeight(values(out * width, 0.15), out, width);
    parameters.set(`${name}.weight`, { dtype: 'int8', shape: [out, width], source: bytes });
    parameters.set(`${name}.scales`, { dtype: 'float32', shape: [out], source: scales });
    return linearInt8(x, parameter(`${name}.weight`, [out, width], 'int8'), parameter(`${name}.scales`, [out]), bias);
  };
  const norm = (x: Tensor, name: string) =>
    layerNorm(x, own(`${name}.weight`, [hidden], 0.2, 1), own(`${name}.bias`, [hidden], 0.2), { epsilon: 1e-12 });
  const layout = sequenceInputs();
  const words = gather(own('words', [vocabulary, hidden], 0.2), input('ids', 'int32', ['tokens']));
  let x = norm(
    add(words, gather(own('positions', [512, hidden], 0.2), input('at', 'int32', ['tokens']))),
    'embeddings',
  );
  for (let layer = 0; layer < layers; layer++) {
    const [q, k, v] = ['q', 'k', 'v'].map((name) => dense(x, `${layer}.${name}`, hidden, hidden));
    const attended = dense(attention(q!, k!, v!, layout, { heads }), `${layer}.o`, hidden, hidden);
    const middle = norm(add(attended, x), `${layer}.n1`);
    const up = gelu(dense(middle, `${layer}.up`, inner, hidden));
    x = norm(add(dense(up, `${layer}.down`, hidden, inner), middle), `${layer}.n2`);
  }
  return { outputs: { vectors: segmentMean(x, layout) }, parameters };
}

// The peer ---------------------------------------------------------------------------------------------------------

async function startPeer(threads: number) {
  const child = spawn(
    process.env.PATENTLAB_PYTHON ?? 'python3',
    [join(import.meta.dirname, 'peers', 'bert_forward.py'), String(threads)],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  );
  child.on('error', () => {});
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const first = await answers.next();
  if (first.done) return undefined;
  return {
    name: first.value,
    async milliseconds() {
      child.stdin.write('\n');
      return Number((await answers.next()).value);
    },
    close: () => child.stdin.end(),
  };
}

// Measuring --------------------------------------------------------------------------------------------------------

function say(name: string, ours: number, peer: number | null, peerName: string | null, unit: string): void {
  // Of rates the larger is faster, of milliseconds the smaller.
  const ratio = peer === null ? null : unit === 'ms' ? peer / ours : ours / peer;
  report({ bench: 'engine', case: name, ours, peer, peerName, ratio, unit });
}

const random = stream(2, 'bench', 'engine');
const feeds = {
  ids: Int32Array.from({ length: batch * seq }, () => random.integer(vocabulary)),
  at: Int32Array.from({ length: batch * seq }, (_, i) => i % seq),
  ...sequenceFeeds(new Array<number>(batch).fill(seq)),
};

async function prepare(engine: Engine, int8: boolean) {
  const { outputs, parameters } = miniLm(int8);
  const start = performance.now();
  const program = await engine.compile(outputs, { parameters });
  const created = performance.now() - start;
  const first = (await program.run(feeds)).vectors!.floats;
  let same = true;
  for (let i = 0; i < 10; i++)
    same &&=
      Buffer.compare(Buffer.from(first.buffer), Buffer.from((await program.run(feeds)).vectors!.floats.buffer)) === 0;
  return {
    created,
    same,
    async milliseconds() {
      const from = performance.now();
      await program.run(feeds);
      return performance.now() - from;
    },
  };
}

for (const threads of [1, 2]) {
  const engine = await openEngine(nodePlatform, { threads });
  const runs = { float32: await prepare(engine, false), int8: await prepare(engine, true) };
  const peer = await startPeer(threads);
  const times = { float32: [] as number[], int8: [] as number[], peer: [] as number[] };
  for (let round = 0; round < rounds; round++) {
    times.float32.push(await runs.float32.milliseconds());
    times.int8.push(await runs.int8.milliseconds());
    if (peer) times.peer.push(await peer.milliseconds());
  }
  const [float32, int8] = [median(times.float32), median(times.int8)];
  const other = peer ? median(times.peer) : null;
  const label = (what: string) => `${what}, 16x128, ${threads} thread${threads === 1 ? '' : 's'}`;
  const peerName = peer?.name ?? null;
  say(label('float32 forward'), float32, other, peerName, 'ms');
  say(label('float32 forward'), (gigaflop / float32) * 1000, other && (gigaflop / other) * 1000, peerName, 'GFLOP/s');
  say(label('int8 forward'), int8, other, peerName, 'ms');
  say(label('int8 against float32'), int8, float32, 'the engine in float32', 'ms');
  for (const [name, { created, same }] of Object.entries(runs)) {
    say(label(`${name} session`), created, null, null, 'ms');
    say(label(`${name}, 10 runs of equal bytes`), same ? 1 : 0, null, null, 'yes or no');
  }
  peer?.close();
  await engine.close();
}
