import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { differenceRow, yearBars } from '../../src/report/figures/bars.ts';
import { spread } from '../../src/report/figures/frame.ts';
import { lines } from '../../src/report/figures/lines.ts';
import { range, rangeScale } from '../../src/report/figures/ranges.ts';
import { linear, logarithmic, tickLabel } from '../../src/report/figures/scale.ts';

const finite = fc.double({ min: -1e6, max: 1e6, noNaN: true });

test('a linear scale has few, round, ascending ticks that cover the data', () => {
  const { ticks, domain } = linear([0.183, 0.391], [0, 100]);
  assert.deepEqual(ticks, [0.15, 0.2, 0.25, 0.3, 0.35, 0.4]);
  assert.deepEqual(domain, [0.15, 0.4]);
  fc.assert(
    fc.property(finite, finite, fc.integer({ min: 2, max: 8 }), (a, b, count) => {
      const [low, high] = [Math.min(a, b), Math.max(a, b)];
      fc.pre(high - low > 1e-6 * Math.max(1, Math.abs(low), Math.abs(high)));
      const scale = linear([low, high], [0, 100], { count });
      assert.ok(scale.ticks.length >= 2 && scale.ticks.length <= count + 2, `${scale.ticks}`);
      for (const [index, tick] of scale.ticks.slice(1).entries()) assert.ok(tick > scale.ticks[index]!);
      for (const value of [low, high]) assert.ok(scale(value) >= -1e-6 && scale(value) <= 100 + 1e-6);
      assert.equal(new Set(scale.ticks.map((tick) => tickLabel(tick, scale.ticks))).size, scale.ticks.length);
    }),
  );
});

test('a scale of one value still has room', () => {
  const scale = linear([0.4, 0.4], [0, 100]);
  assert.ok(Number.isFinite(scale(0.4)));
  assert.ok(scale.ticks.length >= 2);
  assert.ok(Number.isFinite(logarithmic([1, 1], [0, 100])(1)));
});

test('a logarithmic scale ticks at decades', () => {
  assert.deepEqual(logarithmic([1, 1000], [0, 300]).ticks, [1, 10, 100, 1000]);
  assert.deepEqual(logarithmic([1, 50], [0, 300]).ticks, [1, 2, 5, 10, 20, 50]);
  assert.equal(Math.round(logarithmic([1, 1000], [0, 300])(10)), 100);
});

test('labels keep their distance and their order', () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: 0, max: 200, noNaN: true }), { minLength: 1, maxLength: 12 }), (wishes) => {
      const places = spread(wishes, { top: 0, bottom: 200, gap: 13 });
      const order = wishes.map((_, index) => index).sort((a, b) => wishes[a]! - wishes[b]!);
      for (const [index, item] of order.slice(1).entries()) {
        assert.ok(places[item]! - places[order[index]!]! >= 13 - 1e-9);
      }
      for (const place of places) assert.ok(place >= -1e-9 && place <= 200 + 1e-9);
    }),
  );
});

test('losses stand left of zero, wins right of it, empty bins nowhere', () => {
  const row = differenceRow(
    [
      { from: -0.05, to: 0, count: 3 },
      { from: 0, to: 0.05, count: 6 },
      { from: 0.05, to: 0.1, count: 0 },
    ],
    50,
    [],
  ).text;
  assert.equal(row.match(/bar loss/g)!.length, 1);
  assert.equal(row.match(/bar win/g)!.length, 1);
  assert.match(row, /50 ties not drawn/);
});

test('years without documents take their place on the axis; a wrong date does not stretch it', () => {
  const bars = (...years: string[]) =>
    [...yearBars({ title: 'Years', years: years.map((year) => ({ year, documents: 3 })) }).text.matchAll(
      /d="M([\d.]+),[^"]*"><title>(\w+): 3</g,
    )].map(([, x, year]) => [year, Number(x)] as const); // biome-ignore format: short
  const [a, b, c] = bars('1912', '1955', '1956');
  assert.deepEqual([a![0], b![0], c![0]], ['1912', '1955', '1956']);
  assert.ok(Math.abs((b![1] - a![1]) / (c![1] - b![1]) - 43) < 1, `${[a, b, c]}`);
  assert.equal(bars('1912', 'unknown').at(-1)![0], 'unknown');
  const [d, e, f] = bars('0203', '1955', '1960');
  assert.ok(Math.abs((e![1] - d![1]) / (f![1] - e![1]) - 1) < 0.01);
});

test('a figure says what it shows and escapes what it is told', () => {
  const text = lines({
    title: 'Recall of <b>',
    series: [{ name: '<script>', index: 0, points: [{ x: 1, y: 0.2 }, { x: 10, y: 0.5 }] }],
    x: { label: 'rank', log: true },
    y: { label: 'recall' },
  }).text; // biome-ignore format: short
  assert.match(text, /role="img" aria-label="Recall of &lt;b&gt;"/);
  assert.doesNotMatch(text, /<script|NaN|undefined|Infinity/);
});

test('an estimate without an interval is a point on the scale of the others', () => {
  const alone = { value: 0.7, lower: Number.NaN, upper: Number.NaN };
  const scale = rangeScale([{ value: 0.5, lower: 0.4, upper: 0.6 }, alone]);
  assert.ok(scale.domain[0] < 0.4 && scale.domain[1] > 0.7);
  const { text } = range(scale, alone, { metric: 'ndcg@10' });
  assert.match(text, /<circle/);
  assert.doesNotMatch(text, /whisker|NaN/);
});
