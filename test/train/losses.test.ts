/** Values and gradients of sentence-transformers' losses, on the float64 interpreter and on ONNX Runtime. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { nodePlatform } from '../../src/base/node/platform.ts';
import { gradients, input, l2Normalise, openEngine, type Tensor } from '../../src/engine/index.ts';
import { matryoshka, multipleNegativesRanking } from '../../src/train/losses.ts';

interface Fixture {
  rows: number;
  width: number;
  columns: number[][];
  guide: number[][];
  cases: { case: string; loss: number; gradients: number[][] }[];
}

const { rows, width, columns, guide, cases } = JSON.parse(
  readFileSync(join(import.meta.dirname, '..', 'fixtures', 'train', 'losses.json'), 'utf8'),
) as Fixture;

const [a, p, h] = ['a', 'p', 'h'].map((name) => input(name, 'float32', [name === 'h' ? 'hard' : 'batch', width]));
const [au, pu, hu] = [a!, p!, h!].map((x) => l2Normalise(x));
const guideInput = (wide: boolean) => input('guide', 'float32', ['batch', wide ? 'batch+hard' : 'batch']);
const feeds = Object.fromEntries(
  ['a', 'p', 'h'].map((name, i) => [name, { data: Float32Array.from(columns[i]!), shape: [rows, width] }]),
);
const guideFeed = (wide: boolean) => ({
  data: Float32Array.from(guide[wide ? 1 : 0]!),
  shape: [rows, (wide ? 2 : 1) * rows],
});

const graphs: Record<string, () => Tensor> = {
  plain: () => multipleNegativesRanking(au!, pu!),
  'scale 50': () => multipleNegativesRanking(au!, pu!, { scale: 50 }),
  symmetric: () => multipleNegativesRanking(au!, pu!, { symmetric: true }),
  'hard negatives': () => multipleNegativesRanking(au!, pu!, { hardNegatives: hu! }),
  'symmetric with hard negatives': () => multipleNegativesRanking(au!, pu!, { hardNegatives: hu!, symmetric: true }),
  'guided, absolute 0': () => multipleNegativesRanking(au!, pu!, { threshold: { guide: guideInput(false) } }),
  'guided, relative 0.1, hard negatives': () =>
    multipleNegativesRanking(au!, pu!, {
      hardNegatives: hu!,
      threshold: { guide: guideInput(true), strategy: 'relative', margin: 0.1 },
    }),
  matryoshka: () =>
    matryoshka([a!, p!], { dimensions: [4, 12, 8], weights: [0.5, 1, 2] }, ([x, y]) =>
      multipleNegativesRanking(x!, y!),
    ),
};

const engines = {
  reference: await openEngine(nodePlatform, { backend: 'reference' }),
  ort: await openEngine(nodePlatform, { backend: 'ort', threads: 1 }),
};
after(async () => {
  for (const engine of Object.values(engines)) await engine.close();
});

async function run(engine: keyof typeof engines, outputs: Record<string, Tensor>, given: Parameters<typeof used>[1]) {
  const program = await engines[engine].compile(outputs);
  const results = await program.run(used(outputs, given));
  await program.close();
  return Object.fromEntries(Object.entries(results).map(([name, value]) => [name, value.floats]));
}

/** Only the feeds that the graph has. */
function used(
  outputs: Record<string, Tensor>,
  given: Record<string, { data: Float32Array | Uint8Array; shape: number[] }>,
) {
  const names = new Set<string>();
  const visit = (tensor: Tensor) => {
    if (tensor.op.name === 'input') names.add((tensor.attributes as { name: string }).name);
    tensor.inputs.forEach(visit);
  };
  Object.values(outputs).forEach(visit);
  return Object.fromEntries(Object.entries(given).filter(([name]) => names.has(name)));
}

const backends = Object.keys(engines) as (keyof typeof engines)[];
const close = (found: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number, what: string) => {
  const peak = Math.max(1, ...Array.from(expected, Math.abs));
  for (let i = 0; i < expected.length; i++)
    assert.ok(Math.abs(found[i]! - expected[i]!) <= tolerance * peak, `${what}[${i}]: ${found[i]}, not ${expected[i]}`);
};

for (const { case: name, loss: expected, gradients: slopes } of cases)
  test(`as sentence-transformers: ${name}`, async () => {
    const loss = graphs[name]!();
    const leaves = [a!, p!, h!].slice(0, slopes.length);
    const found = gradients(loss, leaves);
    const outputs = { loss, ...Object.fromEntries(found.map((gradient, i) => [`g${i}`, gradient])) };
    for (const backend of backends) {
      const result = await run(backend, outputs, { ...feeds, guide: guideFeed(slopes.length === 3) });
      close(result.loss!, [expected], 1e-6, `${backend} loss`);
      slopes.forEach((slope, i) => {
        close(result[`g${i}`]!, slope, 1e-5, `${backend} gradient ${i}`);
      });
    }
  });

test('two anchors worked by hand', async () => {
  const x = input('x', 'float32', ['n', 2]);
  const y = input('y', 'float32', ['n', 2]);
  for (const symmetric of [false, true])
    for (const backend of backends) {
      const given = {
        x: { data: Float32Array.of(1, 0, 0.6, 0.8), shape: [2, 2] },
        y: { data: Float32Array.of(0.8, 0.6, 0, 1), shape: [2, 2] },
      };
      const { loss } = await run(backend, { loss: multipleNegativesRanking(x, y, { symmetric }) }, given);
      close(loss!, [1.6199767228], 1e-6, backend);
    }
});

test('a mask takes false negatives out and never the own positive; the own cosines can be the guide', async () => {
  const unit = (values: number[], at: number) => {
    const row = values.slice(at * width, (at + 1) * width);
    const length = Math.hypot(...row);
    return row.map((value) => value / length);
  };
  const count = 2 * rows;
  const cosines = Array.from({ length: rows }, (_, i) =>
    Array.from({ length: count }, (_, j) => {
      const other = unit(columns[j < rows ? 1 : 2]!, j % rows);
      return unit(columns[0]!, i).reduce((total, value, k) => total + value * other[k]!, 0);
    }),
  );
  const nll = (out: (i: number, j: number) => boolean) => {
    const terms = cosines.map((line, i) => {
      const kept = line.filter((_, j) => j === i || !out(i, j));
      return Math.log(kept.reduce((total, cosine) => total + Math.exp(20 * cosine), 0)) - 20 * line[i]!;
    });
    return terms.reduce((x, y) => x + y) / rows;
  };
  const marked = (i: number, j: number) => (i * 5 + j * 3) % 4 === 0;
  const mask = Uint8Array.from({ length: rows * count }, (_, k) => Number(marked(Math.floor(k / count), k % count)));
  const masked = multipleNegativesRanking(au!, pu!, {
    hardNegatives: hu!,
    falseNegatives: input('mask', 'bool', ['batch', 'batch+hard']),
  });
  const both = multipleNegativesRanking(au!, pu!, {
    hardNegatives: hu!,
    symmetric: true,
    falseNegatives: input('mask', 'bool', ['batch', 'batch+hard']),
  });
  const backward = cosines.map((_, j) => {
    const kept = cosines.map((line) => line[j]!).filter((_, i) => i === j || !marked(i, j));
    return Math.log(kept.reduce((total, cosine) => total + Math.exp(20 * cosine), 0)) - 20 * cosines[j]![j]!;
  });
  const own = multipleNegativesRanking(au!, pu!, { hardNegatives: hu!, threshold: { margin: -0.1 } });
  for (const backend of backends) {
    const given = { ...feeds, mask: { data: mask, shape: [rows, count] } };
    const found = await run(backend, { masked, both, own }, given);
    close(found.masked!, [nll(marked)], 1e-6, `${backend} mask`);
    const meanBackward = backward.reduce((x, y) => x + y) / rows;
    close(found.both!, [(nll(marked) + meanBackward) / 2], 1e-6, `${backend} mask, symmetric`);
    close(found.own!, [nll((i, j) => cosines[i]![j]! > cosines[i]![i]! + 0.1)], 1e-6, `${backend} own guide`);
  }
});

test('a sum over dimensions needs a weight for each', () => {
  const loss = ([x, y]: readonly Tensor[]) => multipleNegativesRanking(x!, y!);
  assert.throws(() => matryoshka([a!, p!], { dimensions: [4, 8], weights: [1] }, loss), /1 weights for 2/);
  assert.throws(() => matryoshka([a!, p!], { dimensions: [] }, loss), /0 dimensions/);
  assert.throws(() => matryoshka([a!, p!], { dimensions: [13] }, loss), /axis/);
});
