/**
 * Names short enough to read. A model given as a folder bears its whole path in the results; on the page and the terminal
 * its last part is enough (`/data/models/my-encoder` reads `my-encoder`), as long as no two models come to share a name.
 * Manifests, JSON and CSV keep the path.
 */
import { type ClassificationResults, classifierName } from '../study/classification/results.ts';
import type { ClusteringResults } from '../study/clustering/results.ts';
import { type CellResult, type EvaluationResults, systemName } from '../study/results.ts';

type Rename = (name: string) => string;

/** The results with short names in all that is shown; manifests untouched. */
export function withShortNames(results: EvaluationResults): EvaluationResults {
  const { classification, clustering } = results;
  const all = [...results.cells, ...(classification?.cells ?? []), ...(clustering?.cells ?? [])];
  const models = shortModels([...all.map((cell) => cell.model), ...(clustering?.leftOut ?? [])]);
  const model = (name: string) => models.get(name) ?? name;
  const systems = new Map(
    results.cells.map((cell) => [systemName(cell), systemName({ ...cell, model: model(cell.model) })]),
  );
  const system = (name: string) => systems.get(name) ?? name;
  const sides = sidesBy(system);
  return {
    ...results,
    cells: results.cells.map(
      (cell): CellResult => ({
        ...cell,
        model: model(cell.model),
        ...(cell.rerank === undefined ? {} : { rerank: { ...cell.rerank, base: system(cell.rerank.base) } }),
      }),
    ),
    comparisons: results.comparisons.map((table) => tableBy(table, system)),
    viewComparisons: results.viewComparisons.map((table) => ({ ...table, model: system(table.model) })),
    recallCurves: results.recallCurves.map((curve) => ({ ...curve, system: system(curve.system) })),
    differences: results.differences.map(sides),
    winsLosses: results.winsLosses.map(sides),
    strata: results.strata.map((stratum) => ({
      ...stratum,
      systems: Object.fromEntries(Object.entries(stratum.systems).map(([name, estimate]) => [system(name), estimate])),
    })),
    domains: results.domains.map((domain) => ({
      ...domain,
      systems: Object.fromEntries(Object.entries(domain.systems).map(([name, estimates]) => [system(name), estimates])),
      outPairs: domain.outPairs.map(sides),
      fusions: domain.fusions.map(({ fused, dense, bm25, ...rest }) => ({
        ...rest,
        fused: system(fused),
        dense: system(dense),
        ...(bm25 === undefined ? {} : { bm25: system(bm25) }),
      })),
    })),
    retentions: results.retentions.map(({ full, cut, ...retention }) => ({
      ...retention,
      model: system(retention.model),
      full: { ...full, system: system(full.system) },
      cut: cut.map((point) => ({ ...point, system: system(point.system) })),
    })),
    alphaSweeps: results.alphaSweeps.map((sweep) => ({ ...sweep, dense: model(sweep.dense) })),
    ...(classification === undefined ? {} : { classification: shortClassifiers(classification, model) }),
    ...(clustering === undefined ? {} : { clustering: shortClusterings(clustering, model) }),
  };
}

function shortClassifiers(results: ClassificationResults, model: Rename): ClassificationResults {
  const names = new Map(
    results.cells.map((cell) => [classifierName(cell), classifierName({ ...cell, model: model(cell.model) })]),
  );
  const name = (classifier: string) => names.get(classifier) ?? classifier;
  return {
    ...results,
    cells: results.cells.map((cell) => ({ ...cell, model: model(cell.model) })),
    comparisons: results.comparisons.map((table) => tableBy(table, name)),
  };
}

function shortClusterings(results: ClusteringResults, model: Rename): ClusteringResults {
  const renamed = <T extends { model: string }>(items: readonly T[]) =>
    items.map((item) => ({ ...item, model: model(item.model) }));
  return {
    ...results,
    cells: renamed(results.cells),
    comparisons: results.comparisons.map((table) => tableBy(table, model)),
    viewComparisons: renamed(results.viewComparisons),
    maps: renamed(results.maps),
    leftOut: results.leftOut.map(model),
  };
}

interface NamedTable {
  systems: string[];
  pairs: { a: string; b: string }[];
}

function tableBy<T extends NamedTable>(table: T, name: Rename): T {
  return { ...table, systems: table.systems.map(name), pairs: table.pairs.map(sidesBy(name)) };
}

function sidesBy(name: Rename) {
  return <T extends { a: string; b: string }>(pair: T): T => ({ ...pair, a: name(pair.a), b: name(pair.b) });
}

/** model -> short name; where two would be the same, both keep more of their path. */
export function shortModels(names: readonly string[]): Map<string, string> {
  const distinct = [...new Set(names)];
  for (let parts = 1; parts <= 4; parts++) {
    const short = new Map(distinct.map((name) => [name, shortModel(name, parts)]));
    if (new Set(short.values()).size === distinct.length) return short;
  }
  return new Map(distinct.map((name) => [name, name]));
}

/** Last parts of folders that say nothing of the model. */
const generic = /^(?:models?|snapshots|checkpoint[-_]?\d*|final|best|latest|[0-9a-f]{40})$/i;

function shortModel(name: string, parts: number): string {
  const fused = /^(bm25[^+]*\+)(.+)$/s.exec(name);
  if (fused !== null) return fused[1]! + shortModel(fused[2]!, parts);
  if (!/^(?:\.{0,2}[\\/]|~[\\/]|[A-Za-z]:[\\/])/.test(name)) return name; // an id, not a path
  const pieces = name.split(/[\\/]/).filter((piece) => piece !== '');
  let first = pieces.length - parts;
  while (first > 0 && generic.test(pieces[first]!)) first--;
  return pieces.slice(Math.max(0, first)).join('/') || name;
}
