/**
 * Runs an embedding study: baselines and models as they are first, then seed by seed every training and, at once, what it is
 * evaluated on. Every checkpoint and every cell is kept under its hash and leased while it is made, so a killed study goes on
 * where it stopped and several processes share one: what another is at is left to it and looked for again later.
 */
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { writeAtomic } from '../../base/node/atomic.ts';
import { openEngine } from '../../engine/index.ts';
import { CellStore, type FinishedCell } from '../cell.ts';
import { cellHash } from '../cell-folders.ts';
import { EncoderPool } from '../dense.ts';
import { keyOf, runCell } from '../run-cell.ts';
import { bm25System, parseViews, type SystemSpec, type ViewSpec, viewLabel } from '../systems.ts';
import { assembleStudy } from './assemble.ts';
import { type CheckpointManifest, CheckpointStore } from './checkpoints.ts';
import { designStudy, type StudyDesign, type TrainingJob, type Unit } from './design.ts';
import type { StudySettings } from './options.ts';
import type { EmbeddingResults } from './results.ts';
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
  cells: CellStore;
  checkpoints: CheckpointStore;
}

/** An evaluation that is finished. */
export interface Outcome {
  unit: Unit;
  landscape: Landscape;
  view: string;
  cell: FinishedCell;
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
      cells: new CellStore(home, spec.name),
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
    try {
      const run = new Running(study, encoders, compute, folder);
      await run.all();
      return { results: await run.results(), folder, computed: run.computed };
    } finally {
      await encoders.close();
    }
  });
}

class Running {
  readonly computed = { checkpoints: 0, cells: 0 };
  private readonly study: OpenStudy;
  private readonly encoders: EncoderPool;
  private readonly compute: boolean;
  private readonly folder: string;
  private readonly outcomes = new Map<Unit, Map<string, Outcome>>();
  private readonly trained = new Map<TrainingJob, CheckpointManifest>();
  private lastUpdate = performance.now();

  constructor(study: OpenStudy, encoders: EncoderPool, compute: boolean, folder: string) {
    this.study = study;
    this.encoders = encoders;
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
    let system: SystemSpec;
    if (source.kind === 'bm25') system = bm25System;
    else if (source.kind === 'lsa') system = { kind: 'lsa', label: 'lsa' };
    else {
      const folder = source.kind === 'start' ? source.start.folder : await this.checkpoint(source);
      if (folder === undefined) return false;
      const label = `${unit.system.name}${unit.seed === undefined ? '' : `, seed ${unit.seed}`}`;
      system = { kind: 'encoder', label, source: folder, dtype: 'fp32' };
    }
    return this.evaluate(unit, system);
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

  private async evaluate(unit: Unit, system: SystemSpec): Promise<boolean> {
    const { cells, settings, views } = this.study;
    const done = this.outcomes.get(unit) ?? new Map<string, Outcome>();
    this.outcomes.set(unit, done);
    const { encoders } = this;
    let complete = true;
    try {
      for (const landscape of unit.landscapes)
        for (const view of views) {
          const place = `${landscape.name} ${viewLabel(view)}`;
          if (done.has(place)) continue;
          settings.signal?.throwIfAborted();
          const context = { settings: landscape.settings, study: landscape.study, store: cells, encoders };
          const key = await keyOf(system, view, context);
          const hash = await cellHash(key);
          let cell = await cells.load(hash);
          if (cell === undefined && this.compute) {
            const made = await cells.unlessHeld(hash, async () => {
              const meanwhile = await cells.load(hash);
              if (meanwhile !== undefined) return meanwhile;
              this.computed.cells++;
              return runCell(system, view, key, context);
            });
            if ('result' in made) {
              cell = made.result;
              const { value } = cell.metrics['ndcg@10']!;
              settings.progress.say(`${place}, ${system.label}: nDCG@10 ${value.toFixed(4)}`);
            }
          }
          if (cell === undefined) complete = false;
          else done.set(place, { unit, landscape, view: viewLabel(view), cell });
        }
    } finally {
      if (system.kind === 'encoder') await encoders.release(system);
    }
    return complete;
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
