/**
 * The networks of bench/tfjs.ts, which both sides build: their sizes, and their numbers by a formula that any program can
 * follow.
 *
 *   mlp      x [rows, 384] → relu 1536 → relu 1536 → 384
 *   encoder  one post-norm encoder layer of width 384 with 6 heads and a ReLU feed-forward of 1536, on `batch` sequences of `seq`
 *
 * Loss: the mean square of (result − target); update: Adam.
 */
export type NetworkName = 'mlp' | 'encoder';

export const sizes = {
  hidden: 384,
  inner: 1536,
  heads: 6,
  batch: 8,
  seq: 128,
  learningRate: 1e-3,
  epsilon: 1e-5,
} as const;
export const rows = sizes.batch * sizes.seq;

/** Weights are [in, out]. */
export function parameterShapes(network: NetworkName): Record<string, number[]> {
  const { hidden, inner } = sizes;
  const dense = (name: string, width: number, out: number) => ({
    [`${name}.weight`]: [width, out],
    [`${name}.bias`]: [out],
  });
  const norm = (name: string) => ({ [`${name}.weight`]: [hidden], [`${name}.bias`]: [hidden] });
  if (network === 'mlp')
    return { ...dense('first', hidden, inner), ...dense('second', inner, inner), ...dense('third', inner, hidden) };
  return {
    ...Object.assign({}, ...['query', 'key', 'value', 'out'].map((name) => dense(name, hidden, hidden))),
    ...norm('norm1'),
    ...dense('up', hidden, inner),
    ...dense('down', inner, hidden),
    ...norm('norm2'),
  };
}

/** Numbers in (−bound, bound) that look random: fractional parts of a sine. */
export function numbers(length: number, seed: number, bound = 1): Float32Array {
  return Float32Array.from({ length }, (_, i) => {
    const value = Math.sin(i * 12.9898 + seed * 78.233) * 43758.5453;
    return bound * (2 * (value - Math.floor(value)) - 1);
  });
}

/** The first values of a parameter. */
export function initial(name: string, shape: readonly number[], seed: number): Float32Array {
  const length = shape.reduce((a, b) => a * b, 1);
  if (name.startsWith('norm')) return new Float32Array(length).fill(name.endsWith('weight') ? 1 : 0);
  return shape.length === 1 ? new Float32Array(length) : numbers(length, seed, Math.sqrt(3 / shape[0]!));
}
