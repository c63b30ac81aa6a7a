/** Quality against cost: one mark a system, the interval as a vertical line, names beside the marks. */
import type { Estimate } from '../../metrics/types.ts';
import { metricName, seconds, shorten, withInterval } from '../format.ts';
import { html, type Markup } from '../markup.ts';
import { endLabels, fixed, frame, mark, seriesClass, textWidth } from './frame.ts';
import { linear, logarithmic } from './scale.ts';

interface ScatterSpec {
  title: string;
  metric: string;
  points: { name: string; index: number; seconds: number; estimate: Estimate }[];
}

export function qualityAgainstCost({ title, metric, points }: ScatterSpec): Markup {
  const names = points.map((point) => shorten(point.name, 38));
  const right = Math.min(270, 24 + Math.max(...names.map((name) => textWidth(name))));
  const box = { width: 640, height: 280, top: 24, right, bottom: 36, left: 40 };
  const costs = points.map((point) => Math.max(1e-3, point.seconds));
  const x = logarithmic([Math.min(...costs) / 1.4, Math.max(...costs) * 1.4], [box.left, box.width - right]);
  const y = linear(
    [
      Math.min(...points.map((point) => point.estimate.lower)),
      Math.max(...points.map((point) => point.estimate.upper)),
    ],
    [box.height - box.bottom, box.top],
  );
  const marks = points.map((point, position) => {
    const at = x(costs[position]!);
    const told = `${point.name}: ${metricName(metric)} ${withInterval(point.estimate)}, ${seconds(point.seconds)}`;
    return html`<path class="whisker ${seriesClass(point.index)}" d="M${fixed(at)},${fixed(y(point.estimate.lower))}V${fixed(y(point.estimate.upper))}"/><path class="leader faint ${seriesClass(point.index)}" d="M${fixed(at + 5)},${fixed(y(point.estimate.value))}H${box.width - right}"/>${mark(point.index, at, y(point.estimate.value), 4, told)}`;
  });
  const labels = points.map((point, position) => ({
    index: point.index,
    text: names[position]!,
    y: y(point.estimate.value),
  }));
  return frame({
    box,
    title,
    x: { scale: x, label: 'seconds in all, logarithmic', format: seconds },
    y: { scale: y, label: metricName(metric) },
    marks: [marks, endLabels(labels, { x: box.width - right, top: box.top, bottom: box.height - box.bottom })],
  });
}
