/**
 * The suite every backend passes: each op over random shapes and values, compared with the float64 interpreter. A case
 * draws a small graph with its feeds; `checkBackend` runs it on both sides.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  add,
  attention,
  cast,
  concatenate,
  constant,
  divide,
  dropout,
  type Engine,
  type Feeds,
  gather,
  gatherColumns,
  input,
  l2Normalise,
  layerNorm,
  linear,
  linearInt8,
  matmul,
  multiply,
  type ParameterValue,
  parameter,
  quantiseWeight,
  reshape,
  rotary,
  sequenceFeeds,
  sequenceInputs,
  slice,
  softmax,
  split,
  type Tensor,
  transpose,
} from '../../src/engine/index.ts';
import { binaryOps, Draw, poolings, reductions, unaryOps } from './ops.ts';
import { firstDifference, type Tolerance, tolerances } from './tolerance.ts';

export interface Drawn {
  outputs: Record<string, Tensor>;
  feeds: Feeds;
  parameters?: Record<string, ParameterValue>;
}

export interface Case {
  name: string;
  tolerance: Tolerance;
  draw(d: Draw): Drawn;
}

function elementwise(name: string, op: (x: Tensor) => Tensor, { positive = false, scale = 2 } = {}): Case {
  return {
    name,
    tolerance: tolerances.function,
    draw(d) {
      const shape = [d.size(1, 9), d.size(1, 40)];
      const values = d.floats(shape[0]! * shape[1]!, scale);
      const data = positive ? values.map((x) => Math.abs(x) + 0.01) : values;
      return { outputs: { y: op(input('x', 'float32', ['rows', 'columns'])) }, feeds: { x: { data, shape } } };
    },
  };
}

function binary(name: string, op: (a: Tensor, b: Tensor) => Tensor, { awayFromZero = false } = {}): Case {
  return {
    name,
    tolerance: tolerances.exactish,
    draw(d) {
      const full = [d.size(1, 4), d.size(1, 5), d.size(1, 6)];
      // Each operand may lack leading axes and may have length 1 anywhere.
      const operand = (): number[] => full.slice(d.size(0, 2)).map((size) => d.pick(size, size, 1));
      const [a, b] = [operand(), operand()];
      const values = (shape: number[]) => d.floats(shape.reduce((x, y) => x * y, 1));
      const away = (data: Float32Array) => (awayFromZero ? data.map((x) => x + Math.sign(x || 1)) : data);
      return {
        outputs: { y: op(input('a', 'float32', a), input('b', 'float32', b)) },
        feeds: { a: values(a), b: away(values(b)) },
      };
    },
  };
}

function reduction(name: string, op: (x: Tensor, axis: number, options: object) => Tensor): Case {
  return {
    name,
    tolerance: tolerances.sum,
    draw(d) {
      const shape = [d.size(1, 5), d.size(1, 5), d.size(1, 30)];
      const options = { keepDimensions: d.pick(true, false) };
      return {
        outputs: { y: op(input('x', 'float32', ['a', 'b', 'c']), d.size(-3, 2), options) },
        feeds: { x: { data: d.floats(shape.reduce((a, b) => a * b)), shape } },
      };
    },
  };
}

const dropoutOption = (d: Draw) => ({
  rate: d.pick(0.1, 0.5, 0.9),
  site: d.size(0, 1000),
  keys: input('keys', 'int32', ['tokens']),
});

/** One attention with random heads, sizes and lengths, and the options drawn by `options`. */
function attentionCase(
  name: string,
  options: (d: Draw, heads: number, seq: number) => { options: object; feeds?: Feeds } = () => ({ options: {} }),
): Case {
  return {
    name: `attention ${name}`,
    tolerance: tolerances.sum,
    draw(d) {
      const heads = d.pick(1, 2, 3, 4, 6);
      const size = 8 * d.size(1, 4);
      const lengths = d.lengths(d.size(1, 4), d.pick(3, 20, 70));
      const tokens = lengths.reduce((a, b) => a + b);
      const drawn = options(d, heads, Math.max(...lengths));
      const keyHeads = (drawn.options as { keyHeads?: number }).keyHeads ?? heads;
      const layout = sequenceInputs();
      const q = input('q', 'float32', ['tokens', heads * size]);
      const k = input('k', 'float32', ['tokens', keyHeads * size]);
      const v = input('v', 'float32', ['tokens', keyHeads * size]);
      return {
        outputs: { y: attention(q, k, v, layout, { heads, ...drawn.options }) },
        feeds: {
          q: d.floats(tokens * heads * size),
          k: d.floats(tokens * keyHeads * size),
          v: d.floats(tokens * keyHeads * size),
          ...sequenceFeeds(lengths),
          ...('dropout' in drawn.options ? { keys: d.integers(tokens, 2 ** 31) } : {}),
          ...drawn.feeds,
        },
      };
    },
  };
}

export const cases: readonly Case[] = [
  ...Object.entries(binaryOps).map(([name, op]) => binary(name, op, { awayFromZero: op === divide })),
  elementwise('add a number', (x) => add(x, 0.75)),
  ...unaryOps.map(({ name, op, positive = false }) => elementwise(name, op, { positive })),
  elementwise('softmax', softmax, { scale: 5 }),
  elementwise('softmax over rows', (x) => softmax(x, 0), { scale: 5 }),
  {
    name: 'dropout',
    tolerance: tolerances.exactish,
    draw(d) {
      const shape = [d.size(1, 30), d.size(1, 70)];
      const { rate, site, keys } = dropoutOption(d);
      return {
        outputs: { y: dropout(input('x', 'float32', ['tokens', shape[1]!]), rate, { keys, site }) },
        feeds: { x: { data: d.floats(shape[0]! * shape[1]!), shape }, keys: d.integers(shape[0]!, 2 ** 31) },
      };
    },
  },
  elementwise('cast there and back', (x) => cast(cast(x, 'int32'), 'float32'), { scale: 20 }),
  elementwise('l2Normalise', l2Normalise),
  ...Object.entries(reductions).map(([name, op]) => reduction(name, op)),
  {
    name: 'matmul, all transposes, broadcast batches',
    tolerance: tolerances.sum,
    draw(d) {
      const [m, k, n] = [d.size(1, 20), d.size(1, 40), d.size(1, 20)];
      const batches = d.pick<[number[], number[]]>(
        [[], []],
        [[3], [3]],
        [
          [2, 3],
          [2, 3],
        ],
        [[2, 3], []],
        [
          [1, 3],
          [2, 1],
        ],
      );
      const options = { transposeA: d.pick(true, false), transposeB: d.pick(true, false) };
      const a = [...batches[0], ...(options.transposeA ? [k, m] : [m, k])];
      const b = [...batches[1], ...(options.transposeB ? [n, k] : [k, n])];
      const values = (shape: number[]) => d.floats(shape.reduce((x, y) => x * y, 1));
      return {
        outputs: { y: matmul(input('a', 'float32', a), input('b', 'float32', b), options) },
        feeds: { a: values(a), b: values(b) },
      };
    },
  },
  {
    name: 'linear',
    tolerance: tolerances.sum,
    draw(d) {
      const [rows, inner, width] = [d.size(1, 30), d.size(1, 50), d.size(1, 50)];
      const leading = d.pick<(number | string)[]>(['tokens'], [1, 'tokens'], [2, 'half']);
      const count = leading.length === 2 && leading[0] === 2 ? 2 * rows : rows;
      const weight = parameter('w', [width, inner]);
      const bias = d.pick(true, false) ? parameter('b', [width]) : undefined;
      return {
        outputs: { y: linear(input('x', 'float32', [...leading, inner]), weight, bias) },
        feeds: { x: d.floats(count * inner) },
        parameters: {
          w: { dtype: 'float32', shape: [width, inner], source: d.floats(width * inner) },
          b: { dtype: 'float32', shape: [width], source: d.floats(width) },
        },
      };
    },
  },
  {
    name: 'reshape, transpose, concatenate, slice, split',
    tolerance: tolerances.exactish,
    draw(d) {
      const [rows, width] = [d.size(1, 12), d.size(2, 9)];
      const x = input('x', 'float32', ['rows', 2 * width]);
      const cut = d.size(1, width);
      const [left, right] = split(x, 1, [cut, 2 * width - cut]);
      return {
        outputs: {
          joined: concatenate([right!, left!], 1),
          turned: transpose(reshape(x, ['rows', width, 2]), [2, 0, 1]),
          flat: reshape(x, [2, width, 'rows']),
          cut: slice(x, -1, cut, cut + 1),
          twice: concatenate([x, x], 0),
        },
        feeds: { x: { data: d.floats(rows * 2 * width), shape: [rows, 2 * width] } },
      };
    },
  },
  {
    name: 'reshape with two named axes',
    tolerance: tolerances.exactish,
    draw(d) {
      const [a, b] = [d.size(1, 7), d.size(1, 7)];
      const x = input('x', 'float32', ['a', 'b', 6]);
      return {
        outputs: { y: reshape(transpose(x, [1, 0, 2]), ['b', 3, 'a', 2]) },
        feeds: { x: { data: d.floats(a * b * 6), shape: [a, b, 6] } },
      };
    },
  },
  {
    name: 'layerNorm, with and without weight and bias',
    tolerance: tolerances.sum,
    draw(d) {
      const [rows, width] = [d.size(1, 20), d.size(2, 60)];
      const x = input('x', 'float32', ['rows', width]);
      const [weight, bias] = [parameter('w', [width]), parameter('b', [width])];
      const values = d.floats(rows * width, 3).map((value) => value + 2);
      return {
        outputs: {
          full: layerNorm(x, weight, bias, { epsilon: 1e-12 }),
          weightOnly: layerNorm(x, weight),
          bare: layerNorm(x),
          skip: layerNorm(add(multiply(x, 2), x), weight, bias),
        },
        feeds: { x: values },
        parameters: {
          w: { dtype: 'float32', shape: [width], source: d.floats(width) },
          b: { dtype: 'float32', shape: [width], source: d.floats(width) },
        },
      };
    },
  },
  {
    name: 'gather',
    tolerance: tolerances.exactish,
    draw(d) {
      const [rows, width, count] = [d.size(1, 20), d.size(1, 9), d.size(1, 30)];
      const table = constant(d.floats(rows * width), [rows, width]);
      return {
        outputs: { y: gather(table, input('ids', 'int32', ['tokens'])) },
        feeds: { ids: d.integers(count, rows) },
      };
    },
  },
  {
    name: 'gatherColumns',
    tolerance: tolerances.exactish,
    draw(d) {
      const [rows, width, count] = [d.size(1, 20), d.size(1, 9), d.size(1, 12)];
      const columns = input('columns', 'int32', ['picked']);
      return {
        outputs: { y: gatherColumns(input('x', 'float32', ['rows', width]), columns) },
        feeds: { x: d.floats(rows * width), columns: d.integers(count, width) },
      };
    },
  },
  {
    // Sums of rows are added while they are normalised; here the sum is wanted as well.
    name: 'layerNorm of a residual sum',
    tolerance: tolerances.sum,
    draw(d) {
      const [rows, width] = [d.size(1, 20), d.size(2, 70)];
      const x = input('x', 'float32', ['rows', width]);
      const sum = add(x, input('residual', 'float32', ['rows', width]));
      const own = (size: number) => constant(d.floats(size), [size]);
      return {
        outputs: { y: layerNorm(sum, own(width), d.pick(true, false) ? own(width) : undefined), sum },
        feeds: { x: d.floats(rows * width), residual: d.floats(rows * width) },
      };
    },
  },
  {
    name: 'rotary',
    tolerance: tolerances.sum,
    draw(d) {
      const [tokens, heads, size] = [d.size(1, 30), d.size(1, 5), 2 * d.size(1, 16)];
      const x = input('x', 'float32', ['tokens', heads * size]);
      return {
        outputs: { y: rotary(x, input('positions', 'int32', ['tokens']), { heads, base: d.pick(10000, 160000) }) },
        feeds: { x: d.floats(tokens * heads * size), positions: d.integers(tokens, 100) },
      };
    },
  },
  {
    name: 'pooling by segment',
    tolerance: tolerances.sum,
    draw(d) {
      const [lengths, width] = [d.lengths(d.size(1, 6), 30), d.size(1, 20)];
      const layout = sequenceInputs();
      const x = input('x', 'float32', ['tokens', width]);
      return {
        outputs: Object.fromEntries(Object.entries(poolings).map(([name, pool]) => [name, pool(x, layout)])),
        feeds: { x: d.floats(lengths.reduce((a, b) => a + b) * width), ...sequenceFeeds(lengths) },
      };
    },
  },
  attentionCase('bidirectional'),
  attentionCase('causal', () => ({ options: { causal: true } })),
  attentionCase('in a window', (d) => ({ options: { window: d.size(0, 40) } })),
  attentionCase('causal in a window', (d) => ({ options: { causal: true, window: d.size(0, 40) } })),
  attentionCase('with a scale', () => ({ options: { scale: 0.3 } })),
  attentionCase('with grouped heads', (d, heads) => ({
    options: { keyHeads: heads % 2 === 0 ? heads / d.pick(1, 2) : 1 },
  })),
  attentionCase('with ALiBi', (_, heads) => ({
    options: { alibi: Array.from({ length: heads }, (__, i) => 2 ** ((-8 * (i + 1)) / heads)) },
  })),
  attentionCase('with an additive bias', (d, heads, seq) => ({
    options: { bias: input('bias', 'float32', [heads, 'seq', 'seq']) },
    feeds: { bias: { data: d.floats(heads * seq * seq), shape: [heads, seq, seq] } },
  })),
  attentionCase('by blocks', (d) => ({ options: { block: d.size(1, 9) } })),
  attentionCase('by blocks, causal', (d) => ({ options: { block: d.size(1, 9), causal: true } })),
  attentionCase('by blocks, in a window', (d) => ({ options: { block: d.size(1, 9), window: d.size(0, 12) } })),
  attentionCase('by blocks, in a causal window', (d) => ({
    options: { block: d.size(1, 9), window: d.size(0, 12), causal: true },
  })),
  attentionCase('with dropout', (d, heads) => ({
    options: {
      dropout: dropoutOption(d),
      keyHeads: heads % 2 === 0 ? heads / d.pick(1, 2) : heads,
      causal: d.pick(true, false),
    },
  })),
  attentionCase('with dropout and a bias', (d, heads, seq) => ({
    options: { dropout: dropoutOption(d), bias: input('bias', 'float32', [heads, 'seq', 'seq']) },
    feeds: { bias: { data: d.floats(heads * seq * seq), shape: [heads, seq, seq] } },
  })),
  attentionCase('with dropout, by blocks, in a window', (d) => ({
    options: { dropout: dropoutOption(d), block: d.size(1, 9), window: d.size(0, 12) },
  })),
  attentionCase('by blocks, with ALiBi', (d, heads) => ({
    options: { block: d.size(1, 9), alibi: Array.from({ length: heads }, (_, i) => 1 / (i + 2)) },
  })),
  {
    // Values on each row's own grid of 127 levels: nothing lies between two levels, where float32 might round otherwise.
    name: 'linearInt8',
    tolerance: tolerances.sum,
    draw(d) {
      const [rows, inner, width] = [d.size(1, 40), d.size(1, 80), d.size(1, 50)];
      const bias = d.pick(true, false) ? parameter('b', [width]) : undefined;
      const levels = d.integers(rows * inner, 255).map((level, i) => (i % inner === 0 ? 127 : level - 127));
      const { values, scales } = quantiseWeight(d.floats(width * inner), width, inner);
      return {
        outputs: {
          y: linearInt8(
            input('x', 'float32', ['tokens', inner]),
            parameter('w', [width, inner], 'int8'),
            parameter('s', [width]),
            bias,
          ),
        },
        feeds: { x: Float32Array.from(levels, (level, i) => (level * (1 + Math.floor(i / inner))) / 64) },
        parameters: {
          w: { dtype: 'int8', shape: [width, inner], source: values },
          s: { dtype: 'float32', shape: [width], source: scales },
          b: { dtype: 'float32', shape: [width], source: d.floats(width) },
        },
      };
    },
  },
];

/** Compiles and runs one draw on the engine and on the oracle and compares every output. */
export async function compare(
  engine: Pick<Engine, 'compile'>,
  oracle: Engine,
  drawn: Drawn,
  tolerance: Tolerance,
): Promise<void> {
  const options = { parameters: drawn.parameters ?? {} };
  const [program, truth] = [await engine.compile(drawn.outputs, options), await oracle.compile(drawn.outputs, options)];
  const [found, expected] = [await program.run(drawn.feeds), await truth.run(drawn.feeds)];
  for (const [name, value] of Object.entries(expected)) {
    assert.deepEqual(found[name]!.shape, value.shape, `shape of ${name}`);
    assert.equal(firstDifference(found[name]!.floats, value.floats, tolerance), undefined, name);
  }
  await program.close();
}

/** Declares one test a case; `runs` random draws each. */
export function checkBackend(
  label: string,
  open: () => Promise<{ engine: Engine; oracle: Engine }>,
  runs: number,
): void {
  for (const item of cases)
    test(`${label}: ${item.name}`, async () => {
      const { engine, oracle } = await open();
      await fc.assert(
        fc.asyncProperty(fc.nat(), (seed) =>
          compare(engine, oracle, item.draw(new Draw(seed, 'conformance')), item.tolerance),
        ),
        { numRuns: runs },
      );
    });
}
