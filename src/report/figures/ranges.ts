/**
 * Estimates with their intervals: as one line of a table (a row of a forest plot whose axis stands in the head), and by
 * stratum (systems side by side within each stratum).
 */
import type { Estimate } from '../../metrics/types.ts';
import { metricName, score, shorten, withInterval } from '../format.ts';
import { html, type Markup } from '../markup.ts';
import { fixed, frame, mark, seriesClass, svg, textWidth } from './frame.ts';
import { linear, type Scale, tickLabel } from './scale.ts';

const width = 240;
const rowHeight = 18;

/** The scale that all rows of a table share. */
export function rangeScale(estimates: readonly Estimate[]): Scale {
  const ends = estimates.flatMap(known);
  const [low, high] = [Math.min(...ends), Math.max(...ends)];
  const pad = (high - low) * 0.03;
  return linear([low - pad, high + pad], [8, width - 8], { count: 5, nice: false });
}

/** The axis in the table's head. */
export function rangeAxis(scale: Scale, label: string): Markup {
  return svg(width, 20, `axis: ${label}`, [
    html`<path class="axis" d="M8,19.5H${width - 8}"/>`,
    scale.ticks.map((tick) => {
      const at = fixed(scale(tick));
      return html`<path class="axis" d="M${at},15v4"/><text class="tick" x="${at}" y="11" text-anchor="middle">${tickLabel(tick, scale.ticks)}</text>`;
    }),
  ]);
}

/** One row: the interval, where there is one, as a line, the value as a mark, hairlines at the ticks, the best value as a reference. */
export function range(scale: Scale, estimate: Estimate, options: { metric: string; reference?: number }): Markup {
  const middle = rowHeight / 2;
  const ticks = scale.ticks.map((tick) => `M${fixed(scale(tick))},0V${rowHeight}`).join('');
  const reference =
    options.reference !== undefined &&
    html`<path class="rule" d="M${fixed(scale(options.reference))},0V${rowHeight}"/>`;
  return svg(width, rowHeight, `${metricName(options.metric)} ${withInterval(estimate)}`, [
    html`<path class="grid" d="${ticks}"/>`,
    reference,
    Number.isFinite(estimate.lower) &&
      Number.isFinite(estimate.upper) &&
      html`<path class="whisker" d="M${fixed(scale(estimate.lower))},${middle}H${fixed(scale(estimate.upper))}"/>`,
    html`<circle class="dot" cx="${fixed(scale(estimate.value))}" cy="${middle}" r="3.2"/>`,
  ]);
}

interface StrataSpec {
  title: string;
  metric: string;
  by: string;
  strata: { name: string; queries: number; values: (Estimate | undefined)[] }[];
  /** Systems in the order of `values`; `index` is the system's colour and mark. */
  systems: { name: string; index: number }[];
}

/** The value and the ends of its interval, where it has one. */
function known({ value, lower, upper }: Estimate): number[] {
  return [value, lower, upper].filter(Number.isFinite);
}

/** One place on the x axis a stratum; within it one mark with its interval a system. */
export function strataFigure({ title, metric, by, strata, systems }: StrataSpec): Markup {
  const shown = strata.flatMap((stratum) => stratum.values.filter((value) => value !== undefined));
  const right = Math.min(270, 24 + Math.max(...systems.map((system) => textWidth(shorten(system.name, 38)))));
  const band = Math.max(systems.length * 9 + 14, 44, ...strata.map((stratum) => textWidth(stratum.name) + 10));
  const left = 40;
  const inner = Math.max(320, Math.min(800, strata.length * band));
  const box = { width: left + inner + right, height: 270, top: 24, right, bottom: 48, left };
  const step = inner / strata.length;
  const y = linear(
    [Math.max(0, Math.min(...shown.flatMap(known))), Math.min(1, Math.max(...shown.flatMap(known)))],
    [box.height - box.bottom, box.top],
  );
  const center = (position: number) => left + (position + 0.5) * step;
  const spacing = Math.min(9, (step - 8) / systems.length);
  const marks = strata.map((stratum, position) =>
    systems.map((system, order) => {
      const value = stratum.values[order];
      if (value === undefined) return undefined;
      const x = center(position) + (order - (systems.length - 1) / 2) * spacing;
      const [low, high] = [Math.max(y.domain[0], value.lower), Math.min(y.domain[1], value.upper)];
      const whisker =
        Number.isFinite(low + high) &&
        html`<path class="whisker ${seriesClass(system.index)}" d="M${fixed(x)},${fixed(y(low))}V${fixed(y(high))}"/>`;
      return html`${whisker}${mark(system.index, x, y(value.value), 3, `${stratum.name}, ${system.name}: ${withInterval(value)}`)}`;
    }),
  );
  const every = Math.ceil((Math.max(...strata.map((stratum) => textWidth(stratum.name, 11))) + 6) / step);
  const names = strata.map((stratum, position) => {
    if (position % every !== 0) return undefined;
    const bottom = box.height - box.bottom;
    return html`<text class="tick" x="${fixed(center(position))}" y="${bottom + 15}" text-anchor="middle">${stratum.name}</text>${
      every === 1 &&
      html`<text class="tick quiet" x="${fixed(center(position))}" y="${bottom + 28}" text-anchor="middle">${stratum.queries}</text>`
    }`;
  });
  const legend = systems.map((system, order) => {
    const at = box.top + 6 + order * 16;
    return html`${mark(system.index, left + inner + 14, at, 3)}<text class="name ${seriesClass(system.index)}" x="${left + inner + 24}" y="${at}" dy=".32em">${shorten(system.name, 38)}</text>`;
  });
  return frame({
    box,
    title,
    x: { scale: linear([0, 1], [left, left + inner]), label: every === 1 ? `${by} (below: queries)` : by, ticks: [] },
    y: {
      scale: y,
      label: metricName(metric),
      format: (tick) => (y.ticks.length > 1 ? tickLabel(tick, y.ticks) : score(tick)),
    },
    marks: [marks, names, legend],
  });
}
