/** The end of the page: methods to paste, what the figures do not say, and the manifests behind every number. */
import { classifierName } from '../../study/classification/results.ts';
import { systemName, type TaskManifest } from '../../study/results.ts';
import { classificationMethods } from '../classification-methods.ts';
import { clusteringMethods } from '../clustering-methods.ts';
import { listOf } from '../format.ts';
import { type Content, html, jsonIsland, type Markup } from '../markup.ts';
import { methods } from '../methods.ts';
import { manifestId, type Page, section, shortHash } from '../page.ts';
import { factList } from '../tables.ts';

export function methodsSection(page: Page): Markup {
  const { standings } = page;
  const texts = [
    ...methods(standings),
    ...classificationMethods(standings.results),
    ...clusteringMethods(standings.results),
  ];
  const paragraphs = texts.map((text) => html`<p>${text}</p>\n`);
  return section(page, {
    id: 'methods',
    title: 'Methods, to paste',
    body: html`<div id="methods-text">${paragraphs}</div><p class="script-only" hidden><button type="button" class="copy" data-copy="methods-text">Copy the text</button></p>`,
  });
}

export function caveats(page: Page): Markup {
  const { results } = page.standings;
  const ceilings = results.dataCards.flatMap(({ corpus, citations: { recallCeiling } }) =>
    recallCeiling === undefined ? [] : [`${(recallCeiling * 100).toFixed(1)} % in ${corpus}`],
  );
  const inferred = results.dataCards.some((card) => card.families.inferred);
  const retrieval = results.cells.length > 0;
  const items: Content[] = [
    retrieval &&
      html`<b>Uncited is not irrelevant.</b> Relevance stands for citation: an applicant or an examiner named the document. Prior art that nobody cited counts as wrong here, whichever system finds it; a system that finds other relevant art than the examiners did is undervalued. The unjudged share in the leaderboard tells how much of each ranking nobody has judged.`,
    retrieval &&
      html`<b>Lexical systems may be favoured.</b> Where citations were found by searching for words, documents that share words are more likely to be cited.`,
    ceilings.length > 0 &&
      html`<b>Only documents inside the corpus can be found.</b> Of the queries' citations, ${listOf(ceilings)} lie inside.`,
    inferred &&
      html`<b>Families are inferred</b> where the data names none; a missed family member may count as a hit or as an error.`,
    results.classification !== undefined &&
      html`<b>Labels are what somebody assigned.</b> A code that an office did not give counts as wrong here, even where it would fit; documents without any label took no part.`,
    results.classification !== undefined &&
      html`<b>A probe is not a fine-tuned classifier.</b> It says what can be read off frozen vectors with these settings; another probe may order the models differently.`,
    results.clustering !== undefined &&
      html`<b>Clusters are judged by labels.</b> A clustering by another sound principle than the labels’ scores low; documents with several labels are judged by one of them.`,
    html`<b>The verdicts hold for this corpus, ${retrieval ? 'these queries and this notion of relevance' : 'these documents and these labels'}.</b> Another landscape may order the systems differently.`,
  ];
  return section(page, {
    id: 'caveats',
    title: 'What these figures do not say',
    body: html`<ul>${items.map((item) => item && html`<li>${item}</li>\n`)}</ul>`,
  });
}

export function manifests(page: Page): Markup {
  const { cells: searched, classification, clustering } = page.standings.results;
  const all: MadeCell[] = [
    ...searched.map((cell) => ({ ...cell, name: systemName(cell) })),
    ...(classification?.cells ?? []).map((cell) => ({ ...cell, name: classifierName(cell) })),
    ...(clustering?.cells ?? []).map((cell) => ({ ...cell, name: `${cell.model}, clustering` })),
  ];
  const cells = [...new Map(all.map((cell) => [cell.manifest.cell, cell])).values()];
  return section(page, {
    id: 'manifests',
    title: 'Manifests',
    lead: html`What made each number. <code>patentlab repeat</code> runs a manifest again and says what differs. Comparisons stand on the per-query values of both their cells.`,
    body: [
      cells.map((cell) => entry(cell)),
      jsonIsland(
        'manifest-data',
        cells.map((cell) => cell.manifest),
      ),
    ],
  });
}

/** Of the files of cells. */
const fileNames = {
  run: 'run',
  perQuery: 'per query',
  predictions: 'predictions',
  assignments: 'clusters',
  map: 'map',
} as const;

/** A cell of any task. */
interface MadeCell {
  corpus: string;
  view: string;
  name: string;
  manifest: TaskManifest;
  chosen?: Record<string, unknown>;
  files: Partial<Record<keyof typeof fileNames, string>>;
}

function entry(cell: MadeCell): Markup {
  const { manifest, files } = cell;
  const { cell: hash, format: _format, request: _request, environment, settings, ...rest } = manifest;
  const facts: [string, Content][] = [
    ...flat(rest),
    ...flat(settings, 'settings.'),
    ...(cell.chosen === undefined ? [] : flat(cell.chosen, 'chosen.')),
    [
      'environment',
      `${environment.processor}, ${environment.platform}, ${environment.threads} threads, Node ${environment.node.replace(/^v/, '')}, started ${environment.started}`,
    ],
    ...Object.entries(fileNames).flatMap(([key, name]): [string, Content][] => {
      const path = files[key as keyof typeof fileNames];
      return path === undefined ? [] : [[name, html`<a href="${relative(path)}">${path}</a>`]];
    }),
  ];
  return html`<details class="manifest" id="${manifestId(cell)}"><summary>${cell.corpus} · ${cell.view} · ${cell.name} <code>${shortHash(cell)}</code></summary><p><code>patentlab repeat ${hash}</code></p>${factList(facts)}</details>\n`;
}

/** A path as a relative address: never a scheme, never another host. */
function relative(path: string): string {
  return `./${path.toWellFormed().split(/[\\/]/).map(encodeURIComponent).join('/')}`;
}

function flat(value: object, prefix = ''): [string, Content][] {
  return Object.entries(value).flatMap(([key, item]): [string, Content][] => {
    if (item === undefined) return [];
    if (item !== null && typeof item === 'object' && !Array.isArray(item)) return flat(item, `${prefix}${key}.`);
    const text = typeof item === 'string' ? item : JSON.stringify(item);
    return [[`${prefix}${key}`, text.length > 600 ? `${text.slice(0, 600)}…` : text]];
  });
}
