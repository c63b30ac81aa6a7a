import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeNpy, encodeNpy } from '../../src/base/npy.ts';

test('what is written is read back, for all types and shapes', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 3 }),
      fc.constantFrom(Float32Array, Float64Array, Int32Array),
      (shape, Type) => {
        const count = shape.reduce((a, b) => a * b, 1);
        const data = new Type(count).map((_: number, i: number) => i * 3 - 7);
        const back = decodeNpy(encodeNpy(data, shape), 'x.npy');
        assert.deepEqual(back, { data, shape });
      },
    ),
  );
});

test("the header is NumPy's own (bytes of numpy.save(numpy.zeros((2, 3), 'f4')))", () => {
  const text = new TextDecoder('latin1').decode(encodeNpy(new Float32Array(6), [2, 3]).subarray(0, 128));
  assert.equal(text.slice(10), `{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }${' '.repeat(58)}\n`);
  assert.equal(text.charCodeAt(8), 118);
});

test('a damaged file is refused with its name', () => {
  const good = encodeNpy(new Float32Array(6), [2, 3]);
  assert.throws(() => decodeNpy(good.subarray(0, good.length - 1), 'cut.npy'), /header says/);
  assert.throws(() => decodeNpy(new Uint8Array(20), 'zero.npy'), /not a \.npy/);
});
