/** Claims, dates and classification symbols out of the spellings that sources have. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { claimsInBody, splitClaims, unnumbered, withoutAbstract } from '../../src/corpus/claims.ts';
import { dateOrder, parseDate } from '../../src/corpus/dates.ts';
import { isFixedWidth, normaliseSymbol, symbolsIn } from '../../src/corpus/symbols.ts';
import { citationsOf, splitList, textOf } from '../../src/corpus/values.ts';

test('claims are split by their numbers, run together or not', () => {
  const cases: [string, string[]][] = [
    ['I claim:1. A disk, comprising a tube.2. In a disk as in claim 1, a rim.3. A disk of FIG. 2.', ['1. A disk, comprising a tube.', '2. In a disk as in claim 1, a rim.', '3. A disk of FIG. 2.']],
    ['What is claimed is:\n1. A method\nof doing.\n2. The method of claim 1.', ['1. A method of doing.', '2. The method of claim 1.']],
    ['The embodiments of the invention in which an exclusive property or privilege is claimed are defined as follows:1. A toggle.2. A toggle as in claim 1.', ['1. A toggle.', '2. A toggle as in claim 1.']],
    ['1-3. (canceled)\n4. A probe.\n5. The probe of claim 4.', ['1-3. (canceled)', '4. A probe.', '5. The probe of claim 4.']],
    ['1. A body of claim 5.2. The body of claim 1 of 0.5 to 2.5 mm.', ['1. A body of claim 5.', '2. The body of claim 1 of 0.5 to 2.5 mm.']],
    ['The ornamental design for a toothbrush, as shown.', ['The ornamental design for a toothbrush, as shown.']],
    ['A thing.\nThe thing of claim 1.', ['A thing.', 'The thing of claim 1.']],
    ['', []],
  ]; // biome-ignore format: one case a line
  for (const [text, expected] of cases) assert.deepEqual(splitClaims(text), expected);
  assert.equal(unnumbered('12. The method of claim 1.'), 'The method of claim 1.');
});

test('numbered claims come back as they were joined', () => {
  const claim = fc.constantFrom(
    'A probe having a tip',
    'The probe of claim 1, wherein the tip is 2.5 mm wide',
    'In a system as in claim 1, a lens (12)',
    'Use of FIG. 3 of steel',
  );
  fc.assert(
    fc.property(
      fc.array(claim, { minLength: 1, maxLength: 30 }),
      fc.constantFrom('', ' ', '\n', '\n\n'),
      (texts, gap) => {
        const claims = texts.map((text, index) => `${index + 1}. ${text}.`);
        assert.deepEqual(splitClaims(claims.join(gap)), claims);
        assert.deepEqual(
          claimsInBody(`A long description.\n\nWhat is claimed is:\n${claims.join(gap)}`)?.claims,
          claims,
        );
      },
    ),
  );
});

test('claims leave the end of a body, and nothing else does', () => {
  const split = claimsInBody(
    'The field.\nThe work is done.\n\nHaving described my invention, I claim:\n1. A probe.\n2. The probe of claim 1.',
  );
  assert.deepEqual(split, {
    description: 'The field.\nThe work is done.',
    claims: ['1. A probe.', '2. The probe of claim 1.'],
  });
  assert.equal(
    claimsInBody('Applicants claim the benefit of an earlier application. We claim nothing here.'),
    undefined,
  );
  assert.equal(claimsInBody('This application claims priority. FIG. 1. The device.'), undefined);
});

test('a repeated abstract is dropped whatever its blanks', () => {
  const abstract = 'A transducer with a lens and a backing of some material.';
  assert.equal(
    withoutAbstract(`A transducer with a lens\nand a  backing of some material.\n\nFIELD`, abstract),
    'FIELD',
  );
  assert.equal(withoutAbstract('Another text entirely.', abstract), undefined);
  assert.equal(withoutAbstract(abstract, abstract), '');
});

test('splitting never hangs and loses no letter', () => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom('1.', '2.', '3)', ' ', '\n', 'claim', 'A', 'the', 'I claim:', '.', ',', 'FIG.', '10'), {
        maxLength: 80,
      }),
      (parts) => {
        const text = parts.join('');
        const letters = (value: string) => value.replace(/[^a-z]/g, '');
        assert.ok(letters(text).endsWith(letters(splitClaims(text).join(''))) || splitClaims(text).length <= 1);
      },
    ),
  );
});

test('dates in many spellings', () => {
  const cases: [unknown, string | null | undefined][] = [
    ['2016-01-25', '2016-01-25'], ['2016-01-25T10:00:00Z', '2016-01-25'], ['20160125', '2016-01-25'], [20160125, '2016-01-25'], ['2016/1/5', '2016-01-05'],
    ['25.01.2016', '2016-01-25'], ['1.2.2016', '2016-02-01'], ['Jan 25, 2016', '2016-01-25'], ['25 January 2016', '2016-01-25'], ['25-JAN-2016', '2016-01-25'],
    ['Mon Jan 25 2016', '2016-01-25'], ['25. März 2016', '2016-03-25'], ['January 2016', '2016-01'], ['2016-01', '2016-01'], ['2016', '2016'], [2016, '2016'],
    ['13/04/2016', '2016-04-13'], ['04/13/2016', '2016-04-13'], ['03/04/2016', '2016'], [1453680000, '2016-01-25'], [1453680000000, '2016-01-25'],
    ['19760100', '1976-01'], ['19760000', '1976'], [0, undefined], ['', undefined], ['N/A', undefined], ['0000-00-00', undefined], [null, undefined],
    ['2016-02-30', null], ['soon', null], [{}, null], [12, null], ['99.99.2016', null],
  ]; // biome-ignore format: one table
  for (const [value, expected] of cases) assert.equal(parseDate(value), expected, String(value));
  assert.equal(parseDate('03/04/2016', 'dmy'), '2016-04-03');
  assert.equal(parseDate('03/04/2016', 'mdy'), '2016-03-04');
  assert.equal(dateOrder(['03/04/2016', '25/04/2016']), 'dmy');
  assert.equal(dateOrder(['03/04/2016', '05/04/2016']), undefined);
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.double(), fc.jsonValue()), (value) => {
      const date = parseDate(value);
      if (typeof date === 'string') assert.match(date, /^\d{4}(?:-\d\d(?:-\d\d)?)?$/);
    }),
  );
});

test('classification symbols in one spelling', () => {
  const cases: [string, string | undefined][] = [
    ['A61B 8/08', 'A61B8/08'], ['a61b8/08', 'A61B8/08'], ['A61B0008080000', 'A61B8/08'], ['A61B 8/08 (2006.01)', 'A61B8/08'], ['A61B', 'A61B'], ['A61', 'A61'],
    ['B63B 2152', 'B63B21/52'], ['E05D  700', 'E05D7/00'], ['A61B50205', 'A61B50205'], ['H03F-003/45', 'H03F3/45'], ['A61B8', 'A61B8/00'], ['hello', undefined], ['9 9', undefined],
  ]; // biome-ignore format: one table
  for (const [text, expected] of cases) assert.equal(normaliseSymbol(text), expected, text);
  assert.equal(normaliseSymbol('C07C10352', true), 'C07C103/52');
  assert.ok(isFixedWidth(['B63B 2152;B63B 5102']));
  assert.ok(!isFixedWidth(['A61B 8/08']));
  assert.deepEqual(symbolsIn('A61B 8/08 (2006.01) G01S 7/52 (2006.01)'), ['A61B8/08', 'G01S7/52']);
  assert.deepEqual(symbolsIn('G01S7/52;; A61B8/08;G01S7/52'), ['G01S7/52', 'A61B8/08']);
});

test('lists, texts and citations in the shapes of sources', () => {
  assert.deepEqual(splitList('a;;b; c'), ['a', 'b; c']);
  assert.deepEqual(splitList('a, b;c'), ['a, b', 'c']);
  assert.deepEqual(splitList("['A61B', 'G01S']"), ['A61B', 'G01S']);
  assert.deepEqual(splitList('["x, y", "z"]'), ['x, y', 'z']);
  assert.deepEqual(
    textOf([
      { text: 'Titel', lang: 'DE' },
      { text: 'Title', lang: 'EN' },
    ]),
    { text: 'Title', language: 'en' },
  );
  assert.deepEqual(textOf({ de: 'Titel', en: 'Title' }), { text: 'Title', language: 'en' });
  assert.deepEqual(
    citationsOf('US-3792375-A,US-3882420-A').map(({ id }) => id),
    ['US-3792375-A', 'US-3882420-A'],
  );
  assert.deepEqual(
    citationsOf([{ patent: { document_id: { country: 'EP', doc_number: '1', kind: 'B1' } }, category: 'Y' }]),
    [{ id: 'EP1B1', category: 'Y' }],
  );
});
