/** Lines over a continuous x: recall by rank cut, a metric by interpolation weight. Names stand at the lines' ends. */
import { shorten } from '../format.ts';
import { html, type Markup } from '../markup.ts';
import { dash, distinct, endLabels, fixed, frame, mark, seriesClass, textWidth } from './frame.ts';
import { linear, logarithmic } from './scale.ts';

interface LineSeries {
  name: string;
  /** Index of the system: its colour, mark and dash. */
  index: number;
  points: { x: number; y: number }[];
}

interface LinesSpec {
  title: string;
  series: LineSeries[];
  x: { label: string; log?: boolean; format?: (value: number) => string };
  y: { label: string; fromZero?: boolean; upTo?: number };
  /** A dashed horizontal line worth knowing, e.g. a ceiling. */
  rule?: { y: number; label: string };
  width?: number;
  height?: number;
}

export function lines({ title, series, x, y, rule, width = 640, height = 290 }: LinesSpec): Markup {
  const names = series.map((line) => shorten(line.name, 38));
  const right = Math.min(270, 24 + Math.max(...names.map((name) => textWidth(name))));
  const box = { width, height, top: 24, right, bottom: 36, left: 40 };
  const xs = series.flatMap((line) => line.points.map((point) => point.x));
  const ys = series.flatMap((line) => line.points.map((point) => point.y));
  const xRange: [number, number] = [box.left, width - right];
  const xDomain: [number, number] = [Math.min(...xs), Math.max(...xs)];
  const xScale = x.log ? logarithmic(xDomain, xRange) : linear(xDomain, xRange, { count: 6, nice: false });
  const yScale = linear(
    [y.fromZero ? 0 : Math.min(...ys), y.upTo ?? Math.max(...ys, rule?.y ?? -Infinity)],
    [height - box.bottom, box.top],
  );
  const marks = series.map((line) => {
    const path = line.points.map((point) => `${fixed(xScale(point.x))},${fixed(yScale(point.y))}`).join('L');
    return html`<path class="line ${seriesClass(line.index)}" stroke-dasharray="${dash(line.index)}" d="M${path}"/>${
      line.index < distinct &&
      line.points.map((point) =>
        mark(line.index, xScale(point.x), yScale(point.y), 2.6, `${line.name}: ${point.y.toFixed(4)} at ${point.x}`),
      )
    }`;
  });
  const ends = series.flatMap((line, position) => {
    const last = line.points.at(-1);
    return last === undefined ? [] : [{ index: line.index, text: names[position]!, y: yScale(last.y) }];
  });
  const ruled =
    rule &&
    html`<path class="rule" d="M${box.left},${fixed(yScale(rule.y))}H${width - right}"/><text class="tick" x="${box.left + 4}" y="${fixed(yScale(rule.y) - 4)}">${rule.label}</text>`;
  return frame({
    box,
    title,
    x: { scale: xScale, label: x.label, ...(x.format ? { format: x.format } : {}) },
    y: { scale: yScale, label: y.label },
    marks: [ruled, marks, endLabels(ends, { x: width - right, top: box.top, bottom: height - box.bottom })],
  });
}
