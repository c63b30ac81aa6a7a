/** The strict JSON parser against JSON.parse, and in what it refuses beyond it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseStrictJson, StrictJsonError } from '../../src/base/strict-json.ts';

test('reads what JSON.parse reads', () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 6 }), fc.nat(4), (text, indent) => {
      const spaced = JSON.stringify(JSON.parse(text), null, indent);
      assert.equal(JSON.stringify(parseStrictJson(spaced)), JSON.stringify(JSON.parse(spaced)));
    }),
  );
});

test('refuses what JSON.parse refuses', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...'{}[]":,\\ue1.-+ \n\tntfa0"'), maxLength: 12 }), (text) => {
      let valid = true;
      try {
        JSON.parse(text);
      } catch {
        valid = false;
      }
      if (valid) parseStrictJson(text);
      else assert.throws(() => parseStrictJson(text), StrictJsonError);
    }),
    { numRuns: 3000 },
  );
});

test('refuses duplicate keys, deep nesting and, where asked, all but whole numbers; says where', () => {
  assert.throws(() => parseStrictJson('{"a": 1,\n "a": 2}'), { name: 'StrictJsonError', line: 2, offset: 10 });
  assert.throws(() => parseStrictJson('{"a":1,"\\u0061":2}'), /stands twice/);
  assert.throws(() => parseStrictJson('['.repeat(40) + ']'.repeat(40)), /nested deeper/);
  assert.throws(() => parseStrictJson('['.repeat(1e6)), /nested deeper/);
  for (const number of ['-1', '1.0', '1e3', '9007199254740992', '-0'])
    assert.throws(() => parseStrictJson(number, { integersOnly: true }), StrictJsonError);
  assert.equal(parseStrictJson('9007199254740991', { integersOnly: true }), 9007199254740991);
  assert.deepEqual(Object.keys(parseStrictJson('{"__proto__":1,"constructor":2}') as object), [
    '__proto__',
    'constructor',
  ]);
});
