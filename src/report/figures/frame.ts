/**
 * What all figures share: the frame with its two labelled axes, the marks and line styles of systems, and end labels that
 * do not overlap. Colours are CSS variables (`--s0`...), so that one figure serves light, dark and print; a system is told
 * apart by mark and dash as well as by colour.
 *
 * Why not a plotting library: five kinds of figure stand on these few lines, while Observable Plot on the server brings 62
 * packages and a DOM shim (16 MB), and its inline styles would need a laxer content policy in the page.
 */
import { type Content, html, type Markup } from '../markup.ts';
import { type Scale, tickLabel } from './scale.ts';

/** Systems beyond this many share one quiet grey. */
export const distinct = 8;

const dashes = ['', '6 3', '2 3', '8 3 2 3', '4 2', '1 2', '10 4', '6 2 1 2'];

export function seriesClass(index: number): string {
  return `s${index < distinct ? index : 'x'}`;
}

export function dash(index: number): string {
  return dashes[index] ?? '';
}

export interface Box {
  width: number;
  height: number;
  top: number;
  right: number;
  bottom: number;
  left: number;
}

interface FrameSpec {
  box: Box;
  x: { scale: Scale; label: string; format?: (value: number) => string; ticks?: readonly number[] };
  y: { scale: Scale; label: string; format?: (value: number) => string };
  /** What the figure shows, for those who cannot see it. */
  title: string;
  marks: Content;
}

/** The figure: horizontal hairlines at the y ticks, ticks below, labels with units at the ends of the axes. */
export function frame({ box, x, y, title, marks }: FrameSpec): Markup {
  const [right, bottom] = [box.width - box.right, box.height - box.bottom];
  const xTicks = x.ticks ?? x.scale.ticks;
  return svg(box.width, box.height, title, [
    y.scale.ticks.map((tick) => {
      const at = fixed(y.scale(tick));
      const label = y.format?.(tick) ?? tickLabel(tick, y.scale.ticks);
      return html`<path class="grid" d="M${box.left},${at}H${right}"/><text class="tick" x="${box.left - 6}" y="${at}" dy=".32em" text-anchor="end">${label}</text>`;
    }),
    xTicks.map((tick) => {
      const at = fixed(x.scale(tick));
      const label = x.format?.(tick) ?? tickLabel(tick, xTicks);
      return html`<path class="axis" d="M${at},${bottom}v4"/><text class="tick" x="${at}" y="${bottom + 15}" text-anchor="middle">${label}</text>`;
    }),
    html`<path class="axis" d="M${box.left},${bottom}H${right}"/>`,
    html`<text class="label" x="0" y="10">${y.label}</text>`,
    html`<text class="label" x="${right}" y="${box.height - 2}" text-anchor="end">${x.label}</text>`,
    marks,
  ]);
}

export function svg(width: number, height: number, title: string, content: Content): Markup {
  return html`<svg viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${title}">${content}</svg>`;
}

/** A system's mark: shape by index, filled or hollow. */
export function mark(index: number, x: number, y: number, size = 3.2, title?: string): Markup {
  const label = title === undefined ? undefined : html`<title>${title}</title>`;
  const hollow = index % 8 >= 4 ? ' hollow' : '';
  return html`<path class="mark ${seriesClass(index)}${hollow}" d="${shape(index, x, y, size)}">${label}</path>`;
}

function shape(index: number, x: number, y: number, r: number): string {
  const [cx, cy] = [fixed(x), fixed(y)];
  switch (index % 4) {
    case 0:
      return `M${fixed(x - r)},${cy}a${r},${r} 0 1 0 ${2 * r},0a${r},${r} 0 1 0 ${-2 * r},0Z`;
    case 1: {
      const s = fixed(r * 0.9);
      return `M${fixed(x - s)},${fixed(y - s)}h${2 * s}v${2 * s}h${-2 * s}Z`;
    }
    case 2:
      return `M${cx},${fixed(y - r * 1.2)}L${fixed(x + r * 1.1)},${fixed(y + r * 0.8)}H${fixed(x - r * 1.1)}Z`;
    default:
      return `M${cx},${fixed(y - r * 1.3)}L${fixed(x + r * 1.3)},${cy}L${cx},${fixed(y + r * 1.3)}L${fixed(x - r * 1.3)},${cy}Z`;
  }
}

/** Names at the ends of lines, moved apart vertically where they would overlap, with a leader to their line. */
export function endLabels(
  labels: readonly { index: number; text: string; y: number }[],
  { x, top, bottom, gap = 13 }: { x: number; top: number; bottom: number; gap?: number },
): Markup[] {
  const placed = spread(
    labels.map((label) => label.y),
    { top, bottom, gap },
  );
  return labels.map((label, position) => {
    const at = fixed(placed[position]!);
    return html`<path class="leader ${seriesClass(label.index)}" d="M${x + 3},${fixed(label.y)}L${x + 11},${at}"/><text class="name ${seriesClass(label.index)}" x="${x + 14}" y="${at}" dy=".32em">${label.text}</text>`;
  });
}

/** Places at least `gap` apart inside `[top, bottom]`, in the order of the wishes and as near to them as that allows. */
export function spread(
  wishes: readonly number[],
  { top, bottom, gap }: { top: number; bottom: number; gap: number },
): number[] {
  const order = wishes.map((_, index) => index).sort((a, b) => wishes[a]! - wishes[b]!);
  const places = [...wishes];
  let last = top - gap;
  for (const index of order) {
    last = Math.max(wishes[index]!, last + gap);
    places[index] = last;
  }
  let next = bottom + gap;
  for (const index of order.toReversed()) {
    next = Math.min(places[index]!, next - gap);
    places[index] = next;
  }
  return places;
}

/** Rough width of text in a figure's type, to leave room for it. */
export function textWidth(text: string, size = 11): number {
  return [...text].length * size * 0.56;
}

export function fixed(value: number): number {
  return Math.round(value * 10) / 10;
}
