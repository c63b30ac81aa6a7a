/**
 * NumPy's .npy format, version 1.0: 6 magic bytes, version, header length, a Python literal with dtype, order and shape,
 * padded to 64 bytes, then the values little-endian in C order. Only what patentlab writes is read back: float32, float64
 * and int32, C order. Portable.
 */
import { inputError, quoteFound } from './errors.ts';

type NpyData = Float32Array | Float64Array | Int32Array;

interface NpyArray<T extends NpyData = NpyData> {
  data: T;
  shape: number[];
}

const magic = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0]; // \x93NUMPY, 1.0
const codes = { '<f4': Float32Array, '<f8': Float64Array, '<i4': Int32Array } as const;
type Code = keyof typeof codes;

/** The bytes before the values of an array of this type and shape. */
export function npyHeader(type: 'float32' | 'float64' | 'int32', shape: readonly number[]): Uint8Array {
  const code: Code = type === 'float32' ? '<f4' : type === 'float64' ? '<f8' : '<i4';
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`;
  const literal = `{'descr': '${code}', 'fortran_order': False, 'shape': ${tuple}, }`;
  const length = Math.ceil((magic.length + 2 + literal.length + 1) / 64) * 64;
  const bytes = new Uint8Array(length).fill(0x20);
  bytes.set(magic);
  new DataView(bytes.buffer).setUint16(8, length - 10, true);
  bytes.set(new TextEncoder().encode(literal), 10);
  bytes[length - 1] = 0x0a;
  return bytes;
}

/** A whole .npy file. */
export function encodeNpy(data: NpyData, shape: readonly number[]): Uint8Array {
  const type = data instanceof Float32Array ? 'float32' : data instanceof Float64Array ? 'float64' : 'int32';
  const header = npyHeader(type, shape);
  const bytes = new Uint8Array(header.length + data.byteLength);
  bytes.set(header);
  bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), header.length);
  return bytes;
}

/** Reads a whole .npy file; `file` is named in errors. */
export function decodeNpy(bytes: Uint8Array, file: string): NpyArray {
  const { code, shape, offset } = decodeNpyHeader(bytes, file);
  const count = shape.reduce((product, size) => product * size, 1);
  const size = codes[code].BYTES_PER_ELEMENT;
  if (bytes.length - offset !== count * size) {
    throw inputError('this .npy file does not hold what its header says', {
      code: 'npy.length',
      file,
      expected: `${count * size} bytes for shape ${shape.join(' x ')}`,
      found: `${bytes.length - offset} bytes`,
    });
  }
  const aligned = new Uint8Array(bytes.subarray(offset)).buffer; // a copy: a Node Buffer's slice() is a view of its pool
  return { data: new codes[code](aligned), shape };
}

/** Type, shape and the offset of the first value. */
function decodeNpyHeader(bytes: Uint8Array, file: string): { code: Code; shape: number[]; offset: number } {
  const fail = (expected: string, found: unknown) =>
    inputError('not a .npy file that can be read here', {
      code: 'npy.format',
      file,
      expected,
      found: quoteFound(found),
    });
  if (bytes.length < 10 || magic.some((byte, at) => at < 6 && bytes[at] !== byte))
    throw fail('NumPy magic bytes', bytes.length);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const wide = bytes[6]! >= 2;
  const offset = wide ? 12 + view.getUint32(8, true) : 10 + view.getUint16(8, true);
  const text = new TextDecoder('latin1').decode(bytes.subarray(wide ? 12 : 10, Math.min(offset, bytes.length)));
  const code = /'descr':\s*'([^']+)'/.exec(text)?.[1];
  if (code === undefined || !(code in codes)) throw fail('dtype <f4, <f8 or <i4', code ?? text);
  if (!/'fortran_order':\s*False/.test(text)) throw fail('C order', text);
  const tuple = /'shape':\s*\(([^)]*)\)/.exec(text)?.[1];
  if (tuple === undefined) throw fail('a shape', text);
  const shape = tuple
    .split(',')
    .filter((part) => part.trim() !== '')
    .map(Number);
  return { code: code as Code, shape, offset };
}
