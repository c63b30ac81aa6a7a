/**
 * The work of classification, one cell at a time: what identifies a cell, and how it is computed. Vectors of a system on a view
 * are read once for the probes that follow one another.
 */
import { canonicalJson } from '../../base/hash.ts';
import { type Engine, openEngine } from '../../engine/index.ts';
import { cellHash, environmentOf } from '../cell-folders.ts';
import { commonKey, lsaKey } from '../cell-key.ts';
import { measured } from '../clock.ts';
import { lexicalSettings } from '../lexical.ts';
import { requestOf } from '../request.ts';
import type { DenseSystem, SystemSpec, ViewSpec } from '../systems.ts';
import type { WorkContext } from '../tasks.ts';
import type { ClassificationKey, FinishedClassification } from './cell.ts';
import type { Ground } from './ground.ts';
import { measureClassifier } from './measure.ts';
import { decisionSuffixes, fits, type Probe, probeSettings, thresholdFolds } from './options.ts';
import { type Features, readFeatures, runProbe } from './probe.ts';

export type ProbedSystem = DenseSystem | (SystemSpec & { kind: 'bm25' });

export interface ClassificationJob {
  ground: Ground;
  view: ViewSpec;
  system: ProbedSystem;
  probe: Probe;
  key: ClassificationKey;
  cell: string;
}

/** One a probe that can read the system. */
export async function jobsOf(
  ground: Ground,
  view: ViewSpec,
  system: ProbedSystem,
  context: WorkContext,
): Promise<ClassificationJob[]> {
  const jobs: ClassificationJob[] = [];
  for (const probe of context.settings.probes.filter((one) => fits(one, system))) {
    context.settings.signal?.throwIfAborted();
    const key = await keyOf(ground, view, system, probe, context);
    jobs.push({ ground, view, system, probe, key, cell: await cellHash(key) });
  }
  return jobs;
}

export class ClassificationWork {
  private readonly context: WorkContext;
  private engine: Promise<Engine> | undefined;
  private open: { of: string; features: Promise<Features> } | undefined;

  constructor(context: WorkContext) {
    this.context = context;
  }

  /** The finished cell; not stored. */
  async compute(job: ClassificationJob): Promise<FinishedClassification> {
    const { settings, encoders } = this.context;
    const { ground, view, system } = job;
    this.engine ??= openEngine(settings.platform, { threads: settings.threads });
    const of = canonicalJson([ground.corpus.name, view, system]);
    const features = () => {
      if (this.open?.of !== of) this.open = { of, features: readFeatures(ground, view, system, encoders, settings) };
      return this.open.features;
    };
    return computeCell(job, await this.engine, features, this.context);
  }

  async close(): Promise<void> {
    await (await this.engine)?.close();
  }
}

/** Everything that can change the result. */
async function keyOf(
  { corpus, settings: ground }: Ground,
  view: ViewSpec,
  system: ProbedSystem,
  probe: Probe,
  { settings, encoders }: WorkContext,
): Promise<ClassificationKey> {
  return {
    task: 'classification',
    ...commonKey(corpus, view, system.label, settings),
    probe,
    ...(system.kind === 'encoder' ? await encoders.manifestOf(system) : {}),
    ...(system.kind === 'lsa' ? { dimensions: system.dimensions ?? settings.lsaDimensions } : {}),
    settings: {
      labels: ground,
      probe: probeSettings[probe],
      thresholds: { folds: thresholdFolds, rules: Object.keys(decisionSuffixes) },
      resamples: settings.resamples,
      ...(system.kind === 'bm25' ? lexicalSettings(settings) : {}),
      ...(system.kind === 'lsa' ? lsaKey(settings) : {}),
    },
    seeds: [settings.seed],
  };
}

async function computeCell(
  { ground, view, system, probe, key, cell }: ClassificationJob,
  engine: Engine,
  read: () => Promise<Features>,
  { settings }: WorkContext,
): Promise<FinishedClassification> {
  const started = new Date().toISOString();
  const { test, train, names, corpus } = ground;
  const { result, spent } = await measured(async () => {
    const features = await read();
    const probed = await runProbe(probe, ground, features, engine, settings);
    return { features, probed, measures: measureClassifier(ground, probed, settings) };
  });
  const { probed, features } = result;
  const { decided, replicates, ...measures } = result.measures;
  const { relevance: _, ...request } = await requestOf(system, view, corpus.name, settings);
  return {
    manifest: {
      ...key,
      format: 1,
      cell,
      request: { ...request, tasks: ['classification'], labels: settings.labels, probes: [probe] },
      environment: environmentOf(started, settings.threads),
    },
    measures: {
      documents: test.rows.length,
      trained: train.rows.length,
      labels: names.length,
      ...measures,
      cost: {
        seconds: spent.seconds,
        ...(features.kind === 'vectors' ? features.cost : {}),
        trainSeconds: probed.trainSeconds,
        predictSeconds: probed.predictSeconds,
        peakMemoryBytes: spent.peakMemoryBytes,
      },
      ...(probed.convergence === undefined ? {} : { convergence: probed.convergence }),
    },
    names,
    documentIds: Array.from(test.rows, (row) => corpus.id(row)),
    truth: test.truth,
    decided,
    replicates,
  };
}
