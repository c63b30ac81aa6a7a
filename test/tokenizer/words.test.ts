/** The analyser of bm25 and lsa, and its stemmer against Snowball's vocabulary (test/oracle/stem.py). */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { stemEnglish } from '../../src/tokenizer/stem.ts';
import { type AnalyserOptions, WordAnalyser } from '../../src/tokenizer/words.ts';
import { englishStopWords } from '../../src/tokenizer/words-stop.ts';
import { missing, realData } from '../support/data.ts';

function words(text: string, options: AnalyserOptions = { stopWords: 'none' }): string {
  const analyser = new WordAnalyser(options);
  return Array.from(analyser.analyse(text), (id) => analyser.term(id)).join(' ');
}

const cases: [string, string][] = [
  ['A non-invasive DOPPLER probe (10)', 'a non invasive doppler probe 10'],
  ["The patient's, patients' and O'Neil’s", 'the patient patients and o neil'],
  ['3.5 MHz; FIG. 2A. Version 1.2.3', '3.5 mhz fig 2a version 1.2.3'],
  ['U.S. Pat. No. 9,100,232 and 10,000.5', 'u s pat no 9100232 and 10000.5'],
  ['sizes 1,2 or 12,3456', 'sizes 1 2 or 12 3456'],
  ['SiO2, H₂O, C6H12O6', 'sio2 h2o c6h12o6'],
  ['2,4-dichlorophenol', '2,4-dichlorophenol dichlorophenol'],
  ['N,N-dimethyl-p-toluidine', 'n,n-dimethyl-p-toluidine dimethyl p toluidine'],
  ['poly(ethylene glycol)', 'poly ethylene glycol'],
  ['ﬁber 5㎜ ｆｕｌｌ', 'fiber 5mm full'],
  ['ultra\u00adsound', 'ultrasound'],
  ['Größe, naïve, ΑΛΦΑ, α-tocopherol', 'größe naïve αλφα α tocopherol'],
  ['3.5μm µm', '3.5μm μm'],
  ['超音波装置', '超音 音波 波装 装置'],
  ['図1 超', '図 1 超'],
  ['𝐁old 😀 x', 'bold x'],
  ['', ''],
  [' .,;-\n\t', ''],
  [`short ${'x'.repeat(256)} ${'y'.repeat(255)}`, `short ${'y'.repeat(255)}`],
];

for (const [text, expected] of cases)
  test(`words of ${JSON.stringify(text.slice(0, 40))}`, () => assert.equal(words(text), expected));

test('stop words go, stems are taken after them', () => {
  assert.equal(words('The imaging devices and this probe', {}), 'imaging devices probe');
  assert.equal(words('The imaging devices and this probe', { stem: 'english' }), 'imag devic probe');
  assert.equal(words('The said probe', { stopWords: ['said'] }), 'the probe');
  assert.equal(englishStopWords.length, 33);
});

test('the vocabulary grows only when asked, ids are stable and repeated', () => {
  const analyser = new WordAnalyser({ stem: 'english' });
  assert.deepEqual([...analyser.analyse('probe probes imaging probe')], [0, 0, 1, 0]);
  assert.deepEqual([...analyser.analyse('unknown probing images', { grow: false })], [0, 1]);
  assert.deepEqual(
    [analyser.size, analyser.id('probe'), analyser.id('unknown'), analyser.term(1)],
    [2, 0, undefined, 'imag'],
  );
});

test('agrees with a plain regular expression on ASCII words, however many distinct ones there are', () => {
  fc.assert(
    fc.property(
      fc.array(fc.stringMatching(/^[A-Za-z0-9]{1,6}$/), { maxLength: 300 }),
      fc.constantFrom(' ', '-', ' (', '; '),
      (list, gap) => {
        assert.equal(words(list.join(gap)), list.join(' ').toLowerCase());
      },
    ),
  );
  const analyser = new WordAnalyser({ stopWords: 'none' });
  const many = Array.from({ length: 50_000 }, (_, i) => `w${i.toString(36)}`);
  const ids = analyser.analyse(many.join(' '));
  assert.deepEqual(
    ids,
    Int32Array.from(many, (_, i) => i),
  );
  assert.deepEqual(analyser.analyse(many.join(' ')), ids);
  assert.equal(analyser.term(49_999), many[49_999]);
});

test('any text whatever: no failure, every id has a term, a second reading is the same', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => {
      const analyser = new WordAnalyser({ stem: 'english' });
      const first = analyser.analyse(text);
      assert.ok(first.every((id) => id >= 0 && id < analyser.size && analyser.term(id).length > 0));
      assert.deepEqual(analyser.analyse(text), first);
      assert.deepEqual(analyser.analyse(text, { grow: false }), first);
    }),
    { numRuns: 2000 },
  );
});

test("stems equal Snowball's on its own vocabulary", () => {
  const path = join(import.meta.dirname, '..', 'fixtures', 'stem', 'english.tsv');
  const pairs = readFileSync(path, 'utf8')
    .trim()
    .split('\n')
    .map((line) => line.split('\t'));
  assert.ok(pairs.length > 2000);
  for (const [word, stem] of pairs) assert.equal(stemEnglish(word!), stem, word);
});

test('real patents: words agree with a plain reading of most texts', {
  skip: missing('us_abstracts_10k.jsonl.gz'),
}, () => {
  const abstracts = gunzipSync(readFileSync(realData('us_abstracts_10k.jsonl.gz')))
    .toString()
    .split('\n', 2000)
    .map((line) => (JSON.parse(line) as { abstract_en: string | null }).abstract_en ?? '');
  let same = 0;
  for (const text of abstracts) {
    const plain =
      text
        .normalize('NFKC')
        .toLowerCase()
        .match(/[\p{L}\p{N}\p{M}]+/gu) ?? [];
    if (words(text) === plain.join(' ')) same++;
  }
  assert.ok(same > 1500 && same < 2000, `${same} of 2000: the rest has decimals, thousands or possessives`);
});
