/**
 * The options that make one cell, and it alone, again: kept in its manifest for `repeat`. Paths are absolute, so that the
 * cell can be repeated from any folder.
 */
import { resolve } from 'node:path';
import type { EvaluateSettings } from './evaluate-options.ts';
import { isFolder } from './model-source.ts';
import { nameOf, type RerankedSystem, type RetrievalSystem } from './reranked.ts';
import type { EvaluationRequest } from './results.ts';
import { type SystemSpec, type ViewSpec, withoutDtype } from './systems.ts';
import { single } from './variants.ts';

export async function requestOf(
  system: RetrievalSystem,
  view: ViewSpec,
  corpus: string,
  settings: EvaluateSettings,
): Promise<EvaluationRequest> {
  if (system.kind === 'reranked') {
    const request = await requestOf(system.base, view, corpus, settings);
    return rerankRequest(system, request, settings.rerankLength);
  }
  const { depth, bm25, analyser, lsaDimensions, split, margin, resamples, seed } = settings;
  const encoder = encoderOf(system);
  const variant = encoder && {
    length: encoder.passages ? undefined : (encoder.length ?? single(settings.length)),
    dimensions: encoder.dimensions ?? (encoder.widths === undefined ? single(settings.dimensions) : undefined),
    ...(encoder.passages ? { passages: [encoder.passages], passagesOnly: true } : {}),
  };
  const { qrels, queriesFile, ...relevance } = settings.relevance;
  return {
    corpora: [corpus],
    models: await modelsOf(system),
    views: [view.view],
    maskCitations: view.masked,
    fuse: system.kind === 'fused' ? [system.method] : [],
    relevance: {
      ...relevance,
      ...(qrels === undefined ? {} : { qrels: resolve(qrels) }),
      ...(queriesFile === undefined ? {} : { queriesFile: resolve(queriesFile) }),
    },
    ...defined({ ...variant, split }),
    depth,
    bm25,
    analyser,
    lsaDimensions,
    dtype: [encoder?.dtype ?? 'fp32'],
    margin,
    resamples,
    seed,
  };
}

/** The request that makes its base, and the reranking of it alone. */
async function rerankRequest(
  { base, reranker, depth }: RerankedSystem,
  request: EvaluationRequest,
  length: number | undefined,
): Promise<EvaluationRequest> {
  return {
    ...request,
    rerank: await modelsOf({ kind: 'encoder', ...reranker }),
    rerankOf: [nameOf(base)],
    rerankDepth: depth,
    ...defined({ rerankLength: length }),
    dtype: encoderOf(base) === undefined ? [reranker.dtype] : [...new Set([...(request.dtype ?? []), reranker.dtype])],
  };
}

async function modelsOf(system: SystemSpec): Promise<string[]> {
  if (system.kind === 'fused') return (await modelsOf(system.dense)).map((model) => `bm25+${model}`);
  if (system.kind !== 'encoder') return [system.label];
  const name = withoutDtype(system.label, system.dtype);
  return [`${name}=${(await isFolder(system.source)) ? resolve(system.source) : system.source}`];
}

function encoderOf(system: SystemSpec) {
  const dense = system.kind === 'fused' ? system.dense : system;
  return dense.kind === 'encoder' ? dense : undefined;
}

/** The object without its undefined fields. */
export function defined<T extends object>(object: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}
