/**
 * Documents in the plane: a mark each, its text on hover, colour and shape by group; groups beyond the first eight share a quiet
 * grey and lie below. Both axes have one scale, and none is drawn: only nearness means something.
 */
import { shorten } from '../format.ts';
import { html, type Markup } from '../markup.ts';
import { distinct, mark, svg, textWidth } from './frame.ts';
import { linear } from './scale.ts';

interface MapSpec {
  title: string;
  /** In the order of the legend. */
  groups: readonly string[];
  points: readonly { x: number; y: number; group: number; told: string }[];
}

const [width, height, margin] = [620, 520, 8];

export function documentMap({ title, groups, points }: MapSpec): Markup {
  const [xs, ys] = [points.map(({ x }) => x), points.map(({ y }) => y)];
  const range = (values: readonly number[]) => values.reduce(([low, high], v) => [Math.min(low, v), Math.max(high, v)] as const, [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY] as const); // biome-ignore format: one line
  const [[left, right], [low, high]] = [range(xs), range(ys)];
  const unit = Math.min((width - 2 * margin) / (right - left || 1), (height - 2 * margin) / (high - low || 1));
  const [middleX, middleY] = [(left + right) / 2, (low + high) / 2];
  const reach = 1 / unit;
  const x = linear([middleX - reach, middleX + reach], [width / 2 - 1, width / 2 + 1], { nice: false });
  const y = linear([middleY - reach, middleY + reach], [height / 2 + 1, height / 2 - 1], { nice: false });
  const named = groups.slice(0, distinct).map((name) => shorten(name, 34));
  const others = groups.length - named.length;
  const legend = [...named, ...(others > 0 ? [`${others} other labels`] : [])];
  const aside = 42 + Math.max(...legend.map((name) => textWidth(name)));
  const grey = distinct;
  // Grey first: what is named lies above it.
  const drawn = points.toSorted((a, b) => Math.min(b.group, grey) - Math.min(a.group, grey));
  return svg(width + aside, height, title, [
    drawn.map(({ group, told, ...point }) => {
      const index = Math.min(group, grey);
      return mark(index, x(point.x), y(point.y), index === grey ? 1.6 : 2.4, told);
    }),
    legend.map((name, index) => {
      const at = 14 + index * 17;
      const series = index < named.length ? index : grey;
      return html`${mark(series, width + 24, at, 3.4)}<text class="${index < named.length ? `name s${index}` : 'label'}" x="${width + 34}" y="${at}" dy=".32em">${name}</text>`;
    }),
  ]);
}
