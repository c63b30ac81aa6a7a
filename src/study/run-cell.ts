/** Runs one system on one view of one corpus, or finds it finished. */
import { estimateMeans } from '../metrics/significance.ts';
import { measureRankings } from '../retrieve/measure.ts';
import type { CellKey, CellStore, FinishedCell } from './cell.ts';
import { cellHash, environmentOf } from './cell-folders.ts';
import { commonKey, lsaKey } from './cell-key.ts';
import { measured } from './clock.ts';
import type { CorpusUnderStudy } from './corpus-under-study.ts';
import { type EncoderPool, searchEncoder, searchLsa } from './dense.ts';
import type { EvaluateSettings } from './evaluate-options.ts';
import { fusedCost, fuseRankings, fusionSettings } from './fusion.ts';
import { lexicalSettings, searchLexical } from './lexical.ts';
import { retrievalMetrics } from './measure.ts';
import { defined, requestOf } from './request.ts';
import { rerankSearched } from './rerank.ts';
import type { RetrievalSystem } from './reranked.ts';
import type { Manifest } from './results.ts';
import type { SearchContext, Searched } from './searched.ts';
import { recallPoints } from './summaries.ts';
import { bm25System, type SystemSpec, type ViewSpec, viewLabel } from './systems.ts';

export interface CellContext {
  settings: EvaluateSettings;
  study: CorpusUnderStudy;
  store: CellStore;
  encoders: EncoderPool;
}

/** Folds of the cross-fitting of fusion settings. */
const fusionFolds = 5;

/** What identifies the cell. For a system made of others, their cells are part of it. */
export async function keyOf(system: RetrievalSystem, view: ViewSpec, context: CellContext): Promise<CellKey> {
  const { settings, study } = context;
  const { corpus, relevance, relevanceHash } = study;
  const { relevance: relevanceOptions } = settings;
  const common = {
    task: 'retrieval' as const,
    ...commonKey(corpus, view, system.label, settings),
    relevance: relevance.statement,
    onlyEarlier: relevanceOptions.onlyEarlier ?? false,
    seeds: [settings.seed],
  };
  const search = { depth: settings.depth, relevanceHash, resamples: settings.resamples };
  const filter = { category: relevanceOptions.categories, origin: relevanceOptions.origins };
  const citationFilter = filter.category || filter.origin ? { citationFilter: defined(filter) } : {};
  switch (system.kind) {
    case 'bm25':
      return { ...common, ...citationFilter, settings: { ...search, ...lexicalSettings(settings) } };
    case 'lsa':
      return {
        ...common,
        ...citationFilter,
        dimensions: system.dimensions ?? settings.lsaDimensions,
        settings: { ...search, ...lsaKey(settings) },
      };
    case 'encoder':
      return { ...common, ...citationFilter, ...(await context.encoders.manifestOf(system)), settings: search };
    case 'fused': {
      const [sparse, dense] = await Promise.all(partsOf(system).map((part) => keyOf(part, view, context)));
      const parts = [await cellHash(sparse!), await cellHash(dense!)];
      const values = fusionSettings(system.method);
      const fusion = { method: system.method, values, folds: fusionFolds, metric: retrievalMetrics[0], parts };
      return {
        ...common,
        ...citationFilter,
        device: dense!.device, // where its vectors were made
        fuse: system.method,
        settings: { ...search, fusion },
      };
    }
    case 'reranked': {
      const base = await cellHash(await keyOf(system.base, view, context));
      return {
        ...common,
        ...citationFilter,
        ...(await context.encoders.rerankers.manifestOf(system.reranker)),
        settings: { ...search, rerank: { base, depth: system.depth } },
      };
    }
  }
}

function partsOf(system: SystemSpec & { kind: 'fused' }): [SystemSpec, SystemSpec] {
  return [bm25System, system.dense];
}

/** Computes a cell and stores it. */
export async function runCell(
  system: RetrievalSystem,
  view: ViewSpec,
  key: CellKey,
  context: CellContext,
): Promise<FinishedCell> {
  const { settings, study, store } = context;
  const { shared } = study;
  const started = new Date().toISOString();
  const { result, spent } = await measured(() => search(system, view, context));
  const { before } = result;
  const perQuery = measureRankings(result.rankings, shared.judged, study.corpus.size, retrievalMetrics);
  const names = Object.keys(perQuery);
  const estimates = estimateMeans(Object.values(perQuery), shared.clusters, {
    seed: settings.seed,
    resamples: settings.resamples,
  });
  const manifest: Manifest = {
    ...key,
    format: 1,
    cell: await cellHash(key),
    request: await requestOf(system, view, study.corpus.name, settings),
    environment: environmentOf(started, settings.threads),
  };
  const cell: FinishedCell = {
    manifest,
    metrics: Object.fromEntries(names.map((name, i) => [name, estimates[i]!])),
    cost: {
      ...result.cost,
      seconds: spent.seconds + (before?.seconds ?? 0),
      peakMemoryBytes: Math.max(spent.peakMemoryBytes, before?.peakMemoryBytes ?? 0),
    },
    ...(result.chosen ? { chosen: result.chosen } : {}),
    recall: recallPoints(result.rankings, shared.judged),
    perQuery,
    queryIds: [...shared.ids],
  };
  await store.save(cell, result.rankings);
  return cell;
}

async function search(system: RetrievalSystem, view: ViewSpec, context: CellContext): Promise<Searched> {
  const { settings, study, store, encoders } = context;
  const { corpus, relevance, tieRank, filter } = study;
  const searchContext: SearchContext = {
    depth: settings.depth,
    tieRank,
    filter,
    progress: settings.progress,
    signal: settings.signal,
    label: `${corpus.name} ${viewLabel(view)}`,
  };
  switch (system.kind) {
    case 'bm25':
      return searchLexical(corpus, relevance, view, settings, searchContext);
    case 'lsa':
      return searchLsa(
        corpus,
        relevance,
        view,
        system,
        { dimensions: settings.lsaDimensions, seed: settings.seed, analyser: settings.analyser },
        encoders,
        searchContext,
      );
    case 'encoder':
      return searchEncoder(corpus, relevance, view, system, encoders, searchContext);
    case 'fused': {
      const parts = partsOf(system);
      const cells = await Promise.all(parts.map(async (part) => cellHash(await keyOf(part, view, context))));
      const [sparse, dense] = [await store.rankings(cells[0]!), await store.rankings(cells[1]!)];
      const costs = [await store.cost(cells[0]!), await store.cost(cells[1]!)] as const;
      const fused = fuseRankings({
        method: system.method,
        sparse,
        dense,
        judged: study.shared.judged,
        clusters: study.shared.clusters,
        tieRank,
        corpusSize: corpus.size,
        metric: retrievalMetrics[0],
        folds: fusionFolds,
        seed: settings.seed,
        depth: settings.depth,
      });
      return {
        rankings: fused.rankings,
        ...fusedCost(costs, fused.seconds, relevance.queries.length, corpus.size),
        chosen: { ...fused.chosen, sweep: fused.sweep },
      };
    }
    case 'reranked': {
      const base = await cellHash(await keyOf(system.base, view, context));
      return rerankSearched({
        corpus,
        relevance,
        view,
        base: { rankings: await store.rankings(base), cost: await store.cost(base) },
        reranker: await encoders.rerankers.get(system.reranker),
        label: system.label,
        depth: system.depth,
        context: searchContext,
      });
    }
  }
}
