/** Arrays of the reference interpreter: row-major float64 with a shape in numbers, whatever the element type. */
export interface NdArray {
  readonly shape: readonly number[];
  readonly data: Float64Array;
}

export function ndarray(shape: readonly number[], data?: Float64Array): NdArray {
  const size = shape.reduce((total, length) => total * length, 1);
  return { shape, data: data ?? new Float64Array(size) };
}

/** Row-major strides; an axis of length 1 gets stride 0, so that it broadcasts. */
export function stridesOf(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length);
  let stride = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = shape[axis] === 1 ? 0 : stride;
    stride *= shape[axis]!;
  }
  return strides;
}

/** Calls `visit(offsets)` for every index of `shape` in row-major order; `offsets[i]` is where operand i has its element. */
export function forEachIndex(
  shape: readonly number[],
  strides: readonly (readonly number[])[],
  visit: (offsets: readonly number[], position: number) => void,
): void {
  const rank = shape.length;
  const total = shape.reduce((count, length) => count * length, 1);
  const index = new Array<number>(rank).fill(0);
  const offsets = strides.map(() => 0);
  for (let position = 0; position < total; position++) {
    visit(offsets, position);
    for (let axis = rank - 1; axis >= 0; axis--) {
      index[axis]!++;
      for (let i = 0; i < strides.length; i++) offsets[i]! += strides[i]![axis]!;
      if (index[axis]! < shape[axis]!) break;
      for (let i = 0; i < strides.length; i++) offsets[i]! -= strides[i]![axis]! * shape[axis]!;
      index[axis] = 0;
    }
  }
}

/** Strides of `array` seen as an operand of the broadcast shape. */
export function broadcastStrides(array: NdArray, shape: readonly number[]): number[] {
  return [...new Array<number>(shape.length - array.shape.length).fill(0), ...stridesOf(array.shape)];
}

/** Applies `f` element by element with broadcasting. */
export function mapArrays(
  shape: readonly number[],
  arrays: readonly NdArray[],
  f: (...x: number[]) => number,
): NdArray {
  const result = ndarray(shape);
  const strides = arrays.map((array) => broadcastStrides(array, shape));
  forEachIndex(shape, strides, (offsets, position) => {
    result.data[position] = f(...arrays.map((array, i) => array.data[offsets[i]!]!));
  });
  return result;
}
