/** Clustering in detail: the maps, which clusters are pure, which labels are spread or lie together, what was left out. */
import { reductionWords } from '../../study/clustering/options.ts';
import type {
  ClusteringCell,
  ClusteringMap,
  ClusterRow,
  MixedLabels,
  ReductionCard,
  SpreadLabel,
} from '../../study/clustering/results.ts';
import { clusteringFiles } from '../clustering-csv.ts';
import { clusterGroups } from '../clustering-standings.ts';
import { documentMap } from '../figures/document-map.ts';
import { count, percent, plural, score } from '../format.ts';
import { type Content, html, type Markup } from '../markup.ts';
import { Budget, figure, linked, type Page, panel, scroller, section } from '../page.ts';
import { factList, sortable } from '../tables.ts';

/** Rows of the table beside a map. */
const sampled = 40;
/** Documents on all maps of a page; beyond, each map shows fewer. */
const pagePoints = 6000;
/** Characters of a title on a map. */
const titleLength = 90;

export function clusterMaps(page: Page): Content {
  const results = page.standings.results.clustering;
  if (results === undefined || results.maps.length === 0) return undefined;
  const budget = new Budget(1_500_000);
  const most = Math.max(300, Math.floor(pagePoints / results.maps.length));
  const byCorpus = [...Map.groupBy(results.maps, ({ corpus }) => corpus).values()];
  const panels = budget.takeFairly(byCorpus, (map) => mapPanel(map, most));
  return section(page, {
    id: 'clustering-map',
    title: 'Documents on a map',
    csv: clusteringFiles.map,
    lead: 'UMAP of the system with the highest V-measure in each panel; of large corpora a sample in which each label has its share. Near on the map is mostly near by cosine; distances between groups, sizes and directions mean little. Point at a document for its title, or open the table below the map.',
    body: [panels, budget.note('maps', clusteringFiles.map)],
  });
}

function mapPanel(map: ClusteringMap, most: number): Markup {
  const title = `Map of ${map.corpus}, ${map.view}, by ${map.model}`;
  const all = map.ids.length;
  const step = Math.max(1, all / most);
  const points = Array.from({ length: Math.min(all, most) }, (_, at) => {
    const i = Math.floor(at * step);
    return { x: map.x[i]!, y: map.y[i]!, group: map.labels[i]!, told: told(map, i) };
  });
  const caption = `${map.model}: ${points.length < all ? `${count(points.length)} of ` : ''}${plural(all, 'document')} by label. Trustworthiness ${score(map.trustworthiness)} of ${plural(map.neighbours, 'neighbour')}: 1 where all neighbours on the map are neighbours by cosine too, about 0.5 by chance.`;
  return panel(map, [figure(title, documentMap({ title, groups: map.names, points }), caption), sampleTable(map)]);
}

function told({ ids, titles, names, labels, clusters }: ClusteringMap, i: number): string {
  const points = [...(titles[i] ?? '')];
  const title = points.length > titleLength ? `${points.slice(0, titleLength - 1).join('')}…` : points.join('');
  return `${ids[i]}: ${title} (${names[labels[i]!]}, cluster ${clusters[i]})`;
}

/** Some documents of a map for those who cannot point: evenly spread over the labels. */
function sampleTable(map: ClusteringMap): Markup {
  const order = map.ids.map((_, i) => i).sort((a, b) => map.labels[a]! - map.labels[b]! || a - b);
  const step = Math.max(1, order.length / sampled);
  const taken = Array.from({ length: Math.min(sampled, order.length) }, (_, i) => order[Math.floor(i * step)]!);
  const rows = taken.map(
    (i) =>
      html`<tr><th scope="row">${map.ids[i]}</th><td>${map.titles[i]}</td><td>${map.names[map.labels[i]!]}</td><td class="num">${map.clusters[i]}</td><td class="num">${map.x[i]!.toFixed(1)}</td><td class="num">${map.y[i]!.toFixed(1)}</td></tr>\n`,
  );
  const summary = `${count(taken.length)} of ${plural(map.ids.length, 'document')} as a table`;
  return html`<details><summary>${summary}</summary>${scroller(
    `Documents of the map of ${map.corpus}, ${map.view}`,
    html`<table class="sortable"><caption>${summary}</caption><thead><tr>${sortable('Document')}${sortable('Title')}${sortable('Label')}${sortable('Cluster', true)}${sortable('x', true)}${sortable('y', true)}</tr></thead><tbody>${rows}</tbody></table>`,
  )}</details>`;
}

/** Rows of a table at either end. */
const ends = 12;

export function clusterTables(page: Page): Content {
  const results = page.standings.results.clustering;
  if (results === undefined || results.cells.length === 0) return undefined;
  const budget = new Budget(500_000);
  const panels = clusterGroups(results).map(({ corpus, view, best }) =>
    budget.take(panel({ corpus, view }, [clustersOf(best), labelsOf(best), mixedOf(best)])),
  );
  return section(page, {
    id: 'clusters',
    title: 'Clusters and labels',
    csv: clusteringFiles.clusters,
    lead: html`The system with the highest V-measure in each panel, its clustering with the first seed. A label’s spread is the number of clusters of equal size over which it would be spread as widely; two labels lie together as often as a document of one and a document of the other are in one cluster. All rows of all systems: <a href="${clusteringFiles.clusters}">clusters</a>, <a href="${clusteringFiles.labels}">labels</a>, <a href="${clusteringFiles.mixed}">pairs of labels</a>.`,
    body: [panels, budget.note('panels', clusteringFiles.clusters)],
  });
}

function clustersOf(cell: ClusteringCell): Content {
  const sorted = cell.perCluster.toSorted((a, b) => b.purity - a.purity || b.documents - a.documents);
  const row = ({ cluster, documents, purity, labels }: ClusterRow) =>
    html`<tr><th scope="row">${cluster}</th><td class="num">${count(documents)}</td><td class="num">${percent(purity, 0)}</td><td>${labels.map(({ label, documents: own }) => `${label} ${count(own)}`).join(', ')}</td></tr>\n`;
  const heads = html`${sortable('Cluster')}${sortable('documents', true)}${sortable('purity', true)}<th scope="col">Labels, most documents first</th>`;
  return bothEnds(cell, sorted, row, heads, ['clusters', 'purest', 'most mixed']);
}

function labelsOf(cell: ClusteringCell): Content {
  const sorted = cell.perLabel.toSorted((a, b) => a.spread - b.spread || b.documents - a.documents);
  const row = ({ label, documents, spread, clusters }: SpreadLabel) =>
    html`<tr><th scope="row">${label}</th><td class="num">${count(documents)}</td><td class="num">${spread.toFixed(1)}</td><td>${clusters.map(({ cluster, documents: own }) => `${cluster}: ${count(own)}`).join(', ')}</td></tr>\n`;
  const heads = html`${sortable('Label')}${sortable('documents', true)}${sortable('spread', true)}<th scope="col">Clusters, most documents first</th>`;
  return bothEnds(cell, sorted, row, heads, ['labels', 'least spread', 'most spread']);
}

/** All rows where they are few, else those at both ends. */
function bothEnds<T>(
  cell: ClusteringCell,
  rows: readonly T[],
  draw: (row: T) => Markup,
  heads: Markup,
  [things, first, last]: [things: string, first: string, last: string],
): Content {
  const table = (own: readonly T[], what: string) =>
    scroller(
      `${what} of ${cell.model}, ${cell.corpus}, ${cell.view}`,
      html`<table class="sortable"><caption>${what}, ${linked(cell, cell.model)}</caption><thead><tr>${heads}</tr></thead><tbody>${own.map(draw)}</tbody></table>`,
    );
  if (rows.length <= 2 * ends) return table(rows, `All ${count(rows.length)} ${things}`);
  return [
    table(rows.slice(0, ends), `The ${ends} ${first} of ${count(rows.length)} ${things}`),
    table(rows.slice(-ends).toReversed(), `The ${ends} ${last}`),
  ];
}

function mixedOf(cell: ClusteringCell): Content {
  const rows = cell.mixed.slice(0, ends);
  if (rows.length === 0) return undefined;
  const row = ({ a, b, together, within }: MixedLabels) =>
    html`<tr><th scope="row">${a}</th><td>${b}</td><td class="num">${percent(together, 0)}</td><td class="num">${percent(within[0], 0)}</td><td class="num">${percent(within[1], 0)}</td></tr>\n`;
  const what = 'Labels that lie together most';
  return scroller(
    `${what}, ${cell.model}, ${cell.corpus}, ${cell.view}`,
    html`<table class="sortable"><caption>${what}, ${linked(cell, cell.model)}</caption><thead><tr>${sortable('Label')}${sortable('and')}${sortable('in one cluster', true)}${sortable('two of the first', true)}${sortable('two of the second', true)}</tr></thead><tbody>${rows.map(row)}</tbody></table>`,
  );
}

export function reductionCards(page: Page): Content {
  const results = page.standings.results.clustering;
  if (results === undefined) return undefined;
  return section(page, {
    id: 'clustering-data',
    title: 'Labels of clustering',
    lead: 'Patents have several labels, clusters are judged by one. The rule is a choice about the question: name it with every score.',
    body: results.cards.map((card) => panel({ corpus: card.corpus }, facts(card))),
  });
}

/** Says it where the order of labels seems to mean nothing. */
function sortedNote(alphabetical = 0): string {
  if (alphabetical < 0.99) return '';
  return `; in ${percent(alphabetical)} of the documents with several labels that is also the first of the alphabet, so that the source may have sorted them and the rule mean little`;
}

function facts({
  field,
  level,
  rule,
  alphabetical,
  least,
  split,
  documents,
  families,
  labels,
  sizes,
  clusters,
}: ReductionCard): Markup {
  const source = field === 'labels' ? 'the user’s own' : `${field.toUpperCase()}, cut to ${level}`;
  const dropped = documents.all - documents.kept;
  const rows: [string, Content][] = [
    ['Labels', source],
    ['One a document', `${rule}: ${reductionWords[rule]}${sortedNote(alphabetical)}`],
    [
      'Kept',
      `${count(labels.kept)} of ${plural(labels.used, 'label')}; ${count(labels.dropped)} with fewer than ${least} documents left out`,
    ],
    ['Documents', `${count(documents.kept)} of ${count(documents.all)} (${plural(families, 'family', 'families')})`],
    [
      'Left out',
      `${count(dropped)} (${percent(dropped / Math.max(1, documents.all))}): ${count(documents.unlabelled)} without a label, ${count(documents.several)} with several, ${count(documents.small)} of small labels, ${count(documents.unsplit)} in another part of the split`,
    ],
    [
      'Sizes',
      `${count(sizes.smallest)} to ${plural(sizes.largest, 'document')} a label, ${count(sizes.median)} in the median; the largest, ${sizes.largestLabel}, has ${percent(sizes.largest / documents.kept)}: the purity of a single cluster`,
    ],
    ['Clusters', count(clusters)],
    ['Split', split],
  ];
  return factList(rows);
}
