/** Changing the element type. */
import { type DataType, defineOp, type Tensor } from './graph.ts';
import { ndarray } from './ndarray.ts';
import { type ElementType, elementCode } from './onnx.ts';

const castNode = defineOp<{ to: DataType }>({
  name: 'cast',
  infer: ([x], { to }) => ({ dtype: to, shape: x!.shape }),
  evaluate: ([x], { to }, shape) =>
    ndarray(
      shape,
      x!.data.map((value) => (to === 'float32' ? value : to === 'bool' ? Number(value !== 0) : Math.trunc(value))),
    ),
  lower: (context, inputs, { to }) => context.emit('Cast', inputs, { to: elementCode(to as ElementType) }),
  gradient: () => [], // a change between float32 and integers is constant almost everywhere
});

/** The same values in another element type; floats are cut towards zero, anything but 0 is true. */
export function cast(x: Tensor, to: DataType): Tensor {
  return x.dtype === to ? x : castNode([x], { to });
}
