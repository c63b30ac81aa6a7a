/** The reliability plot: what a classifier promised against what came true, bin by bin; on the diagonal promises are kept. */
import { count, shorten } from '../format.ts';
import { html, type Markup } from '../markup.ts';
import { dash, fixed, frame, mark, seriesClass, textWidth } from './frame.ts';
import { linear } from './scale.ts';

interface ReliabilitySpec {
  title: string;
  series: {
    name: string;
    /** Colour and mark. */
    index: number;
    bins: readonly { count: number; confidence: number; accuracy: number }[];
  }[];
}

export function reliability({ title, series }: ReliabilitySpec): Markup {
  const side = 260;
  const [left, top] = [40, 24];
  const right = 34 + Math.max(...series.map(({ name }) => textWidth(shorten(name, 38))));
  const box = { width: left + side + right, height: top + side + 36, top, right, bottom: 36, left };
  const x = linear([0, 1], [left, left + side]);
  const y = linear([0, 1], [top + side, top]);
  const marks = series.map(({ name, index, bins }) => {
    const filled = bins.filter((bin) => bin.count > 0);
    const path = filled.map((bin) => `${fixed(x(bin.confidence))},${fixed(y(bin.accuracy))}`).join('L');
    return html`<path class="line ${seriesClass(index)}" stroke-dasharray="${dash(index)}" d="M${path}"/>${filled.map(
      (bin) =>
        mark(
          index,
          x(bin.confidence),
          y(bin.accuracy),
          2.6,
          `${name}: promised ${bin.confidence.toFixed(3)}, came true ${bin.accuracy.toFixed(3)}, ${count(bin.count)} decisions`,
        ),
    )}`;
  });
  const legend = series.map(({ name, index }, order) => {
    const at = top + 8 + order * 16;
    return html`${mark(index, left + side + 18, at, 3)}<text class="name ${seriesClass(index)}" x="${left + side + 28}" y="${at}" dy=".32em">${shorten(name, 38)}</text>`;
  });
  return frame({
    box,
    title,
    x: { scale: x, label: 'probability given' },
    y: { scale: y, label: 'share that came true' },
    marks: [html`<path class="rule" d="M${fixed(x(0))},${fixed(y(0))}L${fixed(x(1))},${fixed(y(1))}"/>`, marks, legend],
  });
}
