/**
 * One AdamW step over the 22.7 million parameters of MiniLM-L6, one thread, against torch.optim.AdamW: its default on CPU
 * (foreach) and its fused kernel. Each round runs both sides once; a side reports the median of 15 steps.
 *
 * `by rows`: the word table gets the gradient of 2,048 tokens by rows, and of its 30,522 rows 6,000 were ever met.
 *
 *   npm run bench -- adamw [rounds]
 */
import { stream } from '../src/base/random.ts';
import { ParameterMemory, type TrainedTensor } from '../src/engine/adamw.ts';
import { compareSeconds, median, peerSeconds } from './support/measurement.ts';

const rounds = Number(process.argv[2] ?? 5);
const [layers, hidden, inner, vocabulary] = [6, 384, 1536, 30522];

function tensors(rows: boolean): TrainedTensor[] {
  const dense = (name: string, out: number, width: number) => [
    { name: `${name}.weight`, shape: [out, width], decay: true },
    { name: `${name}.bias`, shape: [out], decay: false },
  ];
  const norm = (name: string) =>
    ['weight', 'bias'].map((part) => ({ name: `${name}.${part}`, shape: [hidden], decay: false }));
  return [
    { name: 'words', shape: [vocabulary, hidden], decay: true, rows },
    { name: 'positions', shape: [512, hidden], decay: true },
    { name: 'types', shape: [2, hidden], decay: true },
    ...norm('embeddings'),
    ...Array.from({ length: layers }, (_, layer) => [
      ...['q', 'k', 'v', 'o'].flatMap((name) => dense(`${layer}.${name}`, hidden, hidden)),
      ...dense(`${layer}.up`, inner, hidden),
      ...dense(`${layer}.down`, hidden, inner),
      ...norm(`${layer}.n1`),
      ...norm(`${layer}.n2`),
    ]).flat(),
  ];
}

function filled(rows: boolean): ParameterMemory {
  const memory = new ParameterMemory(tensors(rows));
  const random = stream(1, 'bench', 'adamw');
  for (const { name } of memory.tensors) {
    const values = memory.weights(name);
    for (let i = 0; i < values.length; i++) values[i] = random.uniform() - 0.5;
    if (name === 'words' && rows) continue;
    const gradient = memory.gradient(name);
    for (let i = 0; i < gradient.length; i++) gradient[i] = (random.uniform() - 0.5) * 1e-3;
  }
  return memory;
}

function medianSeconds(work: () => void): number {
  return median(
    Array.from({ length: 15 }, () => {
      const started = performance.now();
      work();
      return (performance.now() - started) / 1000;
    }),
  );
}

let step = 0;
const update = (memory: ParameterMemory, gradientScale = 1) =>
  memory.adamw({ learningRate: 2e-5, step: ++step, weightDecay: 0.01, gradientScale });

function against(what: string, mode: string, peerName: string, work: () => void): void {
  work();
  compareSeconds({
    bench: 'adamw',
    case: `22.7M parameters, one thread: ${what}`,
    peerName: `torch.optim.AdamW, ${peerName}`,
    rounds,
    ours: () => medianSeconds(work),
    peer: () => peerSeconds('adamw.py', [mode], { OMP_NUM_THREADS: '1' }),
  });
}

const memory = filled(false);
against('step', 'foreach', 'foreach', () => update(memory));
against('step', 'fused', 'fused', () => update(memory));
const clipped = () => update(memory, Math.min(1, 1 / (memory.gradientNorm() + 1e-6)));
against('norm, clipping and step', 'clip', 'fused, after clip_grad_norm_', clipped);

const byRows = filled(true);
const random = stream(2, 'bench', 'adamw');
const ids = (count: number) => Int32Array.from({ length: count }, () => random.integer(6000));
byRows.addRows('words', ids(20000), new Float32Array(20000 * hidden).fill(1e-4));
update(byRows);
const batch = { ids: ids(2048), rows: new Float32Array(2048 * hidden).fill(1e-4) };
against('step by rows, with zeroing and adding the gradient of 2,048 tokens', 'fused', 'fused, without those', () => {
  byRows.zeroGradients();
  byRows.addRows('words', batch.ids, batch.rows);
  update(byRows);
});
