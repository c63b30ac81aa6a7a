import assert from 'node:assert/strict';
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { createGunzip } from 'node:zlib';
import fc from 'fast-check';
import { maskCitations, maskToken } from '../../src/corpus/mask.ts';
import { emptyPatent, type Patent } from '../../src/corpus/record.ts';
import { views, viewText } from '../../src/corpus/views.ts';
import { missing, realData } from '../support/data.ts';

const patent: Patent = {
  ...emptyPatent('US5555555A'),
  title: 'Probe ',
  abstract: 'A probe.',
  claims: '1. A probe.\n2. The probe of claim 1.',
  firstClaim: '1. A probe.',
  description: 'As in U.S. Pat. No. 4,121,250.',
  cites: [{ id: 'US4121250A' }],
};

test('sections stand in the order of the view, joined by one newline', () => {
  const texts = Object.fromEntries(views.map((view) => [view, viewText(patent, view)]));
  assert.deepEqual(texts, {
    T: 'Probe',
    A: 'A probe.',
    C1: '1. A probe.',
    C: '1. A probe.\n2. The probe of claim 1.',
    TA: 'Probe\nA probe.',
    TAC: 'Probe\nA probe.\n1. A probe.\n2. The probe of claim 1.',
    AC: 'A probe.\n1. A probe.\n2. The probe of claim 1.',
    full: 'Probe\nA probe.\n1. A probe.\n2. The probe of claim 1.\nAs in U.S. Pat. No. 4,121,250.',
  });
});

test('a section that is not there leaves no blank line', () => {
  for (const view of views) assert.equal(viewText(emptyPatent('x'), view), '');
  assert.equal(viewText({ ...emptyPatent('x'), abstract: 'A' }, 'TAC'), 'A');
});

test('patent numbers are taken out of the text', () => {
  const m = maskToken;
  const pairs: [string, string][] = [
    ['see U.S. Pat. No. 4,121,250 to Smith', `see U.S. Pat. No. ${m} to Smith`],
    ['U.S. Pat. Nos. 4,121,250, 4,122,999 and 5,000,001; all', `U.S. Pat. Nos. ${m}, ${m} and ${m}; all`],
    ['the US 4,121,250 A device', `the ${m} A device`],
    ['(US 4,121,250 A)', `(${m})`],
    ['US4121250A1 and US 2004/0137729 A1.', `${m} and ${m}.`],
    ['EP 0 005 432 and EP-A-0123456', `${m} and ${m}`],
    ['WO 98/38919, WO2004/012345 A1', `${m}, ${m}`],
    ['JP-A-57-170230 and JP H5-41326 A.', `${m} and ${m}.`],
    ['DE 27 12 341 A1', m],
    ['German OS 30 38 445 discloses', `German OS ${m} discloses`],
    ['Ser. No. 08/123,456, filed', `Ser. No. ${m}, filed`],
    ['application Ser. No. 600,095, filed', `application Ser. No. ${m}, filed`],
    ['Provisional Application 60/218,641', `Provisional Application ${m}`],
    ['PCT/US00/17236 filed', `${m} filed`],
    ['Japanese Patent Laid-Open No. 58-14682', `Japanese Patent Laid-Open No. ${m}`],
    ['U.S. Pat. No. Re. 30,536', `U.S. Pat. No. ${m}`],
    ['United States Patent 3,589,012', `United States Patent ${m}`],
    ['U.S. Patent Publication 2011/0268225 of', `U.S. Patent Publication ${m} of`],
  ];
  for (const [text, masked] of pairs) assert.equal(maskCitations(text), masked, text);
});

test("the record's own and cited numbers go wherever they stand", () => {
  assert.equal(
    viewText({ ...patent, description: 'Wendt 4,121,250; own 5,555,555; 4121250.' }, 'full', { maskCitations: true })
      .split('\n')
      .at(-1),
    `Wendt ${maskToken}; own ${maskToken}; ${maskToken}.`,
  );
  assert.equal(
    viewText(patent, 'full', { maskCitations: true }).split('\n').at(-1),
    `As in U.S. Pat. No. ${maskToken}.`,
  );
});

test('ordinary numbers stay as they are', () => {
  for (const text of [
    'a frequency of 1,500,000 Hz and 3,500,000 cells',
    'between 12,000 and 100,000 cycles per second',
    'FIG. 12 shows element 120, FIGS. 3-5 and claims 1 to 12',
    'SEQ ID NO: 1234, on 12/25/2009 at 10:30',
    'Palo Alto, CA 94301-1234, Wilmington, DE 19801',
    'a resolution of 1024 x 768 with 1,048,576 bits',
    'ISO 13485, IEC 60601-2-37, IEEE 802.11, GB 18030',
    'AT 100,000 RPM the motor DE-ENERGISES',
    'cells 110,120,130 and 140 respectively',
    'Science 1985, vol. 228, pages 1315-1317',
    'the patent describes 5 of 100 samples of 250,000 molecules',
    'application of 500,000 times the load',
    '0.123456789 and 123456789012 and 1e-12',
    'in 2004, 2005 and 2006; p < 0.0001',
  ])
    assert.equal(maskCitations(text), text);
});

test('a text without announcing words and codes is never changed', () => {
  const word = fc.constantFrom(
    'probe',
    'of',
    'about',
    'Hz',
    'mm',
    'the',
    'FIG.',
    'claim',
    '(see',
    ')',
    ',',
    ';',
    'kg',
    '%',
    'x',
    'and',
  );
  const number = fc.oneof(
    fc.nat(99_999_999).map(String),
    fc.nat(99_999_999).map((value) => value.toLocaleString('en-US')),
    fc.float({ min: 0, max: 1000, noNaN: true }).map((value) => value.toFixed(3)),
    fc.tuple(fc.nat(12), fc.nat(28), fc.nat(2030)).map((date) => date.join('/')),
  );
  fc.assert(
    fc.property(fc.array(fc.oneof(word, number), { maxLength: 30 }), (parts) => {
      const text = parts.join(' ');
      assert.equal(maskCitations(text), text);
    }),
    { numRuns: 1000 },
  );
});

test('masking twice is masking once, and only numbers go', () => {
  const piece = fc.constantFrom(
    'U.S. Pat. No.',
    '4,121,250',
    'EP 0 005 432',
    'and',
    'WO 98/38919',
    'probe',
    '12 mm',
    'Ser. No.',
    '08/123,456',
    ',',
    'DE 27 12 341',
    '1,500,000 Hz',
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 15 }), (parts) => {
      const text = parts.join(' ');
      const once = maskCitations(text);
      assert.equal(maskCitations(once), once);
      for (const kept of ['probe', '12 mm', '1,500,000 Hz'])
        assert.equal(once.split(kept).length, text.split(kept).length, text);
    }),
    { numRuns: 1000 },
  );
});

test('real bodies: no cited patent of the set is named any more', {
  skip: missing('ultrasound_us.jsonl.gz'),
}, async () => {
  interface Source {
    id: string;
    text: string | null;
    cites: string[];
    cited_by: string[];
  }
  const rows: Source[] = [];
  for await (const line of createInterface({
    input: createReadStream(realData('ultrasound_us.jsonl.gz')).pipe(createGunzip()),
  }))
    rows.push(JSON.parse(line) as Source);
  const ids = new Set(rows.map(({ id }) => id));
  const inText = (id: string) => /^US(\d{6,8})(?:[A-Z]|$)/.exec(id)?.[1]?.replace(/\B(?=(?:\d{3})+$)/g, ',');
  let named = 0;
  let before = 0;
  let stillNamed = 0;
  for (const { id, text, cites, cited_by } of rows) {
    if (!text) continue;
    const masked = maskCitations(text, [id, ...cites, ...cited_by]);
    const names = (body: string) => /U\.?\s?S\.?\s*Pat[^0-9]{0,30}\d{1,2},\d{3},\d{3}/.test(body);
    if (names(text)) named++;
    if (names(masked)) stillNamed++;
    for (const cite of cites) {
      const written = inText(cite); // applications are written in too many ways to look for them here
      if (written === undefined || !ids.has(cite) || !text.includes(written)) continue;
      before++;
      assert.ok(!masked.includes(written), `${id} still names ${cite}`);
    }
  }
  assert.ok(named > 600 && before > 600, `${named} bodies, ${before} mentions`);
  assert.ok(stillNamed <= 2, `${stillNamed} bodies still name a US patent`); // misread digits of scanned pages
});
