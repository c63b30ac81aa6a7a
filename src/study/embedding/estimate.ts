/**
 * What a study will do and cost. Encoding is measured on a few dozen texts of each corpus with each start; a training step is
 * taken for three passes (forward, and twice as much backward) over two texts a pair and its hard negatives, which are sought
 * by encoding the train part or by BM25. Rough on purpose: it tells minutes from hours.
 */
import { findCells } from '../cell-folders.ts';
import { EncoderPool } from '../dense.ts';
import { sampleTexts } from '../estimate.ts';
import { keyOf } from '../run-cell.ts';
import { viewLabel } from '../systems.ts';
import type { TrainingJob } from './design.ts';
import type { StudySettings } from './options.ts';
import { type OpenStudy, withStudy } from './run.ts';
import { type Start, testedPatents } from './sources.ts';
import type { EmbeddingSpec } from './spec.ts';

/** One line of a plan: a checkpoint to make, or a system to evaluate on a corpus and view. */
export interface PlannedWork {
  kind: 'train' | 'derive' | 'evaluate';
  system: string;
  seed?: number;
  corpus: string;
  view?: string;
  /** Of a checkpoint: known before it is made. */
  hash?: string;
  done: boolean;
  seconds: number;
  bytes: number;
}

export interface EmbeddingPlan {
  study: string;
  work: PlannedWork[];
  /** Of what is not done. */
  seconds: number;
  bytes: number;
  matched: Record<string, string>;
  absent: { corpus: string; recipe: string; reason: string }[];
  missingModels: { model: string; reason: string }[];
  warnings: string[];
}

export async function planEmbedding(spec: EmbeddingSpec, settings: StudySettings): Promise<EmbeddingPlan> {
  return withStudy(spec, settings, async (study) => {
    const { design, missing, views, checkpoints } = study;
    const speeds = await measure(study);
    const finished = await finishedCells(study);
    const work: PlannedWork[] = [];
    for (const unit of design.units) {
      const { source, system, seed } = unit;
      const shared = { system: system.name, ...(seed === undefined ? {} : { seed }) };
      const start = source.kind === 'start' ? source.start : 'job' in source ? source.job.start : undefined;
      const hash = source.kind === 'training' ? source.job.hash : source.kind === 'derived' ? source.hash : undefined;
      const made = hash === undefined ? undefined : await checkpoints.load(hash);
      if (hash !== undefined && 'job' in source) {
        const { job } = source;
        const bytes = 4 * job.start.parameters;
        const kind = source.kind === 'training' ? 'train' : 'derive';
        const seconds = overhead.training + (kind === 'train' ? trainingSeconds(job, speeds) : bytes / 2e8);
        const done = made !== undefined;
        work.push({ kind, ...shared, corpus: job.ground.name, hash, done, ...(done ? nothing : { seconds, bytes }) });
      }
      const modelHash = source.kind === 'start' ? source.start.hash : made?.modelHash;
      for (const landscape of unit.landscapes)
        for (const view of views) {
          const place = { corpus: landscape.name, view: viewLabel(view) };
          const label = `${system.name}${seed === undefined ? '' : `, seed ${seed}`}`;
          const done = finished.has(cellName(landscape.study.relevanceHash, place.view, label, modelHash));
          const documents = testedPatents(landscape);
          const bytes = landscape.study.relevance.queries.length * (8 * Math.min(1000, documents) + 300);
          const perText = start === undefined ? bm25Text : speeds.get(start)!.get(landscape.name)!;
          const seconds = overhead.cell + perText * documents;
          work.push({ kind: 'evaluate', ...shared, ...place, done, ...(done ? nothing : { seconds, bytes }) });
        }
    }
    const open = work.filter(({ done }) => !done);
    return {
      study: spec.name,
      work,
      seconds: open.reduce((sum, { seconds }) => sum + seconds, 0),
      bytes: open.reduce((sum, { bytes }) => sum + bytes, 0),
      matched: Object.fromEntries(design.matched),
      absent: design.absent,
      missingModels: missing,
      warnings: [...design.warnings, ...design.differences.map((difference) => `not matched: ${difference}`)],
    };
  });
}

const nothing = { seconds: 0, bytes: 0 };
/** Opening models, threads and files, whatever the size: seconds of a training, of a cell. */
const overhead = { training: 1.5, cell: 0.4 };
/** Seconds to index a text with BM25 and to search with it. */
const bm25Text = 1 / 2000;

/** Seconds to encode one text, of each start on each corpus. */
type Speeds = ReadonlyMap<Start, ReadonlyMap<string, number>>;

async function measure({ starts, landscapes, views }: OpenStudy): Promise<Speeds> {
  const speeds = new Map<Start, Map<string, number>>();
  const pool = new EncoderPool(landscapes[0]!.settings);
  try {
    for (const start of starts) {
      const system = { kind: 'encoder', label: start.spec.name, source: start.folder, dtype: 'fp32' } as const;
      const own = new Map<string, number>();
      for (const { name, study } of landscapes) {
        const { seconds } = await pool.estimate(system, await sampleTexts(study, views[0]!), 1000);
        own.set(name, seconds / 1000);
      }
      speeds.set(start, own);
      await pool.release(system);
    }
  } finally {
    await pool.close();
  }
  return speeds;
}

function trainingSeconds({ plan, start, ground, miner }: TrainingJob, speeds: Speeds): number {
  const own = speeds.get(start)!;
  const perText = own.get(ground.name) ?? Math.max(...own.values());
  const texts = 2 + (miner?.options.perPair ?? 0);
  const sought =
    miner === undefined ? 0 : ground.split.summary.patents.train * (miner.options.by === 'bm25' ? bm25Text : perText);
  return sought + 3 * texts * plan.steps * plan.batchSize * perText;
}

/** Names of the study's finished cells, by what tells them apart. */
async function finishedCells({ spec, settings, landscapes, views, cells }: OpenStudy): Promise<Set<string>> {
  const found = (await findCells(settings.home)).filter(({ study }) => study === spec.name);
  const names = new Set<string>();
  // Baselines bear their settings in their keys: those are compared as a whole.
  const current = new Set<string>();
  const pool = new EncoderPool(landscapes[0]!.settings);
  for (const landscape of landscapes)
    for (const view of views)
      for (const system of [
        { kind: 'bm25', label: 'bm25' },
        { kind: 'lsa', label: 'lsa' },
      ] as const) {
        const context = { settings: landscape.settings, study: landscape.study, store: cells, encoders: pool };
        current.add(JSON.stringify((await keyOf(system, view, context)).settings));
      }
  await pool.close();
  for (const { manifest } of found) {
    const { settings: own, packageVersion, model, modelHash, maskCitations } = manifest;
    if (packageVersion !== settings.packageVersion) continue;
    if (modelHash === undefined && !current.has(JSON.stringify(own))) continue;
    const view = viewLabel({ view: manifest.view as never, masked: maskCitations });
    names.add(cellName(String(own.relevanceHash), view, model, modelHash));
  }
  return names;
}

function cellName(relevanceHash: string, view: string, label: string, modelHash: string | undefined): string {
  return JSON.stringify([relevanceHash, view, label, modelHash ?? '']);
}
