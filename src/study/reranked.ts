/**
 * Reranked systems, as `--rerank`, `--rerank-of` and `--rerank-depth` name them: `bm25 > MODEL` is what bm25 found, its first
 * documents put in order by the cross-encoder MODEL. Each needs the cell of its base, which is a system of its own.
 */
import { inputError } from '../base/errors.ts';
import type { ModelDtype } from '../model/index.ts';
import type { EvaluateSettings } from './evaluate-options.ts';
import { systemName } from './results.ts';
import { parseSystems, type SystemSpec } from './systems.ts';

/** A cross-encoder as the user names it. */
export interface RerankerSpec {
  label: string;
  /** Folder or id. */
  source: string;
  dtype: ModelDtype;
}

export interface RerankedSystem {
  kind: 'reranked';
  label: string;
  base: SystemSpec;
  reranker: RerankerSpec;
  /** Documents of each ranking that are put in order anew. */
  depth: number;
}

/** Whatever can be searched with. */
export type RetrievalSystem = SystemSpec | RerankedSystem;

type RerankSettings = Pick<
  EvaluateSettings,
  'rerank' | 'rerankOf' | 'rerankDepth' | 'rerankLength' | 'dtype' | 'depth'
>;

/** The name of a system in the leaderboard, with which `--rerank-of` names it. */
export function nameOf(system: RetrievalSystem): string {
  return systemName({ model: system.label, fuse: system.kind === 'fused' ? system.method : undefined });
}

/** Every system, or those named, under every cross-encoder. */
export function rerankedSystems(systems: readonly SystemSpec[], settings: RerankSettings): RerankedSystem[] {
  const { rerank, rerankOf, rerankDepth, rerankLength, depth: held } = settings;
  if (rerank.length === 0) {
    const options = { '--rerank-of': rerankOf, '--rerank-depth': rerankDepth, '--rerank-length': rerankLength };
    const alone = Object.entries(options).find(([, value]) => value !== undefined);
    if (alone === undefined) return [];
    throw inputError(`${alone[0]} has no effect here`, {
      code: 'evaluate.rerank',
      field: alone[0],
      expected: '--rerank MODEL beside it',
      found: String(alone[1]),
    });
  }
  const depth = rerankDepth ?? Math.min(100, held);
  if (depth > held) {
    throw inputError('more documents are to be reranked than a ranking holds', {
      code: 'evaluate.rerank-depth',
      field: '--rerank-depth',
      expected: `1 to ${held}, the --depth of the rankings`,
      found: String(depth),
    });
  }
  const bases = rerankOf === undefined ? systems : rerankOf.map((name) => named(systems, name));
  const rerankers = parseSystems(rerank, [], settings.dtype).map((system): RerankerSpec => {
    if (system.kind === 'encoder') return { label: system.label, source: system.source, dtype: system.dtype };
    throw inputError(`${system.label} reads no pairs of texts`, {
      code: 'evaluate.rerank',
      field: '--rerank',
      expected: 'a cross-encoder: a folder, or an id such as cross-encoder/ms-marco-MiniLM-L6-v2',
      found: system.label,
    });
  });
  return [...new Set(bases)].flatMap((base) =>
    rerankers.map((reranker): RerankedSystem => {
      return { kind: 'reranked', label: `${nameOf(base)} > ${reranker.label}`, base, reranker, depth };
    }),
  );
}

function named(systems: readonly SystemSpec[], name: string): SystemSpec {
  const found = systems.find((system) => nameOf(system) === name) ?? systems.find(({ label }) => label === name);
  if (found !== undefined) return found;
  throw inputError(`there is no system ${JSON.stringify(name)} to rerank`, {
    code: 'evaluate.rerank',
    field: '--rerank-of',
    expected: systems.map(nameOf).join(', '),
    found: name,
  });
}
