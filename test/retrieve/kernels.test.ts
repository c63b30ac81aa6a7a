/** The WebAssembly loops of search against the same in plain JavaScript. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { stream } from '../../src/base/random.ts';
import { Bm25Builder } from '../../src/retrieve/bm25.ts';
import { Bm25Kernel, columnLanes, segmentDocuments } from '../../src/retrieve/bm25-kernel.ts';
import { ScoreScan } from '../../src/retrieve/score-scan.ts';

test('the best of a segment: the bar lets k documents through and few more, gathering lists them and leaves zeros', () => {
  const kernel = new Bm25Kernel();
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 5000 }),
      fc.integer({ min: 1, max: 6000 }),
      fc.constantFrom(1e-30, 1e-3, 1, 1e4, 1e30),
      fc.integer({ min: 0, max: 20 }),
      fc.nat(),
      (documents, k, scale, zeros, seed) => {
        const random = stream(seed, 'scores');
        const scores = Float32Array.from({ length: documents }, () =>
          random.integer(20) < zeros ? 0 : scale * random.uniform() ** 4,
        );
        kernel.accumulator.set(scores);
        const bar = kernel.bar(documents, k);
        const positive = scores.filter((score) => score > 0).sort();
        const wanted = positive.at(-k);
        assert.ok(bar > 0 && bar <= (wanted ?? 2 ** -149), `${bar} is above ${wanted}`);
        // A class is 1/64 of an octave, down to 16 octaves below the best.
        if (wanted !== undefined && wanted > positive.at(-1)! * 2 ** -15) assert.ok(bar >= wanted / 1.02);
        const { rows, scores: found, count } = kernel.gather(documents, bar);
        const expected = [...scores.keys()].filter((row) => scores[row]! >= bar);
        assert.deepEqual([...rows.subarray(0, count)], expected);
        assert.deepEqual(
          found.slice(0, count),
          Float32Array.from(expected, (row) => scores[row]!),
        );
        assert.ok(kernel.accumulator.every((score) => score === 0));
      },
    ),
    { numRuns: 200 },
  );
  kernel.accumulator.fill(1);
  assert.equal(kernel.gather(segmentDocuments, 0).count, segmentDocuments, 'a whole segment of equals');
});

test('postings and columns add up to the same float32 sums as one by one', () => {
  const documents = 1000;
  const random = stream(1, 'postings');
  const kernel = new Bm25Kernel();
  const sums = new Float32Array(documents);
  for (let count = 0; count < 40; count++) {
    const weight = 1 + (count % 3);
    const rows = Uint16Array.from(Array(documents).keys()).filter(() => random.integer(40) < count);
    const scores = Float32Array.from(rows, () => random.uniform());
    for (const [i, row] of rows.entries()) sums[row]! += Math.fround(weight * scores[i]!);
    const padded = Math.ceil(documents / columnLanes) * columnLanes;
    const at = kernel.take(padded * 4 + rows.length * 6)!;
    if (count % 2 === 0) {
      const column = new Float32Array(kernel.buffer, at, documents);
      for (const [i, row] of rows.entries()) column[row] = scores[i]!;
      kernel.addColumn(at, documents, weight);
    } else {
      new Float32Array(kernel.buffer, at, rows.length).set(scores);
      new Uint16Array(kernel.buffer, at + rows.length * 4, rows.length).set(rows);
      kernel.scatter(at + rows.length * 4, at, rows.length, weight);
    }
  }
  assert.deepEqual(kernel.accumulator.slice(0, documents), sums);
  assert.equal(kernel.take(2 ** 32), undefined, 'a memory ends at 4 GiB');
});

test('a token is found alike whether it is a column or postings, across several segments', () => {
  const builder = new Bm25Builder();
  const size = 150_000;
  // Token 0 is frequent in the first segment only, token 1 in the last only; all documents are equally long.
  for (let row = 0; row < size; row++) {
    const frequent = row < 65_536 ? 2 : 50;
    builder.add([row % frequent === 0 ? 0 : 5, row % (size - row < 18_000 ? 2 : 50) === 1 ? 1 : 6, 7 + (row % 11)]);
  }
  const index = builder.finish();
  const both = index.search([0, 1, 0], { k: size });
  const zero = index.search([0], { k: size });
  const expected = Array.from({ length: size }, (_, row) => row).filter((row) => row % (row < 65_536 ? 2 : 50) === 0);
  assert.deepEqual([...zero.rows], expected);
  assert.ok(zero.scores.every((score) => score === zero.scores[0]));
  const one = index.search([1], { k: 3 });
  for (const [i, row] of both.rows.entries()) {
    if (i % 1000 !== 0) continue;
    const score =
      (expected.includes(row) ? 2 * zero.scores[0]! : 0) +
      (row % 50 === 1 || (row >= 132_000 && row % 2 === 1) ? one.scores[0]! : 0);
    assert.ok(Math.abs(both.scores[i]! - score) < 1e-6 * score, `row ${row}: ${both.scores[i]} is not ${score}`);
  }
});

test('a scan calls for all scores that are not below the bar, which may rise on the way', () => {
  const scan = new ScoreScan();
  const score = fc.oneof(fc.integer({ min: -3, max: 3 }), fc.float(), fc.constant(Number.NEGATIVE_INFINITY));
  fc.assert(
    fc.property(
      fc.array(score, { maxLength: 200 }),
      fc.integer({ min: -3, max: 3 }),
      fc.boolean(),
      (list, bar, rises) => {
        const scores = Float32Array.from(list);
        const look = (each: (bar: number, found: (place: number, score: number) => number) => void) => {
          const seen: [number, number][] = [];
          let least = bar;
          each(bar, (place, value) => {
            seen.push([place, value]);
            if (rises && value > least) least = value;
            return least;
          });
          return seen;
        };
        scan.load(scores);
        const plain = look((bar, found) => {
          let least = bar;
          for (const [place, value] of scores.entries()) if (!(value < least)) least = found(place, value);
        });
        assert.deepEqual(
          look((bar, found) => scan.each(bar, found)),
          plain,
        );
      },
    ),
    { numRuns: 500 },
  );
  const long = new Float32Array(100_003).fill(-1);
  long[100_002] = 1;
  scan.load(long);
  scan.each(0, (place) => {
    assert.equal(place, 100_002);
    return 0;
  });
});
