/**
 * What a study will do and cost. Encoding is measured on a few dozen texts of each corpus with each start; a training step is
 * taken for three passes (forward, and twice as much backward) over two texts a pair and its hard negatives, which are sought
 * by encoding the train part or by BM25. Rough on purpose: it tells minutes from hours.
 */

import type { Probe } from '../classification/options.ts';
import { EncoderPool } from '../dense.ts';
import { sampleTexts } from '../estimate.ts';
import type { Task } from '../results.ts';
import { viewLabel } from '../systems.ts';
import { cornersOf } from './corners.ts';
import type { TrainingJob } from './design.ts';
import { Evaluations, systemOf } from './evaluations.ts';
import type { StudySettings } from './options.ts';
import type { Corner } from './results.ts';
import { type OpenStudy, withStudy } from './run.ts';
import { type Landscape, type Start, testedPatents } from './sources.ts';
import type { EmbeddingSpec } from './spec.ts';

/** One line of a plan: a checkpoint to make, or a system to evaluate on a corpus and view. */
export interface PlannedWork {
  kind: 'train' | 'derive' | 'evaluate';
  system: string;
  seed?: number;
  corpus: string;
  /** Of an evaluation. */
  view?: string;
  task?: Task;
  probe?: Probe;
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
    const work: PlannedWork[] = [];
    const pool = new EncoderPool(study.landscapes[0]!.settings);
    const evaluations = new Evaluations(settings.home, spec.name, pool);
    try {
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
        const folder = start === undefined || hash === undefined ? start?.folder : made && checkpoints.model(hash);
        const model =
          source.kind === 'bm25' || source.kind === 'lsa' || folder !== undefined ? systemOf(unit, folder) : undefined;
        for (const landscape of unit.landscapes)
          for (const view of views) {
            const known = model && (await evaluations.of(model, landscape, view));
            const corners =
              known ?? cornersOf(landscape, [viewLabel(view)]).map((corner) => ({ corner, load: undefined }));
            for (const [at, { corner, load }] of corners.entries()) {
              const done = (await load?.()) !== undefined;
              // The first cell of a view encodes its texts, and the others read them.
              const perText = at > 0 ? 0 : start === undefined ? bm25Text : speeds.get(start)!.get(landscape.name)!;
              const seconds = overhead.cell + perText * testedPatents(landscape) + taskSeconds(corner, landscape);
              const bytes = taskBytes(corner, landscape);
              work.push({ kind: 'evaluate', ...shared, ...corner, done, ...(done ? nothing : { seconds, bytes }) });
            }
          }
        if (model?.kind === 'encoder') await pool.release(model);
      }
    } finally {
      await evaluations.close();
      await pool.close();
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

/** Beside encoding: fitting a probe, clustering a few times. */
function taskSeconds({ task }: Corner, { classified, clustered }: Landscape): number {
  if (task === 'classification') {
    const { train, test, names } = classified!;
    return 1 + (train.rows.length * names.length * 1e5 + train.rows.length * test.rows.length * 1e3) / taskRate;
  }
  if (task === 'clustering') return 2 + (clustered!.rows.length * clustered!.clusters * 4e5) / taskRate;
  return 0;
}

/** Operations a second. */
const taskRate = 2e10;

function taskBytes({ task }: Corner, landscape: Landscape): number {
  const { searched, classified, clustered } = landscape;
  if (task === 'retrieval')
    return searched!.relevance.queries.length * (8 * Math.min(1000, testedPatents(landscape)) + 300);
  const documents = task === 'classification' ? classified!.test.rows.length : clustered!.rows.length;
  return documents * 40 + landscape.settings.resamples * 40;
}
