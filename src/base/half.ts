/**
 * 16-bit floats to float32, exactly: every finite value, infinity, signed zero and NaN payload. Integer operations on the
 * bits, so that no value passes through a conversion that could quieten a NaN.
 *
 *   bfloat16: the upper half of a float32.
 *   float16:  sign 1, exponent 5 (bias 15), fraction 10; float32 has sign 1, exponent 8 (bias 127), fraction 23.
 */

/** `target` has as many values as `source`. */
export function bfloat16ToFloat32(source: Uint16Array, target: Float32Array): void {
  const bits = new Uint32Array(target.buffer, target.byteOffset, target.length);
  for (let i = 0; i < source.length; i++) bits[i] = source[i]! << 16;
}

/** `target` has as many values as `source`. */
export function float16ToFloat32(source: Uint16Array, target: Float32Array): void {
  const bits = new Uint32Array(target.buffer, target.byteOffset, target.length);
  for (let i = 0; i < source.length; i++) {
    const half = source[i]!;
    const sign = (half & 0x8000) << 16;
    const rest = half & 0x7fff;
    if (rest >= 0x7c00) {
      bits[i] = sign | 0x7f800000 | ((rest & 0x3ff) << 13);
    } else if (rest >= 0x400) {
      bits[i] = sign | ((rest << 13) + 0x38000000); // 112 more in the exponent
    } else if (rest === 0) {
      bits[i] = sign;
    } else {
      // Subnormal: fraction * 2^-24; shift its leading one to the place that float32 leaves out.
      const shift = Math.clz32(rest) - 21; // 1 … 10
      bits[i] = sign | ((113 - shift) << 23) | (((rest << shift) & 0x3ff) << 13);
    }
  }
}
