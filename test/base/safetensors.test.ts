/** safetensors: round trips with Python's writer, hostile files, fuzzing. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { PatentlabError } from '../../src/base/errors.ts';
import { nodePlatform } from '../../src/base/node/platform.ts';
import type { Files } from '../../src/base/platform.ts';
import {
  encodeSafetensors,
  openSafetensors,
  parseSafetensors,
  readFloat32,
  readTensorBytes,
  type SafetensorsDtype,
} from '../../src/base/safetensors.ts';
import { scratch } from '../support/scratch.ts';

const { files } = nodePlatform;
const fixture = join(import.meta.dirname, '..', 'fixtures', 'safetensors', 'mixed.safetensors');

/** A file from a header written by hand and so many bytes of data. */
function file(header: string | Uint8Array, dataBytes = 0, length?: bigint): Uint8Array {
  const text = typeof header === 'string' ? new TextEncoder().encode(header) : header;
  const bytes = new Uint8Array(8 + text.length + dataBytes);
  new DataView(bytes.buffer).setBigUint64(0, length ?? BigInt(text.length), true);
  bytes.set(text, 8);
  return bytes;
}
const tensor = (dtype: string, shape: unknown, begin: unknown, end: unknown) =>
  JSON.stringify({ dtype, shape, data_offsets: [begin, end] });

describe('a file of Python’s', () => {
  test('is read: names, shapes, metadata, values', async () => {
    const { tensors, metadata } = await openSafetensors(files, fixture);
    assert.deepEqual(metadata, { format: 'pt' });
    assert.deepEqual(tensors.get('zeta')!.shape, [2, 3]);
    assert.deepEqual(
      await readFloat32(files, tensors.get('zeta')!),
      Float32Array.from({ length: 6 }, (_, i) => Math.fround(i / 7)),
    );
    const alpha = new BigInt64Array((await readTensorBytes(files, tensors.get('alpha')!)).buffer);
    assert.deepEqual([...alpha], [2n ** 53n - 1n, -(2n ** 60n)]);
    assert.deepEqual([tensors.get('empty')!.bytes, ...tensors.get('empty')!.shape], [0, 3, 0, 2]);
    assert.deepEqual(tensors.get('scalar')!.shape, []);
    assert.deepEqual([...(await readFloat32(files, tensors.get('scalar')!))], [2.5]);
    assert.deepEqual([...(await readTensorBytes(files, tensors.get('mask')!))], [1, 0, 1]);
    assert.ok(tensors.has('naïve ✓'));
  });

  test('16-bit floats widen to the bits that PyTorch gives', async () => {
    const { tensors } = await openSafetensors(files, fixture);
    for (const kind of ['half', 'brain']) {
      const found = await readFloat32(files, tensors.get(`${kind}.values`)!);
      const expected = await readFloat32(files, tensors.get(`${kind}.wide`)!);
      for (let i = 0; i < found.length; i++)
        if (Number.isNaN(found[i]!)) assert.equal(expected[i], 0);
        else assert.ok(Object.is(found[i], expected[i]), `${kind} ${i}: ${found[i]} against ${expected[i]}`);
    }
  });

  test('is written again byte for byte', async () => {
    const bytes = readFileSync(fixture);
    const { tensors, metadata } = parseSafetensors(bytes, 'memory');
    const again = encodeSafetensors(
      [...tensors.values()].toReversed().map(({ name, dtype, shape, offset, bytes: length }) => ({
        name,
        dtype,
        shape,
        data: bytes.subarray(offset, offset + length),
      })),
      metadata,
    );
    assert.ok(Buffer.from(again).equals(bytes));
  });

  test('only the wanted ranges are read', async () => {
    const ranges: number[] = [];
    const watching: Files = {
      ...files,
      read: () => assert.fail('the whole file was read'),
      readRange(path, offset, length) {
        ranges.push(length);
        return files.readRange(path, offset, length);
      },
    };
    const { tensors } = await openSafetensors(watching, fixture);
    await readFloat32(watching, tensors.get('zeta')!);
    assert.deepEqual([ranges[0], ranges.at(-1), ranges.length], [8, 24, 3]);
  });
});

describe('hostile and broken files get one clear message', () => {
  const cases: [name: string, code: string, bytes: Uint8Array][] = [
    ['empty', 'short', new Uint8Array(0)],
    ['seven bytes', 'short', new Uint8Array(7)],
    ['header of 100 MB and one byte', 'header-length', file('{}', 0, 100_000_001n)],
    ['header length of 2^64 - 1', 'header-length', file('{}', 0, 2n ** 64n - 1n)],
    ['header length of nothing', 'header-length', file('{}', 0, 0n)],
    ['header beyond the end', 'truncated', file('{}', 0, 1000n)],
    ['header of spaces first', 'header-start', file(' {}')],
    ['header of an array', 'header-start', file('[]')],
    ['header not UTF-8', 'header-encoding', file(Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x7d))],
    ['header not JSON', 'header-json', file('{"a": }')],
    ['header with a second value', 'header-json', file('{} {}')],
    ['key twice', 'header-json', file(`{"a":${tensor('U8', [1], 0, 1)},"a":${tensor('U8', [1], 0, 1)}}`, 1)],
    ['key twice within', 'header-json', file('{"a":{"dtype":"U8","dtype":"I8","shape":[1],"data_offsets":[0,1]}}', 1)],
    [
      'key twice by an escape',
      'header-json',
      file(`{"a":${tensor('U8', [1], 0, 1)},"\\u0061":${tensor('U8', [0], 1, 1)}}`, 1),
    ],
    ['deep nesting', 'header-json', file(`{"a":${'['.repeat(1000)}${']'.repeat(1000)}}`)],
    ['negative offset', 'header-json', file(`{"a":${tensor('U8', [1], -1, 0)}}`)],
    ['size of 2^53', 'header-json', file(`{"a":${tensor('U8', [2 ** 53], 0, 2 ** 53)}}`)],
    ['size with a fraction', 'header-json', file('{"a":{"dtype":"U8","shape":[1.0],"data_offsets":[0,1]}}', 1)],
    ['product overflows', 'shape', file(`{"a":${tensor('F32', [2 ** 32, 2 ** 32], 0, 0)}}`)],
    ['product overflows before a zero', 'shape', file(`{"a":${tensor('F32', [2 ** 40, 2 ** 40, 0], 0, 0)}}`)],
    ['product overflows after a zero', 'shape', file(`{"a":${tensor('F32', [0, 2 ** 40, 2 ** 40], 0, 0)}}`)],
    ['product wraps around to a small number', 'shape', file(`{"a":${tensor('U8', [2 ** 33, 2 ** 31], 0, 0)}}`)],
    ['half a byte', 'shape', file(`{"a":${tensor('F4', [3], 0, 2)}}`, 2)],
    ['shape no list', 'shape', file(`{"a":${tensor('U8', 1, 0, 1)}}`, 1)],
    ['unknown dtype', 'dtype', file(`{"a":${tensor('F99', [1], 0, 1)}}`, 1)],
    ['dtype of the prototype', 'dtype', file(`{"a":${tensor('toString', [1], 0, 1)}}`, 1)],
    ['offsets turned around', 'offsets', file(`{"a":${tensor('U8', [1], 1, 0)}}`, 1)],
    ['three offsets', 'offsets', file('{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1,2]}}', 1)],
    ['field missing', 'fields', file('{"a":{"dtype":"U8","shape":[1]}}', 1)],
    ['field too many', 'fields', file('{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1],"x":1}}', 1)],
    ['entry no object', 'fields', file('{"a":7}')],
    ['too short for its shape', 'length', file(`{"a":${tensor('F32', [2], 0, 4)}}`, 4)],
    ['too long for its shape', 'length', file(`{"a":${tensor('F32', [2], 0, 12)}}`, 12)],
    ['empty tensor that takes bytes', 'length', file(`{"a":${tensor('F32', [0], 0, 4)}}`, 4)],
    ['hole at the start', 'hole', file(`{"a":${tensor('U8', [1], 1, 2)}}`, 2)],
    ['hole between', 'hole', file(`{"a":${tensor('U8', [1], 0, 1)},"b":${tensor('U8', [1], 2, 3)}}`, 3)],
    ['empty tensor in a hole', 'trailing', file(`{"a":${tensor('U8', [0], 0, 0)}}`, 1)],
    [
      'empty tensor inside another',
      'overlap',
      file(`{"a":${tensor('U8', [4], 0, 4)},"b":${tensor('U8', [0], 2, 2)}}`, 4),
    ],
    ['overlap', 'overlap', file(`{"a":${tensor('U8', [2], 0, 2)},"b":${tensor('U8', [2], 1, 3)}}`, 3)],
    ['same bytes twice', 'overlap', file(`{"a":${tensor('U8', [2], 0, 2)},"b":${tensor('U8', [2], 0, 2)}}`, 2)],
    ['data cut off', 'truncated', file(`{"a":${tensor('U8', [9], 0, 9)}}`, 8)],
    ['data too many', 'trailing', file(`{"a":${tensor('U8', [1], 0, 1)}}`, 2)],
    ['metadata of numbers', 'metadata', file('{"__metadata__":{"a":1}}')],
    ['metadata a list', 'metadata', file('{"__metadata__":[]}')],
  ];
  for (const [name, code, bytes] of cases) {
    test(name, async (t) => {
      const path = join(scratch(t), 'hostile.safetensors');
      writeFileSync(path, bytes);
      const failed = (error: unknown) => {
        assert.ok(error instanceof PatentlabError, String(error));
        assert.equal(error.code, `safetensors.${code}`);
        assert.equal(error.details.file, path);
        assert.equal(error.exitCode, 2);
        assert.ok(error.describe().length < 1500);
        return true;
      };
      assert.throws(() => parseSafetensors(bytes, path), failed);
      await assert.rejects(openSafetensors(files, path), failed);
    });
  }

  test('no such file; a file cut off after it was opened; a dtype that is no float', async (t) => {
    const path = join(scratch(t), 'a.safetensors');
    await assert.rejects(openSafetensors(files, path), { code: 'safetensors.absent' });
    writeFileSync(path, encodeSafetensors([{ name: 'a', dtype: 'I32', shape: [4], data: new Int32Array(4) }]));
    const { tensors } = await openSafetensors(files, path);
    await assert.rejects(readFloat32(files, tensors.get('a')!), { code: 'safetensors.dtype' });
    writeFileSync(path, readFileSync(path).subarray(0, -4));
    await assert.rejects(readTensorBytes(files, tensors.get('a')!), { code: 'safetensors.truncated' });
  });
});

test('a tensor may be called __proto__, and empty tensors may share a place', () => {
  const bytes = encodeSafetensors([
    { name: '__proto__', dtype: 'U8', shape: [2], data: Uint8Array.of(1, 2) },
    { name: 'empty.1', dtype: 'U8', shape: [0, 9], data: new Uint8Array(0) },
    { name: 'empty.2', dtype: 'U8', shape: [5, 0], data: new Uint8Array(0) },
  ]);
  const { tensors } = parseSafetensors(bytes, 'memory');
  assert.deepEqual([...tensors.keys()].sort(), ['__proto__', 'empty.1', 'empty.2']);
  assert.equal(tensors.get('__proto__')!.bytes, 2);
});

// Properties -------------------------------------------------------------------------------------------------------

const widths = { U8: 1, F16: 2, F32: 4, I64: 8 } as const satisfies Partial<Record<SafetensorsDtype, number>>;
const storable = fc
  .uniqueArray(
    fc.record({
      name: fc.string({ unit: 'grapheme', maxLength: 12 }).filter((name) => name !== '__metadata__'),
      dtype: fc.constantFrom('U8', 'F16', 'F32', 'I64'),
      shape: fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 3 }),
      seed: fc.nat(255),
    }),
    { selector: ({ name }) => name, maxLength: 6 },
  )
  .map((list) =>
    list.map(({ name, dtype, shape, seed }) => {
      const length = shape.reduce((a, b) => a * b, 1) * widths[dtype];
      return { name, dtype, shape, data: Uint8Array.from({ length }, (_, i) => seed + 31 * i) };
    }),
  );

test('what is written is read', () => {
  fc.assert(
    fc.property(storable, fc.dictionary(fc.string(), fc.string(), { maxKeys: 3 }), (tensors, metadata) => {
      const bytes = encodeSafetensors(tensors, metadata);
      const read = parseSafetensors(bytes, 'memory');
      assert.deepEqual({ ...read.metadata }, { ...metadata });
      assert.equal(read.tensors.size, tensors.length);
      for (const { name, dtype, shape, data } of tensors) {
        const found = read.tensors.get(name)!;
        assert.deepEqual([found.dtype, [...found.shape]], [dtype, shape]);
        assert.deepEqual(bytes.slice(found.offset, found.offset + found.bytes), data);
      }
    }),
    { numRuns: 100 },
  );
});

test('a damaged file is refused with a message, or is a valid file still: never a crash, never a range outside it', () => {
  const change = fc.record({ at: fc.double({ min: 0, max: 1, noNaN: true }), value: fc.nat(255), kind: fc.nat(2) });
  fc.assert(
    fc.property(storable, fc.array(change, { minLength: 1, maxLength: 4 }), (tensors, changes) => {
      let bytes = [...encodeSafetensors(tensors)];
      for (const { at, value, kind } of changes) {
        const place = Math.min(bytes.length - 1, Math.floor(at * bytes.length));
        if (kind === 0) bytes[place] = value;
        else if (kind === 1) bytes.splice(place, 1);
        else bytes = bytes.slice(0, place + 1);
        if (bytes.length === 0) return;
      }
      let read: ReturnType<typeof parseSafetensors>;
      try {
        read = parseSafetensors(Uint8Array.from(bytes), 'memory');
      } catch (error) {
        assert.ok(error instanceof PatentlabError, String(error));
        return;
      }
      let covered = 0;
      for (const { offset, bytes: length } of read.tensors.values()) {
        assert.ok(offset >= 8 && offset + length <= bytes.length);
        covered += length;
      }
      assert.equal(
        8 + Number(new DataView(Uint8Array.from(bytes).buffer).getBigUint64(0, true)) + covered,
        bytes.length,
      );
    }),
    { numRuns: 500 },
  );
});
