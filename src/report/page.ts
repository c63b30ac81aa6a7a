/**
 * The parts every section of the page is made of: sections with the stamp on top, panels that the filters show and hide,
 * tables that scroll inside themselves, values that lead to the manifest that made them, and budgets that keep the page
 * below its size whatever the number of systems.
 */
import type { CellResult } from '../study/results.ts';
import { systemName } from '../study/results.ts';
import { metricName, score, withInterval } from './format.ts';
import { anchor, type Content, html, type Markup } from './markup.ts';
import type { Standings } from './standings.ts';

export const inventedStamp = 'Invented data: says nothing about your patents';

export interface Page {
  standings: Standings;
  /** Names of the CSV files beside the page, by topic. */
  files: CsvNames;
}

export interface CsvNames {
  leaderboard: string;
  comparisons: string;
  strata: string;
  domains: string;
  retention: string;
  recall: string;
  differences: string;
  winsLosses: string;
  alpha: string;
}

interface SectionSpec {
  id: string;
  title: string;
  /** A sentence on how to read it. */
  lead?: Content;
  body: Content;
  /** CSV file with the same numbers. */
  csv?: string;
}

/** Any page: whether its data is invented stands in its results. */
export interface Stamped {
  standings: { results: { invented: boolean } };
}

export function section(page: Stamped, { id, title, lead, body, csv }: SectionSpec): Markup {
  return html`<section id="${id}" aria-labelledby="${id}-title">
${stamp(page)}<h2 id="${id}-title">${title}${csv && html` <a class="csv" href="${csv}">${csv}</a>`}</h2>
${lead && html`<p class="lead">${lead}</p>`}
${body}
</section>
`;
}

export function stamp(page: Stamped): Content {
  return page.standings.results.invented && html`<p class="stamp">${inventedStamp}</p>\n`;
}

/** A part that belongs to one corpus, view and metric: the filters show those that match. */
export function panel(of: { corpus: string; view?: string; metric?: string }, body: Content): Markup {
  const view = of.view === undefined ? undefined : html` data-view="${of.view}"`;
  const metric = of.metric === undefined ? undefined : html` data-metric="${of.metric}"`;
  const heading = [of.corpus, of.view, of.metric && metricName(of.metric)].filter(Boolean).join(' · ');
  return html`<div class="panel" data-corpus="${of.corpus}"${view}${metric}><h3>${heading}</h3>${body}</div>\n`;
}

/** A wide thing that scrolls within itself, also by keyboard. */
export function scroller(label: string, body: Content): Markup {
  return html`<div class="scroll" role="region" aria-label="${label}" tabindex="0">${body}</div>`;
}

export function figure(label: string, body: Content, caption?: Content): Markup {
  return html`<figure>${scroller(label, body)}${caption && html`<figcaption>${caption}</figcaption>`}</figure>`;
}

/** Whatever has a manifest, which stands on the page under its hash. */
export interface Cited {
  manifest: { cell: string };
}

export function shortHash(cell: Cited): string {
  return cell.manifest.cell.slice(0, 12);
}

export function manifestId(cell: Cited): string {
  return anchor('cell', shortHash(cell));
}

/** A number that leads to its manifest. */
export function value(cell: Cited & Pick<CellResult, 'metrics'>, metric: string): Content {
  const estimate = cell.metrics[metric];
  if (estimate === undefined) return '–';
  return linked(cell, score(estimate.value), `${metricName(metric)} ${withInterval(estimate)}`);
}

export function linked(cell: Cited, text: string, told = ''): Markup {
  const title = `${told}${told && '; '}manifest ${shortHash(cell)}`;
  return html`<a class="n" href="#${manifestId(cell)}" title="${title}">${text}</a>`;
}

export function systemLink(cell: CellResult): Markup {
  return linked(cell, systemName(cell), `${cell.corpus}, ${cell.view}`);
}

/** Bytes that a kind of content may take; what does not fit any more is named and left to the CSV beside the page. */
export class Budget {
  private left: number;
  dropped = 0;

  constructor(bytes: number) {
    this.left = bytes;
  }

  /** The content where it fits, undefined where not; a smaller one may still fit later. */
  take(content: Markup): Markup | undefined {
    const size = Buffer.byteLength(content.text);
    if (size > this.left) {
      this.dropped++;
      return undefined;
    }
    this.left -= size;
    return content;
  }

  /** Takes the first item of every group, then every second one, and so on, so that no group goes empty for another. */
  takeFairly<T>(
    groups: readonly (readonly T[])[],
    draw: (item: T) => Markup,
    taken: (item: T) => void = () => {},
  ): Markup[][] {
    const kept: Markup[][] = groups.map(() => []);
    const longest = Math.max(0, ...groups.map((group) => group.length));
    for (let rank = 0; rank < longest; rank++) {
      groups.forEach((group, index) => {
        if (rank >= group.length) return;
        const content = this.take(draw(group[rank]!));
        if (content === undefined) return;
        kept[index]!.push(content);
        taken(group[rank]!);
      });
    }
    return kept;
  }

  note(what: string, csv: string): Content {
    return (
      this.dropped > 0 &&
      html`<p class="lead">${this.dropped} more ${what} would make this page too large: they are in <a href="${csv}">${csv}</a>.</p>`
    );
  }
}
