/**
 * The methods paragraph to paste into a paper or a memo, generated from the manifests: what was searched, what counts as
 * relevant, how each model read the text, how metrics, intervals and verdicts are defined, seeds and versions.
 */
import { type CellResult, systemName } from '../study/results.ts';
import { count, listOf, metricName } from './format.ts';
import { isBm25, type Standings, unique } from './standings.ts';

/** Paragraphs of plain text. */
export function methods(standings: Standings): string[] {
  const { results } = standings;
  if (results.cells.length === 0) return [versions(standings)];
  return [
    corpora(standings),
    systems(results.cells),
    measures(standings),
    statistics(standings),
    versions(standings),
  ].filter((text) => text !== '');
}

function corpora({ results, views }: Standings): string {
  const told = results.dataCards.map((card) => {
    const cell = results.cells.find((candidate) => candidate.corpus === card.corpus);
    const hash = cell === undefined ? '' : `, corpus hash ${cell.manifest.corpus.hash.slice(0, 12)}`;
    return `${card.corpus} (${count(card.documents)} documents, ${count(card.queries?.used ?? 0)} queries${card.invented ? ', invented data' : ''}${hash})`;
  });
  const filters = unique(
    results.cells.flatMap(({ manifest }) => [
      ...(manifest.onlyEarlier ? ['candidates are documents published before the query’s earliest date'] : []),
      ...(manifest.maskCitations ? ['patent numbers were masked in the text where a view says so'] : []),
    ]),
  );
  return [
    told.length > 0 && `Citation retrieval was evaluated on ${listOf(told)}.`,
    sentence(results.relevanceStatement),
    views.length > 0 &&
      `Text views: ${views.join(', ')} (T title, A abstract, C claims, C1 first claim, full all text; sections joined by newline, cut at the end).`,
    filters.length > 0 && sentence(listOf(filters)),
  ]
    .filter(Boolean)
    .join(' ');
}

function systems(cells: CellResult[]): string {
  const texts = new Map<string, string>();
  for (const cell of cells) {
    const name = systemName(cell);
    if (!texts.has(name)) texts.set(name, systemText(cell));
  }
  const named = [...texts].map(([name, text]) => (text === '' ? name : `${name} (${text})`));
  return named.length === 0 ? '' : `Systems: ${named.join('; ')}.`;
}

function systemText(cell: CellResult): string {
  const { manifest } = cell;
  const { prompt } = manifest;
  const settings = settingsText(manifest.settings);
  const { rerank } = cell;
  return [
    rerank && `the first ${rerank.depth} documents of ${rerank.base} in the order of a cross-encoder`,
    ...settings,
    manifest.dtype,
    manifest.pooling && `${manifest.pooling} pooling`,
    manifest.dimensions !== undefined && `${manifest.dimensions} dimensions`,
    manifest.passages !== undefined
      ? passagesText(manifest.passages)
      : manifest.length !== undefined && `at most ${manifest.length} tokens`,
    prompt?.query && `query prompt ${JSON.stringify(prompt.query)}`,
    prompt?.document && `document prompt ${JSON.stringify(prompt.document)}`,
    manifest.modelHash && !isBm25(cell) && `SHA-256 ${manifest.modelHash.slice(0, 12)}`,
  ]
    .filter(Boolean)
    .join(', ');
}

function passagesText({
  size,
  overlap,
  most,
  aggregate,
  queries,
}: NonNullable<CellResult['manifest']['passages']>): string {
  const which = most === undefined ? 'passages' : `the first ${most} passages`;
  const document = aggregate === 'max' ? 'a document by the best of them' : 'a document by their mean';
  const query = queries === 'mean' ? 'a query by the mean of its own' : 'a query by its first';
  return `${which} of ${size} tokens that share ${overlap}, ${document}, ${query}`;
}

/** What a reader of a paper asks for, in words; the manifest holds the rest. */
const told: Record<string, (value: unknown) => string> = {
  variant: (value) => `variant ${value}`,
  k1: (value) => `k1 ${value}`,
  b: (value) => `b ${value}`,
  stem: (value) => (value === 'none' ? 'no stemming' : `stemmed by ${value}`),
  stopWords: (value) => (Array.isArray(value) ? `${count(value.length)} stop words` : ''),
  folds: (value) => `settings chosen by cross-fitting in ${value} folds`,
};

function settingsText(settings: object): string[] {
  return Object.entries(settings).flatMap(([key, value]): string[] => {
    if (value === undefined || value === null) return [];
    if (told[key] !== undefined) return [told[key](value)];
    return typeof value === 'object' && !Array.isArray(value) ? settingsText(value) : [];
  });
}

const meanings: Record<string, string> = {
  ndcg: 'nDCG with linear gain and log2 discount against the ideal order of all judged documents',
  map: 'MAP, mean average precision over all relevant documents',
  mrr: 'MRR, the mean reciprocal rank of the first relevant document',
  recall: 'Recall, the share of relevant documents found',
  p: 'P, precision',
  rprec: 'R-precision',
  success: 'Success, the share of queries with a relevant document',
  unjudged: 'Unjudged, the share of the ranking that nobody judged',
};

function measures({ metrics, results }: Standings): string {
  const kinds = unique(metrics.map((metric) => metric.split('@')[0]!.toLowerCase())).flatMap(
    (kind) => meanings[kind] ?? [],
  );
  const depths = unique(results.cells.flatMap(({ manifest }) => manifest.request?.depth ?? []));
  const kept = depths.length === 1 ? `, from the first ${count(depths[0]!)} documents of each ranking` : '';
  return `Metrics are ${listOf(metrics.map(metricName))}, as trec_eval defines them${kept} (${kinds.join('; ')}; ties by score down, then document id down; the mean is over all judged queries, one without a result counts 0; definitions version ${results.definitions}).`;
}

function statistics({ results }: Standings): string {
  const { comparisons, cells } = results;
  const resamples = unique(cells.flatMap(({ manifest }) => manifest.request?.resamples ?? []));
  const drawn = resamples.length === 1 ? ` (${count(resamples[0]!)} resamples)` : '';
  const parts = [
    `Intervals are 95 % bootstrap intervals, bias-corrected and accelerated${drawn}, over queries, those of one patent family drawn together.`,
  ];
  if (comparisons.length > 0) {
    const margins = unique(comparisons.map((table) => table.margin));
    parts.push(
      `Systems were compared in pairs over the same queries by a randomisation test (signs of the differences, families kept together), p values adjusted by Holm over all pairs of one corpus, view and metric. With a practical margin of ${listOf(margins.map(String))}, a verdict is “equivalent” where the 90 % interval of the difference lies within the margin, “better” or “worse” where the difference reaches the margin, its 95 % interval excludes 0 and the adjusted p is below 0.05, else “undecided”; the smallest difference detectable is given for 80 % power in a single test at 5 %.`,
    );
  }
  if (cells.some((cell) => cell.chosen !== undefined || cell.fuse !== undefined)) {
    parts.push('Fusion weights and other choices were cross-fitted: no query took part in choosing its own.');
  }
  return parts.join(' ');
}

function versions({ results }: Standings): string {
  const manifests = [
    ...results.cells,
    ...(results.classification?.cells ?? []),
    ...(results.clustering?.cells ?? []),
  ].map(({ manifest }) => manifest);
  const seeds = unique(manifests.flatMap((manifest) => manifest.seeds));
  const devices = unique(manifests.map(({ device }) => device));
  return `patentlab ${results.packageVersion}; ${seeds.length === 1 ? 'seed' : 'seeds'} ${listOf(seeds.map(String))}; ${listOf(devices)}. Command: ${results.command}`;
}

function sentence(text: string): string {
  const trimmed = text.trim();
  if (trimmed === '') return '';
  const opened = trimmed[0]!.toUpperCase() + trimmed.slice(1);
  return /[.!?]$/.test(opened) ? opened : `${opened}.`;
}
