/** The maps that a report shows: of each corpus and view that of the system with the highest V-measure, with titles. */
import type { Corpus } from '../../corpus/store.ts';
import type { FinishedClustering } from './cell.ts';
import type { ClusteringCell, ClusteringMap } from './results.ts';

interface Row {
  result: ClusteringCell;
  cell: FinishedClustering;
  /** Rows of its documents in the corpus. */
  rows: Int32Array;
  corpus: Corpus;
}

/** Rows of one corpus and view; undefined where the best has no map. */
export async function bestMap(rows: readonly Row[]): Promise<ClusteringMap | undefined> {
  const vMeasureOf = ({ result }: Row) => result.metrics['v-measure']!.value;
  const { result, cell, rows: documents, corpus } = rows.reduce((a, b) => (vMeasureOf(b) > vMeasureOf(a) ? b : a));
  const { map, measures, truth, assigned, documentIds } = cell;
  if (map === undefined || measures.map === undefined) return undefined;
  const names = measures.perLabel.map(({ label }) => label);
  const number = new Map(names.map((name, at) => [name, at]));
  const places = Array.from(map.places);
  const titles: string[] = [];
  for (const place of places) titles.push((await corpus.get(documents[place]!)).title ?? '');
  const coordinate = (axis: 0 | 1) => places.map((_, i) => Number(map.points[2 * i + axis]!.toFixed(3)));
  return {
    corpus: result.corpus,
    view: result.view,
    model: result.model,
    neighbours: measures.map.neighbours,
    trustworthiness: measures.map.trustworthiness,
    names,
    ids: places.map((place) => documentIds[place]!),
    titles,
    labels: places.map((place) => number.get(truth[place]!)!),
    clusters: places.map((place) => assigned[0]![place]!),
    x: coordinate(0),
    y: coordinate(1),
  };
}
