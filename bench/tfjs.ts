/**
 * A training step (forward, backward, Adam) against TensorFlow.js on the same networks with the same numbers, in turn. Both
 * must have the same loss after the last step, else nothing is reported.
 *
 * TensorFlow.js runs on WebAssembly with SIMD, its fastest backend that npm installs alone; in Node it has one thread.
 * (`tfjs-node` fetches a binary from outside the registry.)
 *
 * usage: npm run bench -- tfjs [rounds=3] [threads=1] [steps=1] [backend=wasm] [packages=FOLDER]
 * Installs @tensorflow/tfjs into a temporary folder unless `packages` names one that has it.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodePlatform } from '../src/base/node/platform.ts';
import {
  add,
  attention,
  input,
  layerNorm,
  linear,
  mean,
  multiply,
  openEngine,
  parameter,
  relu,
  sequenceFeeds,
  sequenceInputs,
  subtract,
  type Tensor,
} from '../src/engine/index.ts';
import { initial, type NetworkName, numbers, parameterShapes, rows, sizes } from './support/encoder-layer.ts';
import { median, report } from './support/measurement.ts';
import { lineServer } from './support/peer.ts';

const settings = Object.fromEntries(process.argv.slice(2).map((argument) => argument.split('=')));
const rounds = Number(settings.rounds ?? 3);
const steps = Number(settings.steps ?? 1);
const backend = settings.backend ?? 'wasm';
const version = '4.22.0';
const scratch = mkdtempSync(join(tmpdir(), 'patentlab-bench-'));

function install(): string {
  writeFileSync(join(scratch, 'package.json'), '{"private": true}');
  const names = ['@tensorflow/tfjs', '@tensorflow/tfjs-backend-wasm'].map((name) => `${name}@${version}`);
  const run = spawnSync('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', ...names], { cwd: scratch });
  if (run.status !== 0) throw new Error(`TensorFlow.js cannot be installed: ${run.stderr}`);
  return scratch;
}

/** Ours, with TensorFlow.js' weights [in, out] turned to [out, in]. */
async function openOurs(network: NetworkName, threads: number) {
  const { hidden, heads, batch, seq, learningRate, epsilon } = sizes;
  const shapes = parameterShapes(network);
  const trained = Object.entries(shapes).map(([name, shape], at) => {
    const values = initial(name, shape, at + 1);
    const turned = shape.length === 1 ? values : transposed(values, shape as [number, number]);
    const own = [...shape].reverse();
    return { name, shape: own, decay: false, value: { dtype: 'float32' as const, shape: own, source: turned } };
  });
  const get = (name: string) => parameter(name, [...shapes[name]!].reverse());
  const dense = (x: Tensor, name: string) => linear(x, get(`${name}.weight`), get(`${name}.bias`));
  const norm = (x: Tensor, name: string) => layerNorm(x, get(`${name}.weight`), get(`${name}.bias`), { epsilon });
  const x = input('x', 'float32', ['tokens', hidden]);
  const forward = () => {
    if (network === 'mlp') return dense(relu(dense(relu(dense(x, 'first')), 'second')), 'third');
    const attended = attention(dense(x, 'query'), dense(x, 'key'), dense(x, 'value'), sequenceInputs(), { heads });
    const middle = norm(add(dense(attended, 'out'), x), 'norm1');
    return norm(add(dense(relu(dense(middle, 'up')), 'down'), middle), 'norm2');
  };
  const difference = subtract(forward(), input('target', 'float32', ['tokens', hidden]));
  const loss = mean(mean(multiply(difference, difference), 1), 0);
  const engine = await openEngine(nodePlatform, { threads });
  const training = await engine.openTraining(trained);
  const program = await training.compile({ loss }, { loss: 'loss' });
  const feeds = {
    x: { data: numbers(rows * hidden, 101), shape: [rows, hidden] },
    target: { data: numbers(rows * hidden, 102), shape: [rows, hidden] },
    ...(network === 'encoder' ? sequenceFeeds(new Int32Array(batch).fill(seq)) : {}),
  };
  return {
    async seconds() {
      const times: number[] = [];
      for (let i = 0; i < steps; i++) {
        const started = performance.now();
        await program.accumulate(feeds);
        await training.update({ learningRate, weightDecay: 0 });
        times.push((performance.now() - started) / 1000);
      }
      return median(times);
    },
    loss: async () => (await program.run(feeds)).loss!.floats[0]!,
    close: () => engine.close(),
  };
}

function transposed(values: Float32Array, [height, width]: [number, number]): Float32Array {
  return Float32Array.from(values, (_, i) => values[(i % height) * width + Math.floor(i / height)]!);
}

const cases: Record<NetworkName, string> = {
  mlp: `MLP 384–1536–1536–384 on ${rows} rows`,
  encoder: `encoder layer of width 384, ${sizes.batch} sequences of ${sizes.seq} tokens`,
};
try {
  const script = join(import.meta.dirname, 'peers', 'tfjs_step.mjs');
  const packages = settings.packages ?? install();
  for (const threads of String(settings.threads ?? '1')
    .split(',')
    .map(Number))
    for (const network of Object.keys(cases) as NetworkName[]) {
      const peer = await lineServer(process.execPath, [script, packages, backend]);
      const ours = await openOurs(network, threads);
      const times: [number[], number[]] = [[], []];
      for (let round = 0; round <= rounds; round++) {
        const own = await ours.seconds();
        const theirs = await peer.ask({ network, steps });
        if (round === 0) continue; // both warm up
        times[0].push(own);
        times[1].push(theirs);
      }
      const losses = [await ours.loss(), await peer.ask({ network, loss: true })] as const;
      await ours.close();
      peer.close();
      if (!(Math.abs(losses[0] - losses[1]) < 1e-3 * losses[1]))
        throw new Error(`the losses differ after ${(rounds + 1) * steps} steps: ${losses.join(' and ')}`);
      const [mine, theirs] = times.map(median) as [number, number];
      report({
        bench: 'tfjs',
        case: `training step, ${cases[network]}, ${threads} threads`,
        ours: mine,
        peer: theirs,
        peerName: `TensorFlow.js ${version}, ${backend}, 1 thread`,
        ratio: theirs / mine,
        unit: 's',
      });
    }
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
