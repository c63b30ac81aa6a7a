/**
 * Rotary position embedding (Su et al. 2021), half rotation as in Hugging Face's models: within each head of size d,
 * element i < d/2 and its partner i + d/2 turn by the angle position · base^(−2i/d).
 */
import { defineOp, fail, requireRank, requireType, type Tensor } from './graph.ts';
import { ndarray } from './ndarray.ts';

export interface RotaryOptions {
  heads: number;
  /** Theta: 10000 in the paper. */
  base: number;
  /** Turns back: the gradient. Default false. */
  inverse?: boolean;
}

/** Turns a position of the pairs of a head, base^(−2i/size). */
export const frequencies = (size: number, base: number) =>
  Array.from({ length: size / 2 }, (_, i) => base ** ((-2 * i) / size));

const rotaryNode = defineOp<RotaryOptions>({
  name: 'rotary',
  infer([x, positions], { heads }) {
    requireType('rotary', x!, 'float32');
    requireType('rotary', positions!, 'int32');
    requireRank('rotary', x!, 2);
    requireRank('rotary', positions!, 1);
    const width = x!.shape[1]!;
    if (typeof width !== 'number' || width % (2 * heads) !== 0)
      fail('rotary', `${width} columns do not make ${heads} heads of even size`);
    return { dtype: 'float32', shape: x!.shape };
  },
  evaluate([x, positions], { heads, base, inverse = false }, shape) {
    const result = ndarray(shape);
    const width = shape[1]!;
    const size = width / heads;
    const half = size / 2;
    const turns = frequencies(size, base);
    for (let row = 0; row < shape[0]!; row++)
      for (let head = 0; head < heads; head++)
        for (let i = 0; i < half; i++) {
          const at = row * width + head * size + i;
          const angle = (inverse ? -1 : 1) * positions!.data[row]! * turns[i]!;
          const [a, b] = [x!.data[at]!, x!.data[at + half]!];
          result.data[at] = a * Math.cos(angle) - b * Math.sin(angle);
          result.data[at + half] = b * Math.cos(angle) + a * Math.sin(angle);
        }
    return result;
  },
  lower(context, [x, positions], { heads, base, inverse = false }, [tensor]) {
    const size = (tensor!.shape[1] as number) / heads;
    const first = context.constant([0], [1], 'int64');
    // Angles [1, tokens, size/2], shared by every layer of the same base.
    const angles = context.shared(`angles ${positions} ${size} ${base}`, () =>
      context.emit('Mul', [
        context.emit('Unsqueeze', [
          context.emit('Cast', [positions!], { to: 1 }),
          context.constant([0, 2], [2], 'int64'),
        ]),
        context.constant(frequencies(size, base)),
      ]),
    );
    const turn = (type: string) => context.shared(`${type} ${angles}`, () => context.emit(type, [angles]));
    const sine = () =>
      inverse ? context.shared(`-Sin ${angles}`, () => context.emit('Neg', [turn('Sin')])) : turn('Sin');
    const turned = context.emit('RotaryEmbedding', [context.emit('Unsqueeze', [x!, first]), turn('Cos'), sine()], {
      num_heads: heads,
    });
    return context.emit('Squeeze', [turned, first]);
  },
  gradient: ({ inputs: [, positions], attributes }, cotangent) => [
    rotary(cotangent, positions!, { ...attributes, inverse: !attributes.inverse }),
    undefined,
  ],
});

/** Turns x [tokens, heads · size] by its positions, int32 [tokens]. */
export function rotary(x: Tensor, positions: Tensor, options: RotaryOptions): Tensor {
  return rotaryNode([x, positions], options);
}
