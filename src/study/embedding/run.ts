/**
 * Runs an embedding study: baselines and models as they are first, then seed by seed every training and, at once, what it is
 * evaluated on. Every checkpoint and every cell is kept under its hash and leased while it is made, so a killed study goes on
 * where it stopped and several processes share one: what another is at is left to it and looked for again later.
 */
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { writeAtomic } from '../../base/node/atomic.ts';
import { openEngine } from '../../engine/index.ts';
import { EncoderPool } from '../dense.ts';
import { parseViews, type ViewSpec } from '../systems.ts';
import { assembleStudy } from './assemble.ts';
import { type CheckpointManifest, CheckpointStore } from './checkpoints.ts';
import { designStudy, type StudyDesign, type TrainingJob, type Unit } from './design.ts';
import {
  comparedMetrics,
  cornerLabel,
  type Evaluation,
  Evaluations,
  type Finished,
  metricsOf,
  type StudiedSystem,
  systemOf,
} from './evaluations.ts';
import type { StudySettings } from './options.ts';
import type { Corner, EmbeddingResults } from './results.ts';
import { type Landscape, openLandscapes, openMiner, openStarts, type Start } from './sources.ts';
import type { EmbeddingSpec } from './spec.ts';
import { deriveCheckpoint, type TrainContext, trainCheckpoint } from './train-unit.ts';

export interface StudyRun {
  results: EmbeddingResults;
  /** Folder of the report and the runs. */
  folder: string;
  /** Checkpoints and cells made now; the others were found finished. */
  computed: { checkpoints: number; cells: number };
}

/** A study opened and expanded. */
export interface OpenStudy {
  spec: EmbeddingSpec;
  settings: StudySettings;
  landscapes: Landscape[];
  starts: Start[];
  missing: { model: string; reason: string }[];
  design: StudyDesign;
  views: ViewSpec[];
  checkpoints: CheckpointStore;
}

/** An evaluation that is finished. */
export interface Outcome {
  unit: Unit;
  corner: Corner;
  finished: Finished;
}

export async function withStudy<T>(
  spec: EmbeddingSpec,
  settings: StudySettings,
  work: (study: OpenStudy) => Promise<T>,
): Promise<T> {
  const { home, platform, device } = settings;
  const landscapes = await openLandscapes(spec, settings);
  let design: StudyDesign | undefined;
  try {
    const checkpoints = new CheckpointStore(home, spec.name);
    const { starts, missing } = await openStarts(spec, landscapes, checkpoints, settings);
    const engine = device === 'cpu' ? undefined : await openEngine(platform, { device, threads: 1 });
    const resolvedDevice = engine?.device ?? 'cpu';
    await engine?.close();
    const miner = await openMiner(spec, settings);
    design = await designStudy(spec, landscapes, starts, { ...settings, resolvedDevice, miner });
    return await work({
      spec,
      settings,
      landscapes,
      starts,
      missing: missing.map(({ model, reason }) => ({ model: model.name, reason })),
      design,
      views: parseViews(spec.views, false),
      checkpoints,
    });
  } finally {
    await design?.close();
    for (const { study } of landscapes) await study.corpus.close();
  }
}

/** `compute` false: gathers what is finished, and makes nothing. */
export async function runEmbedding(
  spec: EmbeddingSpec,
  settings: StudySettings,
  { compute }: { compute: boolean },
): Promise<StudyRun> {
  const folder = settings.out ?? join(settings.home, 'runs', spec.name);
  return withStudy(spec, settings, async (study) => {
    const encoders = new EncoderPool(study.landscapes[0]!.settings);
    const evaluations = new Evaluations(settings.home, spec.name, encoders);
    try {
      const run = new Running(study, encoders, evaluations, compute, folder);
      await run.all();
      return { results: await run.results(), folder, computed: run.computed };
    } finally {
      await evaluations.close();
      await encoders.close();
    }
  });
}

class Running {
  readonly computed = { checkpoints: 0, cells: 0 };
  private readonly study: OpenStudy;
  private readonly encoders: EncoderPool;
  private readonly evaluations: Evaluations;
  private readonly compute: boolean;
  private readonly folder: string;
  private readonly outcomes = new Map<Unit, Map<string, Outcome>>();
  private readonly trained = new Map<TrainingJob, CheckpointManifest>();
  private lastUpdate = performance.now();

  constructor(study: OpenStudy, encoders: EncoderPool, evaluations: Evaluations, compute: boolean, folder: string) {
    this.study = study;
    this.encoders = encoders;
    this.evaluations = evaluations;
    this.compute = compute;
    this.folder = folder;
  }

  async all(): Promise<void> {
    const { design, settings } = this.study;
    let open = [...design.units];
    if (this.compute) await this.tellChanges();
    const task = this.compute
      ? settings.progress.begin(`study ${this.study.spec.name}`, { total: open.length, unit: 'systems' })
      : undefined;
    let told = false;
    while (open.length > 0) {
      const left: Unit[] = [];
      for (const unit of open) {
        settings.signal?.throwIfAborted();
        if (!(await this.unit(unit))) left.push(unit);
        else {
          task?.advance();
          await this.update(unit);
        }
      }
      if (!this.compute) break;
      if (left.length === open.length) {
        if (!told) settings.progress.say(`${left.length} systems are being worked on by another process: waiting`);
        told = true;
        await pause(250, undefined, settings.signal ? { signal: settings.signal } : {});
      }
      open = left;
    }
    task?.finish();
  }

  results(): Promise<EmbeddingResults> {
    const outcomes = this.study.design.units.flatMap((unit) => [...(this.outcomes.get(unit)?.values() ?? [])]);
    return assembleStudy(this.study, outcomes, this.trained);
  }

  /** One checkpoint and its cells; false where some of it is left to another process, or nothing may be made. */
  private async unit(unit: Unit): Promise<boolean> {
    const { source } = unit;
    let folder: string | undefined;
    if (source.kind === 'start') folder = source.start.folder;
    else if (source.kind === 'training' || source.kind === 'derived') {
      folder = await this.checkpoint(source);
      if (folder === undefined) return false;
    }
    return this.evaluate(unit, systemOf(unit, folder));
  }

  /** The folder of a trained or derived checkpoint; undefined where another process is at it. */
  private async checkpoint(source: Unit['source'] & { kind: 'training' | 'derived' }): Promise<string | undefined> {
    const { checkpoints, spec, landscapes, settings } = this.study;
    const hash = source.kind === 'training' ? source.job.hash : source.hash;
    const context: TrainContext = { spec, store: checkpoints, landscapes, settings };
    let manifest = await checkpoints.load(hash);
    if (manifest === undefined) {
      if (!this.compute) return undefined;
      if (source.kind === 'derived' && (await checkpoints.load(source.job.hash)) === undefined) return undefined;
      const made = await checkpoints.unlessHeld(hash, async () => {
        const meanwhile = await checkpoints.load(hash);
        if (meanwhile !== undefined) return meanwhile;
        this.computed.checkpoints++;
        return source.kind === 'training' ? trainCheckpoint(source.job, context) : deriveCheckpoint(source, context);
      });
      if (!('result' in made)) return undefined;
      manifest = made.result;
    }
    if (source.kind === 'training') this.trained.set(source.job, manifest);
    return checkpoints.model(hash);
  }

  private async evaluate(unit: Unit, system: StudiedSystem): Promise<boolean> {
    const { settings, views } = this.study;
    const done = this.outcomes.get(unit) ?? new Map<string, Outcome>();
    this.outcomes.set(unit, done);
    let complete = true;
    try {
      for (const landscape of unit.landscapes)
        for (const view of views) {
          settings.signal?.throwIfAborted();
          for (const evaluation of await this.evaluations.of(system, landscape, view)) {
            const { corner, hash } = evaluation;
            if (done.has(hash)) continue;
            settings.signal?.throwIfAborted();
            const finished = (await evaluation.load()) ?? (await this.computeNow(evaluation, system.label));
            if (finished === undefined) complete = false;
            else done.set(hash, { unit, corner, finished });
          }
        }
    } finally {
      if (system.kind === 'encoder') await this.encoders.release(system);
    }
    return complete;
  }

  /** The cell, computed now; undefined where nothing may be, or another process is at it. */
  private async computeNow(evaluation: Evaluation, system: string): Promise<Finished | undefined> {
    if (!this.compute) return undefined;
    const { corner, hash, folders } = evaluation;
    const made = await folders.unlessHeld(hash, async () => {
      const meanwhile = await evaluation.load();
      if (meanwhile !== undefined) return meanwhile;
      this.computed.cells++;
      return evaluation.compute();
    });
    if (!('result' in made)) return undefined;
    const metric = comparedMetrics(made.result)[0]!;
    const { value } = metricsOf(made.result)[metric]!;
    const told = metric === 'ndcg@10' ? 'nDCG@10' : metric;
    const place = `${corner.corpus} ${cornerLabel(corner)}`;
    this.study.settings.progress.say(`${place}, ${system}: ${told} ${value.toFixed(4)}`);
    return made.result;
  }

  /** A report of what stands so far, now and then. */
  private async update({ source }: Unit): Promise<void> {
    const { onUpdate, updateSeconds } = this.study.settings;
    if (!this.compute || onUpdate === undefined) return;
    const untrained = this.study.design.units.filter(({ seed }) => seed === undefined);
    const isLast = 'start' in source && untrained.at(-1)!.source === source;
    if (!isLast && (performance.now() - this.lastUpdate) / 1000 < updateSeconds) return;
    await onUpdate(await this.results(), this.folder);
    this.lastUpdate = performance.now();
  }

  /** Says what is there already, and what of the study was changed since it last ran. */
  private async tellChanges(): Promise<void> {
    const { spec, settings, design, checkpoints } = this.study;
    const { progress, platform, home } = settings;
    const path = join(home, 'runs', spec.name, 'study.json');
    const before =
      (await platform.files.size(path)) === undefined
        ? undefined
        : (JSON.parse(await platform.files.readText(path)) as { spec: EmbeddingSpec });
    const { trainings } = design;
    let there = 0;
    for (const { hash } of trainings) if ((await checkpoints.load(hash)) !== undefined) there++;
    if (before !== undefined) {
      const changed = changedFields(before.spec, spec);
      if (changed.length > 0) {
        const kept = `${there} of ${trainings.length} trainings are still valid and kept, ${trainings.length - there} are to be done`;
        progress.say(`the study was changed since it last ran: ${changed.join('; ')}. ${kept}.`);
      } else if (there > 0) progress.say(`${there} of ${trainings.length} trainings are there already`);
    }
    await writeAtomic(path, `${JSON.stringify({ spec }, null, 2)}\n`);
  }
}

/** Fields that differ, with both values. */
export function changedFields(before: unknown, after: unknown, field = ''): string[] {
  const [a, b] = [JSON.stringify(before), JSON.stringify(after)];
  if (a === b) return [];
  const isPlain = (value: unknown): value is Record<string, unknown> =>
    typeof value === 'object' && value !== null && !Array.isArray(value);
  if (!isPlain(before) || !isPlain(after)) return [`${field} ${a ?? 'nothing'} → ${b ?? 'nothing'}`];
  return [...new Set([...Object.keys(before), ...Object.keys(after)])].flatMap((key) =>
    changedFields(before[key], after[key], field === '' ? key : `${field}.${key}`),
  );
}
