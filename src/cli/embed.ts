/** `patentlab embed`: the vectors of a corpus, a file of texts or stdin as a file. */
import { join } from 'node:path';
import type { Command } from 'commander';
import { duration } from '../base/node/terminal.ts';
import { type View, views } from '../corpus/views.ts';
import { openEncoder } from '../encode/index.ts';
import { loadModel, type ModelDtype, type Role } from '../model/index.ts';
import { worthEstimating } from '../study/estimate.ts';
import { locateModel } from '../study/model-source.ts';
import type { CliContext } from './context.ts';
import { positiveOption, type Runner, withExample } from './main.ts';
import { oneOf, viewOption } from './options.ts';
import { openTextSource, type TextSource } from './text-source.ts';
import { vectorWriter } from './vector-file.ts';

interface EmbedOptions {
  model: string;
  view?: View;
  role: Role;
  out: string;
  prompt?: string;
  length?: number;
  dimensions?: number;
  dtype: ModelDtype;
  maskCitations?: boolean;
  field?: string;
}

export function register(program: Command, run: Runner): void {
  withExample(
    program
      .command('embed')
      .description('Write the vectors of a corpus, a file of texts or stdin (-) to a file, in input order')
      .argument('<source>', 'name of a corpus, a file (one text a line, or JSON lines), or - for stdin')
      .requiredOption('--model <id>', 'folder or id of a text encoder')
      .requiredOption('--out <file>', 'where to: .npy (float32 [texts, dimensions]), .parquet or .jsonl')
      .option('--view <view>', `sections of a corpus's patents: ${views.join(', ')} (default: TA)`, viewOption)
      .option('--role <role>', 'query or document: decides the prompt', oneOf('query', 'document'), 'document')
      .option('--prompt <text>', "instead of the model's prompt")
      .option('--length <n>', 'most tokens of a text that are read', positiveOption)
      .option('--dimensions <n>', 'keep the first n values of each vector, normalised again', positiveOption)
      .option('--dtype <type>', 'fp32 or int8', oneOf('fp32', 'int8'), 'fp32')
      .option('--mask-citations', "take patent numbers out of a corpus's texts")
      .option('--field <name>', 'field of a JSON line that holds the text (default: text)')
      .action(run(embed)),
    'patentlab embed drones --model sentence-transformers/all-MiniLM-L6-v2 --view TA --out drones.npy',
  );
}

async function embed(context: CliContext, name: string, options: EmbedOptions): Promise<void> {
  const { home, offline, platform, progress, signal, threads, device } = context;
  const { out, role, dtype } = options;
  const write = vectorWriter(out);
  const source = await openTextSource(name, { home, ...options });
  try {
    const found = await locateModel(platform, options.model, { home, offline, progress, signal });
    const model = await loadModel(platform, found.folder, { dtype, threads, device, id: found.id });
    try {
      const encoder = await openEncoder(platform, model, {
        vectors: join(home, 'vectors'),
        progress,
      });
      try {
        const request = {
          role,
          signal,
          ...(options.prompt === undefined ? {} : { prompt: options.prompt }),
          ...(options.length === undefined ? {} : { maxLength: options.length }),
          ...(options.dimensions === undefined ? {} : { dimensions: options.dimensions }),
        };
        const stored = source.source && (await encoder.isStored({ ...request, source: source.source }));
        if (!stored) await sayEstimate(context, source, (sample, count) => encoder.estimate(sample, count, request));
        const vectors = await encoder.encode({
          ...request,
          texts: source.texts(),
          label: found.id,
          ...(source.count === undefined ? {} : { count: source.count }),
          ...(source.source === undefined ? {} : { source: source.source }),
        });
        await write(vectors, source.idOf);
        const { texts, dimensions, tokens, truncated, empty, computed, seconds } = vectors.summary;
        context.printJson({
          [source.kind]: source.name,
          ...source.choice,
          model: found.id,
          modelHash: model.hash,
          dtype,
          device: model.device,
          role,
          prompt: options.prompt ?? model.prompt(role),
          texts,
          dimensions,
          tokens,
          truncated,
          empty,
          computed,
          seconds,
          out,
          manifest: vectors.manifest,
        });
        const share = texts === 0 ? 0 : (100 * truncated) / texts;
        context.print(
          `${texts.toLocaleString('en-US')} vectors of ${dimensions} values in ${out}` +
            ` (${computed.toLocaleString('en-US')} computed in ${duration(seconds)}, the others were stored)\n` +
            `${share.toFixed(1)}% of the texts are longer than the model reads` +
            (empty === 0 ? '' : `; ${empty.toLocaleString('en-US')} are empty`),
        );
      } finally {
        await encoder.close();
      }
    } finally {
      await model.close();
    }
  } finally {
    await source.close();
  }
}

async function sayEstimate(
  { progress }: CliContext,
  source: TextSource,
  estimate: (sample: string[], count: number) => Promise<{ seconds: number; bytes: number; truncated: number }>,
): Promise<void> {
  const { count = 0 } = source;
  if (count < worthEstimating) return;
  const { seconds, bytes } = await estimate(await source.sample(32), count);
  progress.say(
    `about ${duration(seconds)} for ${count.toLocaleString('en-US')} texts, less what is stored already; ` +
      `${(bytes / 1e6).toFixed(0)} MB of vectors`,
  );
}
