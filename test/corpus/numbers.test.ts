import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { numberForms, plainPairs, wkuCheckDigit } from '../../src/corpus/number-forms.ts';
import { normaliseNumber, parseNumber, sameApplication } from '../../src/corpus/numbers.ts';

test('every pair of the table is one application', () => {
  for (const [a, b] of [...numberForms.flatMap((form) => form.pairs), ...plainPairs]) {
    const [x, y] = [parseNumber(a), parseNumber(b)];
    assert.ok(x, `${a} is not read`);
    assert.ok(y, `${b} is not read`);
    assert.equal(x.key, y.key, `${a} and ${b}`);
    assert.ok(sameApplication(x, y), `${a} and ${b}`);
    if (x.kind !== undefined && y.kind !== undefined) assert.equal(normaliseNumber(a), normaliseNumber(b));
  }
});

test('kind codes are kept', () => {
  assert.deepEqual(parseNumber('US-2004137729-A1'), {
    country: 'US',
    number: '20040137729',
    kind: 'A1',
    key: 'US20040137729',
  });
  assert.equal(normaliseNumber('EP 0 005 432 B1'), 'EP5432B1');
  assert.equal(normaliseNumber('US3911730'), 'US3911730');
  assert.equal(normaliseNumber('US3911730A'), 'US3911730A');
  assert.equal(parseNumber('USD612345S1')?.kind, 'S1');
  assert.equal(parseNumber('DE69012345T2')?.kind, 'T2');
});

test('numbers of different documents stay apart', () => {
  const apart = [
    ['JPS5841326A', 'JPS5841326B'],
    ['JPS5841326A', 'JPS5841326U'],
    ['CN1234567A', 'CN1234567C'],
    ['US4121250A', 'USD4121250S'],
    ['US4121250A', 'EP4121250A1'],
    ['JPH0541326A', 'JPS0541326A'],
    ['WO9838919A1', 'WO9938919A1'],
    ['USRE28671E', 'US28671A'],
    ['US20040137729A1', 'US20041377290A1'],
  ] as const;
  for (const [a, b] of apart) {
    const [x, y] = [parseNumber(a), parseNumber(b)];
    assert.ok(x && y, `${a} ${b}`);
    assert.ok(!sameApplication(x, y), `${a} and ${b} are two documents`);
  }
  assert.ok(sameApplication(parseNumber('JPS5841326')!, parseNumber('JPS5841326B')!), 'no kind: may be either');
});

test('what is no publication number is none', () => {
  for (const text of [
    '',
    '12',
    '1976',
    'abc',
    'A61B8/08',
    '000-123-456-789-01X',
    '039302718',
    'QQ12345',
    '08/123,456',
    'FIG. 3',
    'row 12345',
    '123456789',
  ])
    assert.equal(parseNumber(text), undefined, text);
  assert.equal(normaliseNumber(' 000-123-456-789-01X '), '000-123-456-789-01X');
});

test('check digits of the 1976 tapes', () => {
  assert.deepEqual(
    ['3930271', '3930272', '3930273', '3930274', '3930275', '028671', '028672'].map(wkuCheckDigit),
    [7, 5, 3, 1, 0, 0, 9],
  );
});

const country = fc.constantFrom('US', 'EP', 'WO', 'JP', 'DE', 'GB', 'FR', 'CN', 'KR', 'CA', 'SU', 'CH');
const kind = fc.constantFrom('', 'A', 'A1', 'A2', 'B', 'B1', 'B2', 'C2', 'U');
const number = fc
  .tuple(country, fc.integer({ min: 10_000, max: 99_999_999 }), kind)
  .map(([office, digits, code]) => `${office}${digits}${code}`);

test('normalising twice is normalising once, and spelling does not matter', () => {
  fc.assert(
    fc.property(number, fc.constantFrom('-', ' ', ''), fc.boolean(), (text, gap, lower) => {
      const once = normaliseNumber(text);
      assert.equal(normaliseNumber(once), once);
      const spelled = text.replace(/^([A-Z]{2})(\d+)(.*)$/, `$1${gap}$2${gap}$3`);
      assert.equal(normaliseNumber(lower ? spelled.toLowerCase() : spelled), once);
    }),
    { numRuns: 2000 },
  );
});

test('numbers that differ by a digit never meet', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1_000_000, max: 9_999_999 }),
      fc.integer({ min: 1_000_000, max: 9_999_999 }),
      (a, b) => {
        if (a === b) return;
        for (const office of ['US', 'EP', 'DE', 'GB', 'WO'])
          assert.notEqual(parseNumber(`${office}${a}A1`)?.key, parseNumber(`${office}${b}A1`)?.key);
      },
    ),
    { numRuns: 2000 },
  );
});

test('the quick way of canonical numbers is the way of the table', () => {
  const office = fc.constantFrom('US', 'EP', 'WO', 'JP', 'DE', 'GB', 'FR', 'CN', 'KR', 'CA', 'XX');
  const digits = fc.oneof(
    fc.integer({ min: 10_000, max: 99_999_999 }),
    fc.integer({ min: 19_700_000_000, max: 20_999_999_999 }),
    fc.integer({ min: 1_970_000_000, max: 2_099_999_999 }),
  );
  fc.assert(
    fc.property(office, digits, kind, (country, number, code) => {
      const text = `${country}${number}${code}`;
      assert.deepEqual(parseNumber(text), parseNumber(` ${text}`), text); // a blank takes the long way
    }),
    { numRuns: 5000 },
  );
});

test('any text is read or refused without an error', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 60, unit: 'grapheme' }), (text) => {
      const parsed = parseNumber(text);
      if (parsed !== undefined) assert.equal(parseNumber(parsed.key + (parsed.kind ?? ''))?.key, parsed.key);
    }),
    { numRuns: 5000 },
  );
});
