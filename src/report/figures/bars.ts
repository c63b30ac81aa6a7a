/** Counts: the histogram of per-query differences as one row of a table, and documents by year. */
import { count } from '../format.ts';
import { html, type Markup } from '../markup.ts';
import { fixed, frame, svg } from './frame.ts';
import { linear, type Scale } from './scale.ts';

const width = 220;
const height = 34;

interface Bin {
  from: number;
  to: number;
  count: number;
}

/** The x axis of difference histograms, -1 to 1, for the table's head and for its rows. */
export function differenceScale(): Scale {
  return linear([-1, 1], [6, width - 6], { count: 4, nice: false });
}

/** Bars of the queries that differ: ties are in no bin (they would dwarf the rest); the zero line is drawn. */
export function differenceRow(
  bins: readonly Bin[],
  ties: number,
  quantiles: readonly { q: number; value: number }[],
): Markup {
  const x = differenceScale();
  const top = Math.max(1, ...bins.map((bin) => bin.count));
  const base = height - 6;
  const bars = bins
    .filter((bin) => bin.count > 0)
    .map((bin) => {
      const [left, right] = [x(Math.max(-1, bin.from)), x(Math.min(1, bin.to))];
      const tall = Math.max(0.6, (bin.count / top) * (base - 2));
      const middle = bin.from + bin.to;
      const side = middle > 1e-9 ? 'win' : middle < -1e-9 ? 'loss' : 'even';
      return html`<path class="bar ${side}" d="M${fixed(left + 0.4)},${base}V${fixed(base - tall)}H${fixed(Math.max(left + 1, right - 0.4))}V${base}Z"/>`;
    });
  const at = (q: number) => quantiles.find((quantile) => Math.abs(quantile.q - q) < 1e-9)?.value;
  const [low, high] = [at(0.25), at(0.75)];
  const half =
    low !== undefined &&
    high !== undefined &&
    html`<path class="whisker" d="M${fixed(x(low))},${base + 3.5}H${fixed(x(high))}"/>`;
  const label = `Histogram of per-query differences, ${count(ties)} ties not drawn`;
  return svg(width, height, label, [
    bars,
    html`<path class="axis" d="M${fixed(x(-1))},${base}H${fixed(x(1))}M${fixed(x(0))},0V${height}"/>`,
    half,
  ]);
}

interface YearBars {
  title: string;
  years: { year: string; documents: number }[];
}

/** A longer span holds a wrong date somewhere: then only years with documents are drawn. */
const longestSpan = 250;

/** Every year from the first to the last, so that equal steps are equal times. */
function withoutGaps(years: YearBars['years']): YearBars['years'] {
  const known = years.filter(({ year }) => /^\d+$/.test(year)).map(({ year }) => Number(year));
  const [first, last] = [Math.min(...known), Math.max(...known)];
  if (known.length === 0 || last - first > longestSpan) return years;
  const empty = Array.from({ length: last - first + 1 }, (_, i) => first + i).filter((year) => !known.includes(year));
  return [...years, ...empty.map((year) => ({ year: String(year), documents: 0 }))];
}

/** Documents by year; years that are not a number stand last. */
export function yearBars({ title, years }: YearBars): Markup {
  const sorted = withoutGaps(years).toSorted((a, b) => (a.year < b.year ? -1 : a.year > b.year ? 1 : 0));
  const box = { width: 560, height: 150, top: 24, right: 8, bottom: 32, left: 46 };
  const step = (box.width - box.left - box.right) / sorted.length;
  const y = linear([0, Math.max(1, ...sorted.map((bar) => bar.documents))], [box.height - box.bottom, box.top], {
    count: 3,
  });
  const x = linear([0, sorted.length], [box.left, box.width - box.right], { nice: false });
  const every = Math.max(1, Math.ceil(36 / step));
  const marks = sorted.map((bar, index) => {
    const left = box.left + index * step;
    return html`<path class="bar even" d="M${fixed(left + step * 0.1)},${fixed(y(0))}V${fixed(y(bar.documents))}h${fixed(step * 0.8)}V${fixed(y(0))}Z"><title>${bar.year}: ${count(bar.documents)}</title></path>${
      index % every === 0 &&
      html`<text class="tick" x="${fixed(left + step / 2)}" y="${box.height - box.bottom + 14}" text-anchor="middle">${bar.year}</text>`
    }`;
  });
  return frame({
    box,
    title,
    x: { scale: x, label: 'year', ticks: [] },
    y: { scale: y, label: 'documents', format: count },
    marks,
  });
}
