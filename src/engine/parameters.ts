/**
 * The values of parameters: in memory, or a range of a file that is mapped rather than copied where the stored type is
 * the wanted one. 16-bit floats are widened to float32 (exactly) when they are loaded.
 */
import { inputError } from '../base/errors.ts';
import { bfloat16ToFloat32, float16ToFloat32 } from '../base/half.ts';
import type { DataType, TypedArray } from './graph.ts';
import { showShape } from './graph.ts';

export type StoredType = DataType | 'float16' | 'bfloat16';

export interface ParameterValue {
  readonly dtype: StoredType;
  readonly shape: readonly number[];
  /** Little-endian values (a typed array or its bytes), or where they stand in a file. */
  readonly source: TypedArray | FileRange;
}

export interface FileRange {
  readonly file: string;
  readonly offset: number;
  readonly bytes: number;
}

export type Parameters =
  | Readonly<Record<string, ParameterValue>>
  | ReadonlyMap<string, ParameterValue>
  | ((name: string) => ParameterValue | undefined);

const bytesOf: Readonly<Record<StoredType, number>> = {
  float32: 4,
  float16: 2,
  bfloat16: 2,
  int32: 4,
  int64: 8,
  int8: 1,
  uint8: 1,
  bool: 1,
};

export function isFileRange(source: ParameterValue['source']): source is FileRange {
  return 'file' in source;
}

function isMap(parameters: Parameters): parameters is ReadonlyMap<string, ParameterValue> {
  return parameters instanceof Map;
}

/** The value of a parameter of the graph; throws where there is none, or where type, shape or size do not fit. */
export function findParameter(
  parameters: Parameters,
  name: string,
  dtype: DataType,
  shape: readonly number[],
): ParameterValue {
  const value =
    typeof parameters === 'function' ? parameters(name) : isMap(parameters) ? parameters.get(name) : parameters[name];
  const wrong = (what: string, expected: string, found: string) =>
    inputError(`parameter '${name}' ${what}`, { code: 'engine.parameter', field: name, expected, found });
  if (value === undefined) throw wrong('is missing', `${dtype} ${showShape(shape)}`, 'nothing');
  if (value.shape.length !== shape.length || value.shape.some((size, axis) => size !== shape[axis]))
    throw wrong('has another shape', showShape(shape), showShape(value.shape));
  const widened = value.dtype === 'float16' || value.dtype === 'bfloat16' ? 'float32' : value.dtype;
  if (widened !== dtype) throw wrong('has another element type', dtype, value.dtype);
  const bytes = shape.reduce((a, b) => a * b, 1) * bytesOf[value.dtype];
  const found = isFileRange(value.source) ? value.source.bytes : value.source.byteLength;
  if (found !== bytes) throw wrong('has the wrong size', `${bytes} bytes`, `${found} bytes`);
  return value;
}

/** Stored 16-bit floats as float32, exactly. `bits` holds one number's bits an element. */
export function widen(bits: Uint16Array, dtype: 'float16' | 'bfloat16'): Float32Array {
  const result = new Float32Array(bits.length);
  if (dtype === 'bfloat16') bfloat16ToFloat32(bits, result);
  else float16ToFloat32(bits, result);
  return result;
}
