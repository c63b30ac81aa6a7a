/**
 * The inner loops of optimisation in WebAssembly SIMD, over float32 regions of one memory (byte offsets):
 *
 *   adamw       one step of AdamW (Loshchilov & Hutter 2019) for one region, g' = scale · g:
 *                 m ← β1 m + (1 − β1) g';  v ← β2 v + (1 − β2) g'²;  p ← p·decay − step · m / (√v + ε)
 *               The caller folds the bias corrections in: with c = √(1 − β2^t), step = lr·c / (1 − β1^t), ε = eps·c.
 *               A moment below the smallest normal float32 (1.2e-38) becomes 0. Nothing a weight could show changes, but
 *               the moments of words not seen for some 700 steps would otherwise lie there for good, where x86 takes
 *               a hundred times as long for each operation.
 *   scale       x ← f·x
 *   accumulate  y ← y + f·x
 *   squares     Σ x², each square and sum in float64: it cannot overflow, so it is finite exactly where all of x is
 *   addRows     table[ids[t]] ← table[ids[t]] + f·rows[t], t ascending
 *
 * Lengths are bytes. All but `addRows` work on whole vectors: 16 bytes and more, a multiple of 16. Lanes are
 * independent, sums run in one fixed order, no fused multiply-add is used: the result has the same bytes on every machine.
 */
import {
  type Code, constant, doWhile, f32, f32Add, f32Mul, f32x4Abs, f32x4Add, f32x4Div, f32x4Less, f32x4Mul, f32x4Splat,
  f32x4Sqrt, f32x4Sub, f64, f64Add, f64x2Add, f64x2Lane, f64x2Mul, f64x2PromoteLow, get, i32, i32Add, i32And, i32LessUnsigned,
  i32Mul, i32Sub, increase, instantiate, loadF32, loadI32, loadV128, set, storeF32, storeV128, tee, upperHalf, v128, v128AndNot,
  type WasmFunction, whileTrue,
} from '../base/wasm-module.ts'; // biome-ignore format: instructions

export interface OptimiserKernel {
  adamw(
    weights: number,
    gradient: number,
    first: number,
    second: number,
    bytes: number,
    gradientScale: number,
    decay: number,
    beta1: number,
    oneMinusBeta1: number,
    beta2: number,
    oneMinusBeta2: number,
    step: number,
    epsilon: number,
    smallestNormal: number,
  ): void;
  scale(x: number, bytes: number, factor: number): void;
  accumulate(y: number, x: number, bytes: number, factor: number): void;
  squares(x: number, bytes: number): number;
  /** `ids`: int32 values; every one is a row of the table. */
  addRows(table: number, ids: number, rows: number, count: number, rowBytes: number, factor: number): void;
}

export function optimiserKernel(memory: WebAssembly.Memory): OptimiserKernel {
  return instantiate(memory, {
    adamw: adamw(),
    scale: scale(),
    accumulate: accumulate(),
    squares: squares(),
    addRows: addRows(),
  }) as unknown as OptimiserKernel;
}

/** Copies an f32 local into every lane of a v128 local. */
const spread = (from: number, to: number): Code => [get(from), f32x4Splat, set(to)];

function adamw(): WasmFunction {
  const [p, g, m, v, end] = [0, 1, 2, 3, 4];
  const scalars = [5, 6, 7, 8, 9, 10, 11, 12, 13];
  const [factor, decay, beta1, rate1, beta2, rate2, step, epsilon, normal] = [14, 15, 16, 17, 18, 19, 20, 21, 22];
  const splats = [factor, decay, beta1, rate1, beta2, rate2, step, epsilon, normal];
  const [gradient, first, second] = [23, 24, 25];
  /** 0 where |x| is too small to be a normal number, else x; NaN stays. */
  const flushed = (x: number): Code => [get(x), get(x), f32x4Abs, get(normal), f32x4Less, v128AndNot];
  return {
    parameters: [i32, i32, i32, i32, i32, ...scalars.map(() => f32)],
    locals: [...splats.map(() => v128), v128, v128, v128],
    body: [
      splats.map((splat, i) => spread(scalars[i]!, splat)),
      [get(end), get(p), i32Add, set(end)],
      doWhile(
        [get(p), get(end), i32LessUnsigned],
        [
          [get(g), loadV128(), get(factor), f32x4Mul, set(gradient)],
          [get(m), loadV128(), get(beta1), f32x4Mul, get(rate1), get(gradient), f32x4Mul, f32x4Add],
          [set(first), get(m), flushed(first), tee(first), storeV128()],
          [get(v), loadV128(), get(beta2), f32x4Mul],
          [get(rate2), get(gradient), f32x4Mul, get(gradient), f32x4Mul, f32x4Add],
          [set(second), get(v), flushed(second), tee(second), storeV128()],
          [get(p), get(p), loadV128(), get(decay), f32x4Mul],
          [get(step), get(first), f32x4Mul, get(second), f32x4Sqrt, get(epsilon), f32x4Add, f32x4Div, f32x4Sub],
          [storeV128()],
          [p, g, m, v].map((pointer) => increase(pointer, 16)),
        ],
      ),
    ],
  };
}

function scale(): WasmFunction {
  const [x, end, factor, factors] = [0, 1, 2, 3];
  return {
    parameters: [i32, i32, f32],
    locals: [v128],
    body: [
      spread(factor, factors),
      [get(end), get(x), i32Add, set(end)],
      doWhile(
        [get(x), get(end), i32LessUnsigned],
        [get(x), get(x), loadV128(), get(factors), f32x4Mul, storeV128(), increase(x, 16)],
      ),
    ],
  };
}

function accumulate(): WasmFunction {
  const [y, x, end, factor, factors] = [0, 1, 2, 3, 4];
  return {
    parameters: [i32, i32, i32, f32],
    locals: [v128],
    body: [
      spread(factor, factors),
      [get(end), get(y), i32Add, set(end)],
      doWhile(
        [get(y), get(end), i32LessUnsigned],
        [
          [get(y), get(y), loadV128(), get(x), loadV128(), get(factors), f32x4Mul, f32x4Add, storeV128()],
          [increase(y, 16), increase(x, 16)],
        ],
      ),
    ],
  };
}

function squares(): WasmFunction {
  const [x, end, values, low, high] = [0, 1, 2, 3, 4];
  const add = (total: number): Code => [tee(values), get(values), f64x2Mul, get(total), f64x2Add, set(total)];
  const four = 5;
  return {
    parameters: [i32, i32],
    result: f64,
    locals: [v128, v128, v128, v128],
    body: [
      [get(end), get(x), i32Add, set(end)],
      doWhile(
        [get(x), get(end), i32LessUnsigned],
        [
          [get(x), loadV128(), tee(four), f64x2PromoteLow, add(low)],
          [get(four), get(four), upperHalf, f64x2PromoteLow, add(high)],
          increase(x, 16),
        ],
      ),
      [get(low), get(high), f64x2Add, tee(values), f64x2Lane(0), get(values), f64x2Lane(1), f64Add],
    ],
  };
}

function addRows(): WasmFunction {
  const [table, ids, rows, count, stride, factor] = [0, 1, 2, 3, 4, 5];
  const [target, end, vectorEnd, factors] = [6, 7, 8, 9];
  return {
    parameters: [i32, i32, i32, i32, i32, f32],
    locals: [i32, i32, i32, v128],
    body: [
      spread(factor, factors),
      whileTrue(get(count), [
        [get(table), get(ids), loadI32(), get(stride), i32Mul, i32Add, tee(target), get(stride), i32Add, set(end)],
        [get(end), get(stride), constant(15), i32And, i32Sub, set(vectorEnd)],
        whileTrue(
          [get(target), get(vectorEnd), i32LessUnsigned],
          [
            [
              get(target),
              get(target),
              loadV128(),
              get(rows),
              loadV128(),
              get(factors),
              f32x4Mul,
              f32x4Add,
              storeV128(),
            ],
            [increase(target, 16), increase(rows, 16)],
          ],
        ),
        whileTrue(
          [get(target), get(end), i32LessUnsigned],
          [
            [get(target), get(target), loadF32(), get(rows), loadF32(), get(factor), f32Mul, f32Add, storeF32()],
            [increase(target, 4), increase(rows, 4)],
          ],
        ),
        [increase(ids, 4), increase(count, -1)],
      ]),
    ],
  };
}
