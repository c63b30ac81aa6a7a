/** Text from outside cannot steer a terminal. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { inputError } from '../../src/base/errors.ts';
import { explainWriteError } from '../../src/base/node/atomic.ts';
import { printable, printableColoured } from '../../src/base/printable.ts';

const text = fc.string({ unit: fc.integer({ min: 0, max: 0xff }).map((code) => String.fromCharCode(code)) });
const controls = (result: string) =>
  [...result.replaceAll('\r\n', '\n')].filter((character) => {
    const code = character.charCodeAt(0);
    return code !== 9 && code !== 10 && (code < 32 || (code >= 127 && code < 160));
  });

test('no control character passes but tab and line ends; all else stays', () => {
  fc.assert(
    fc.property(text, (input) => {
      assert.deepEqual(controls(printable(input)), []);
      assert.equal(printable(printable(input)), printable(input));
    }),
  );
  assert.equal(printable('a\tb\nc\r\nd é 日本'), 'a\tb\nc\r\nd é 日本');
  assert.equal(printable('\u001b]0;owned\u0007'), '\\x1b]0;owned\\x07');
});

test('colours pass in text of our own, nothing else', () => {
  assert.equal(printableColoured('\u001b[31mred\u001b[0m\u001b[2J'), '\u001b[31mred\u001b[0m\\x1b[2J');
});

test('an error message shows what it found without obeying it', () => {
  const error = inputError('strange', { code: 'x', file: 'a\u001b[2Jb', found: '\u0007' });
  assert.deepEqual(controls(error.describe()), []);
});

test('what the system says of a full or forbidden disk becomes one message', () => {
  const codeOf = (error: unknown) => (explainWriteError(error, 'x') as { code?: string }).code;
  assert.equal(codeOf(Object.assign(new Error('x'), { code: 'ENOSPC' })), 'disk.full');
  assert.equal(codeOf(new Error('IO Error: Could not write file: No space left on device')), 'disk.full');
  assert.equal(codeOf(Object.assign(new Error('x'), { code: 'EROFS' })), 'disk.forbidden');
  assert.equal(codeOf(Object.assign(new Error('x'), { code: 'ENOENT', syscall: 'mkdir' })), 'disk.forbidden');
  assert.equal(codeOf(Object.assign(new Error('x'), { code: 'ENOTDIR' })), 'disk.kind');
  assert.equal(codeOf(Object.assign(new Error('x'), { code: 'ENOENT', syscall: 'open' })), 'ENOENT');
});
