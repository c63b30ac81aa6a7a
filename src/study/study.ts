/** Studies: a YAML file that expands into cells, run, resumed, shared and reported. One kind so far: `embedding`. */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { inputError } from '../base/errors.ts';
import { type EmbeddingPlan, planEmbedding } from './embedding/estimate.ts';
import { type StudyOptions, studySettings } from './embedding/options.ts';
import { runEmbedding, type StudyRun } from './embedding/run.ts';
import { type EmbeddingSpec, parseEmbeddingSpec } from './embedding/spec.ts';

/**
 * Runs what is missing of a study and gathers everything; a finished cell is never computed twice. The report is written by
 * `writeStudyReport`.
 */
export async function runStudy(options: StudyOptions): Promise<StudyRun> {
  const spec = await readSpec(options);
  const run = await runEmbedding(spec, studySettings(options, false), { compute: true });
  if (options.text === undefined && JSON.stringify(await readSpec(options)) !== JSON.stringify(spec))
    run.results.warnings.push(`${options.file} was edited while the study ran: run it again for what was changed.`);
  return run;
}

/** What is finished of a study; computes nothing. */
export async function gatherStudy(options: StudyOptions): Promise<StudyRun> {
  return runEmbedding(await readSpec(options), studySettings(options, true), { compute: false });
}

/** What `runStudy` would do, with times and disk from a short measurement. */
export async function planStudy(options: StudyOptions): Promise<EmbeddingPlan> {
  return planEmbedding(await readSpec(options), studySettings(options, true));
}

async function readSpec({ file, text }: StudyOptions): Promise<EmbeddingSpec> {
  return parseEmbeddingSpec(
    text ??
      (await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
        throw inputError('there is no such study', {
          code: 'study.file',
          file,
          expected: 'a YAML file',
          found: error.code ?? error.message,
          hint: `studies that come with the package lie in ${fileURLToPath(new URL('../../studies', import.meta.url))}`,
        });
      })),
    file,
  );
}
