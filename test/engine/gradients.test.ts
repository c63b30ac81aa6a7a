/** Gradients of every op: the reference's evaluation and ONNX Runtime's at 1, 2 and 4 threads against central differences. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { nodePlatform } from '../../src/base/node/platform.ts';
import {
  add,
  attention,
  concatenate,
  constant,
  crossEntropy,
  dropout,
  dropoutKeys,
  type Engine,
  exp,
  type Feeds,
  gather,
  gatherColumns,
  gelu,
  gradients,
  input,
  l2Normalise,
  layerNorm,
  linear,
  logSoftmax,
  matmul,
  multiply,
  openEngine,
  pullBack,
  reshape,
  rotary,
  sequenceFeeds,
  sequenceInputs,
  slice,
  softmax,
  split,
  stopGradient,
  sum,
  type Tensor,
  tanh,
  transpose,
  where,
} from '../../src/engine/index.ts';
import { type Checked, compare, engineGradients, evaluator, referenceGradients, slopes } from './gradient-check.ts';
import { binaryOps, Draw, poolings, reductions, unaryOps } from './ops.ts';

const engines: Engine[] = [];
for (const threads of [1, 2, 4]) engines.push(await openEngine(nodePlatform, { threads }));
after(async () => {
  for (const engine of engines) await engine.close();
});

/** Builds a graph over inputs by shape; the values are drawn, and the loss is a weighted sum of the result. */
class Bench {
  readonly feeds: Record<string, { data: Float32Array | Int32Array | Uint8Array; shape: number[] } | Int32Array> = {};
  readonly wrt: Tensor[] = [];
  private readonly draw: Draw;
  constructor(seed: number) {
    this.draw = new Draw(seed, 'gradients');
  }
  /** A float32 input; `symbolic` gives its shape with names. */
  x(
    shape: number[],
    { symbolic = shape, map = (v: number) => v }: { symbolic?: (number | string)[]; map?: (v: number) => number } = {},
  ): Tensor {
    const name = `x${this.wrt.length}`;
    const length = shape.reduce((a, b) => a * b, 1);
    this.feeds[name] = { data: this.draw.floats(length).map(map), shape };
    const tensor = input(name, 'float32', symbolic);
    this.wrt.push(tensor);
    return tensor;
  }
  ids(name: string, values: number[], shape: (number | string)[] = [values.length]): Tensor {
    this.feeds[name] = { data: Int32Array.from(values), shape: [values.length] };
    return input(name, 'int32', shape);
  }
  layout(lengths: number[]) {
    Object.assign(this.feeds, sequenceFeeds(lengths));
    return sequenceInputs();
  }
  /** Σ y · w, with w drawn for y's shape in numbers. */
  loss(y: Tensor, shape: number[]): Checked {
    const length = shape.reduce((a, b) => a * b, 1);
    const name = 'w';
    this.feeds[name] = { data: this.draw.floats(length), shape };
    let total = multiply(y, input(name, 'float32', y.shape));
    while (total.shape.length > 0) total = sum(total, 0);
    return { loss: total, feeds: this.feeds as Feeds, wrt: this.wrt };
  }
}

function check(name: string, build: (b: Bench) => Checked): void {
  test(`the gradient of ${name}`, async () => {
    const checked = build(new Bench(name.length));
    const expected = slopes(checked);
    compare('reference', checked, expected, referenceGradients(checked));
    for (const engine of engines) {
      const [found] = await engineGradients(engine, checked);
      compare(`${engine.threads} threads`, checked, expected, found!);
    }
  });
}

const keysOf = (lengths: number[]) => [
  ...dropoutKeys({ seed: 3, step: 2, samples: lengths.map((_, i) => i), lengths }),
];
const away = (v: number) => v + Math.sign(v || 1) * 0.5;
const positiveOnly = (v: number) => Math.abs(v) + 0.2;

// Elementwise ------------------------------------------------------------------------------------------------------

for (const { name, op, positive, kink } of unaryOps) {
  const map = positive ? positiveOnly : kink ? away : undefined;
  check(name, (b) => b.loss(op(b.x([3, 64], { symbolic: ['rows', 64], ...(map ? { map } : {}) })), [3, 64]));
}

for (const [name, op] of Object.entries(binaryOps))
  for (const [left, right] of [
    [
      [2, 3, 4],
      [2, 3, 4],
    ],
    [[2, 3, 4], [4]],
    [
      [3, 1],
      [2, 3, 4],
    ],
    [
      [2, 1, 4],
      [1, 3, 1],
    ],
    [[], [2, 3]],
  ] as [number[], number[]][])
    check(`${name} of [${left}] and [${right}]`, (b) => {
      const y = op(b.x(left, { map: away }), b.x(right, { map: away }));
      return b.loss(y, y.shape as number[]);
    });

check('gelu of far values', (b) => b.loss(gelu(b.x([2, 64], { map: (v) => v * 8 })), [2, 64]));
check('a sum over a name that broadcasts', (b) => {
  const x = b.x([3, 4], { symbolic: ['rows', 4] });
  return b.loss(add(multiply(x, b.x([4])), b.x([3, 1], { symbolic: ['rows', 1] })), [3, 4]);
});
check('where', (b) => {
  const x = b.x([3, 4]);
  b.feeds.c = { data: Uint8Array.of(1, 0, 1), shape: [3, 1] };
  return b.loss(where(input('c', 'bool', [3, 1]), x, multiply(x, b.x([4]))), [3, 4]);
});

// Products ---------------------------------------------------------------------------------------------------------

for (const transposeA of [false, true])
  for (const transposeB of [false, true])
    for (const [left, right] of [
      [[], []],
      [[2], [2]],
      [[3, 2], [2]],
      [[3, 1], [2]],
      [[2], []],
    ] as [number[], number[]][])
      check(`matmul [${left}] by [${right}]${transposeA ? ' Aᵀ' : ''}${transposeB ? ' Bᵀ' : ''}`, (b) => {
        const a = b.x([...left, ...(transposeA ? [4, 3] : [3, 4])]);
        const c = b.x([...right, ...(transposeB ? [5, 4] : [4, 5])]);
        const y = matmul(a, c, { transposeA, transposeB });
        return b.loss(y, y.shape as number[]);
      });

check('linear', (b) => b.loss(linear(b.x([5, 3], { symbolic: ['tokens', 3] }), b.x([4, 3]), b.x([4])), [5, 4]));
check('linear of three axes without bias', (b) =>
  b.loss(linear(b.x([2, 5, 3], { symbolic: ['batch', 'seq', 3] }), b.x([4, 3])), [2, 5, 4]),
);

// Normalisation ----------------------------------------------------------------------------------------------------

check('layerNorm', (b) => b.loss(layerNorm(b.x([4, 6], { symbolic: ['tokens', 6] }), b.x([6]), b.x([6])), [4, 6]));
check('layerNorm without bias', (b) => b.loss(layerNorm(b.x([2, 3, 6]), b.x([6])), [2, 3, 6]));
check('layerNorm alone', (b) => b.loss(layerNorm(b.x([4, 6])), [4, 6]));
check('l2Normalise', (b) => b.loss(l2Normalise(b.x([4, 6], { symbolic: ['batch', 6] })), [4, 6]));

// Indices and shapes -----------------------------------------------------------------------------------------------

check('gather with repeated rows, few', (b) =>
  b.loss(gather(b.x([7, 3]), b.ids('i', [1, 6, 1, 0, 1], ['tokens'])), [5, 3]),
);
check('gather with repeated rows, many', (b) =>
  b.loss(gather(b.x([70, 3]), b.ids('i', [1, 69, 1, 0, 1], ['tokens'])), [5, 3]),
);
check('gather of a table of unnamed height', (b) =>
  b.loss(gather(b.x([7, 3], { symbolic: ['n', 3] }), b.ids('i', [1, 6, 1, 0, 1])), [5, 3]),
);
check('gatherColumns', (b) => b.loss(gatherColumns(b.x([4, 5]), b.ids('i', [1, 4, 1])), [4, 3]));
check('padding by a layout', (b) => {
  const layout = b.layout([2, 4, 1]);
  return b.loss(gather(b.x([7, 3], { symbolic: ['tokens', 3] }), layout.rows), [3, 4, 3]);
});
for (const [name, pool] of Object.entries(poolings))
  check(name, (b) => b.loss(pool(b.x([7, 3], { symbolic: ['tokens', 3] }), b.layout([2, 4, 1])), [3, 3]));
check('reshape', (b) => b.loss(reshape(b.x([4, 6], { symbolic: ['n', 6] }), ['n', 2, 3]), [4, 2, 3]));
check('transpose', (b) => b.loss(transpose(b.x([2, 3, 4]), [2, 0, 1]), [4, 2, 3]));
check('slice', (b) => b.loss(slice(b.x([4, 6], { symbolic: ['n', 6] }), 0, 1, 3), [2, 6]));
check('split, each part used', (b) => {
  const [p, q, r] = split(b.x([4, 6], { symbolic: ['n', 6] }), 1, [1, 3, 2]) as [Tensor, Tensor, Tensor];
  return b.loss(concatenate([multiply(q, q), exp(p), r], 1), [4, 6]);
});
check('split, one part unused, one used twice', (b) => {
  const x = b.x([4, 6], { symbolic: ['n', 6] });
  const [p, , r] = split(x, 1, [2, 2, 2]) as [Tensor, Tensor, Tensor];
  return b.loss(add(multiply(p, r), slice(x, 1, 1, 3)), [4, 2]);
});
check('concatenate of named lengths', (b) => {
  const y = concatenate([b.x([2, 3], { symbolic: ['a', 3] }), b.x([4, 3], { symbolic: ['b', 3] })], 0);
  return b.loss(multiply(y, y), [6, 3]);
});
check('rotary', (b) =>
  b.loss(
    rotary(b.x([5, 8], { symbolic: ['tokens', 8] }), b.ids('p', [0, 1, 2, 7, 30], ['tokens']), { heads: 2, base: 100 }),
    [5, 8],
  ),
);

// Reductions -------------------------------------------------------------------------------------------------------

for (const [name, op] of Object.entries(reductions))
  for (const axis of [0, 1, 2])
    for (const keepDimensions of [false, true])
      check(`${name} over axis ${axis}${keepDimensions ? ', kept' : ''}`, (b) => {
        const shape = [2, 3, 4];
        const y = op(b.x(shape, { symbolic: ['a', 'b', 4] }), axis, { keepDimensions });
        return b.loss(y, keepDimensions ? shape.with(axis, 1) : shape.filter((_, i) => i !== axis));
      });
check('softmax', (b) => b.loss(softmax(b.x([3, 5], { symbolic: ['n', 'm'] })), [3, 5]));
check('softmax over the first axis', (b) => b.loss(softmax(b.x([3, 5]), 0), [3, 5]));
check('logSoftmax', (b) => b.loss(logSoftmax(b.x([3, 5], { symbolic: ['n', 'm'] })), [3, 5]));
check('crossEntropy', (b) =>
  b.loss(crossEntropy(b.x([3, 5], { symbolic: ['n', 'm'] }), b.ids('l', [4, 0, 4], ['n'])), [3]),
);

check('dropout', (b) => {
  const keys = b.ids('keys', keysOf([2, 3]), ['tokens']);
  return b.loss(exp(dropout(b.x([5, 6], { symbolic: ['tokens', 6] }), 0.4, { keys, site: 3 })), [5, 6]);
});

// Attention --------------------------------------------------------------------------------------------------------

for (const [
  name,
  { lengths = [3, 5, 1], heads = 2, keyHeads = heads, biased = false, rate = 0, ...options },
] of Object.entries<{
  lengths?: number[];
  heads?: number;
  keyHeads?: number;
  causal?: boolean;
  window?: number;
  alibi?: number[];
  block?: number;
  scale?: number;
  biased?: boolean;
  rate?: number;
}>({
  attention: {},
  'attention, one sequence': { lengths: [4] },
  'attention, causal': { causal: true },
  'attention within a window': { window: 1, lengths: [2, 7, 1] },
  'attention with slopes': { alibi: [0.5, 0.1] },
  'attention with grouped heads': { heads: 4, keyHeads: 2, scale: 0.3 },
  'attention with a bias': { biased: true },
  'attention with a bias, causal, grouped': { biased: true, causal: true, heads: 4, keyHeads: 2 },
  'attention by blocks': { block: 2, lengths: [7, 3, 1] },
  'attention by blocks, causal': { block: 2, lengths: [7, 3], causal: true },
  'attention by blocks, window': { block: 2, lengths: [8, 3], window: 1 },
  'attention by blocks, causal window, grouped, slopes': {
    block: 3,
    lengths: [2, 10],
    causal: true,
    window: 2,
    heads: 4,
    keyHeads: 2,
    alibi: [0.5, 0.1, 0.2, 0],
  },
  'attention with dropout': { rate: 0.3 },
  'attention with dropout, grouped, slopes': { rate: 0.3, heads: 4, keyHeads: 2, alibi: [0.5, 0.1, 0.2, 0] },
  'attention with dropout and a bias, causal': { rate: 0.3, biased: true, causal: true },
  'attention with dropout, by blocks': { rate: 0.3, block: 2, lengths: [7, 3, 1] },
  'attention with dropout, by blocks, causal window': { rate: 0.3, block: 2, lengths: [3, 8], causal: true, window: 2 },
}))
  check(name, (b) => {
    const tokens = lengths.reduce((x, y) => x + y, 0);
    const rows = (width: number) => b.x([tokens, width], { symbolic: ['tokens', width] });
    const longest = Math.max(...lengths);
    const [query, key, value] = [rows(heads * 4), rows(keyHeads * 4), rows(keyHeads * 3)];
    const bias = biased ? b.x([heads, longest, longest], { symbolic: [heads, 'seq', 'seq'] }) : undefined;
    const y = attention(query, key, value, b.layout(lengths), {
      heads,
      keyHeads,
      ...options,
      ...(bias ? { bias } : {}),
      ...(rate > 0 ? { dropout: { rate, site: 5, keys: b.ids('keys', keysOf(lengths), ['tokens']) } } : {}),
    });
    return b.loss(y, [tokens, heads * 3]);
  });

// The walk ---------------------------------------------------------------------------------------------------------

test('what the loss does not depend on has a gradient of zeros', async () => {
  const [x, y] = [input('x', 'float32', [2]), input('y', 'float32', ['n', 3])];
  const [g] = gradients(add(sum(x, 0), multiply(sum(sum(stopGradient(y), 0), 0), 2)), [y]);
  const program = await engines[0]!.compile({ g: g! });
  const values = await program.run({ y: { data: new Float32Array(6), shape: [2, 3] } });
  assert.deepEqual([...values.g!.floats], [0, 0, 0, 0, 0, 0]);
  await program.close();
});

test('a leaf written twice gets one gradient; a tensor on the way gets its own', () => {
  const x = () => input('x', 'float32', [3]);
  const middle = multiply(x(), x());
  const checked = { loss: sum(multiply(middle, exp(x())), 0), feeds: { x: Float32Array.of(1, 2, 3) }, wrt: [x()] };
  compare('reference', checked, slopes(checked), referenceGradients(checked));
  const [byMiddle] = referenceGradients({ ...checked, wrt: [middle] });
  assert.deepEqual([...byMiddle!], [1, 2, 3].map(Math.exp));
});

test('a network differentiated in two parts has the gradients of the whole', () => {
  const [x, w] = [input('x', 'float32', ['n', 3]), input('w', 'float32', [3, 3])];
  const middle = tanh(linear(x, w));
  const loss = sum(sum(multiply(middle, exp(middle)), 0), 0);
  const feeds = { x: Float32Array.of(1, 2, 3, -1, 0.5, 0.2), w: Float32Array.from({ length: 9 }, (_, i) => i / 9) };
  const [whole] = referenceGradients({ loss, feeds, wrt: [w] });
  // The second part alone, from its own leaf, then the first from the cotangent that it gave.
  const cut = input('cut', 'float32', ['n', 3]);
  const [cotangent] = gradients(sum(sum(multiply(cut, exp(cut)), 0), 0), [cut]);
  const parts = pullBack([[middle, cotangent!]], [w])[0]!;
  const middleValue = Float32Array.from({ length: 6 }, (_, at) =>
    Math.tanh([0, 1, 2].reduce((a, k) => a + feeds.x[Math.floor(at / 3) * 3 + k]! * feeds.w[(at % 3) * 3 + k]!, 0)),
  );
  const found = evaluator({ parts }, { ...feeds, cut: middleValue })(new Map()).parts!.data;
  found.forEach((value, i) => {
    assert.ok(Math.abs(value - whole![i]!) < 1e-5);
  });
});

test('a loss that is no scalar is refused', () => {
  assert.throws(() => gradients(input('x', 'float32', [3]), []), /scalar/);
});

test('an op without a gradient is named', () => {
  const x = input('x', 'float32', [3]);
  const odd = Object.freeze({ ...exp(x), op: { ...exp(x).op, name: 'odd', gradient: undefined } }) as unknown as Tensor;
  assert.throws(() => gradients(sum(odd, 0), [x]), /'odd' has no gradient/);
  assert.doesNotThrow(() => gradients(sum(add(x, stopGradient(odd)), 0), [x]));
});

test('sums of equal constants stay in the graph of the loss', () => {
  const x = input('x', 'float32', []);
  const [g] = gradients(multiply(x, constant(3)), [x]);
  assert.deepEqual(g!.shape, []);
});
