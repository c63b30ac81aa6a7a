/**
 * Texts of MTEB tasks to vectors, with the prompt that MTEB's wrapper of sentence-transformers would choose among a model's named
 * prompts: of the task and role, the task, the task's type and role, the type, the role; failing these, what
 * sentence-transformers sets by itself.
 */
import { join } from 'node:path';
import type { Platform } from '../../base/platform.ts';
import type { Progress } from '../../base/progress.ts';
import { type EncodeRequest, type Encoder, openEncoder, type TextVectors } from '../../encode/index.ts';
import type { Device } from '../../engine/index.ts';
import { loadModel, type ModelDtype, type Role, type TextModel } from '../../model/index.ts';
import { readSentenceFiles } from '../../model/modules.ts';
import type { VectorBlocks } from '../../retrieve/exact.ts';
import { locateModel } from '../model-source.ts';
import type { MtebTask } from './tasks.ts';

export interface EncoderOptions {
  home: string;
  model: string;
  dtype?: ModelDtype | undefined;
  threads?: number;
  device?: Device | 'auto';
  offline?: boolean;
  /** Most tokens of a text that are read. */
  length?: number | undefined;
  /** Instead of the model's prompts, for queries and for texts without a role; `{instruction}` stands for MTEB's own. */
  instruct?: string | undefined;
  progress?: Progress;
  signal?: AbortSignal | undefined;
}

type TextRequest = Pick<EncodeRequest, 'texts' | 'count' | 'label'> & { role?: Role };

/** Vectors in the order of the texts. */
type TaskVectors = VectorBlocks & Pick<TextVectors, 'read'>;

/** What the protocols ask of a model. */
export interface TaskEncoder {
  encode(request: TextRequest): Promise<TaskVectors>;
  /** How queries and documents are compared. */
  readonly similarity: TextModel['similarity'];
}

export interface MtebEncoder {
  readonly id: string;
  /** Commit of the model's repository, or where there is none the hash of its files. */
  readonly revision: string;
  readonly model: TextModel;
  /** The prompts of a task, by role; `none` is that of texts without a role. */
  promptsOf(task: MtebTask, instruction: string): Record<Role | 'none', string>;
  forTask(task: MtebTask, instruction: string): TaskEncoder;
  close(): Promise<void>;
}

export async function openMtebEncoder(platform: Platform, options: EncoderOptions): Promise<MtebEncoder> {
  const { home, offline = false, progress, signal, dtype = 'fp32', threads, device, length, instruct } = options;
  const found = await locateModel(platform, options.model, {
    home,
    offline,
    signal,
    ...(progress === undefined ? {} : { progress }),
  });
  const model = await loadModel(platform, found.folder, {
    dtype,
    id: found.id,
    ...(threads === undefined ? {} : { threads }),
    ...(device === undefined ? {} : { device }),
  });
  let encoder: Encoder;
  const files = await readSentenceFiles(platform.files, found.folder);
  try {
    encoder = await openEncoder(platform, model, {
      vectors: join(home, 'vectors'),
      ...(progress === undefined ? {} : { progress }),
    });
  } catch (error) {
    await model.close();
    throw error;
  }
  const promptsOf: MtebEncoder['promptsOf'] = (task, instruction) => {
    if (instruct !== undefined) {
      const prompt = instruct.replaceAll('{instruction}', instruction);
      return { query: prompt, document: '', none: prompt };
    }
    const { named } = model.prompts;
    const fallback = files.defaultPrompt === undefined ? '' : (named[files.defaultPrompt] ?? '');
    return {
      query: namedPrompt(named, task, 'query') ?? model.prompt('query'),
      document: namedPrompt(named, task, 'document') ?? model.prompt('document'),
      none: namedPrompt(named, task) ?? fallback,
    };
  };
  return {
    id: found.id,
    revision: found.commit ?? model.hash,
    model,
    promptsOf,
    forTask: (task, instruction) => {
      const prompts = promptsOf(task, instruction);
      return {
        similarity: model.similarity,
        encode: ({ role, ...request }) =>
          encoder.encode({
            ...request,
            role: role ?? 'document',
            prompt: prompts[role ?? 'none'],
            ...(length === undefined ? {} : { maxLength: length }),
            ...(signal === undefined ? {} : { signal }),
          }),
      };
    },
    async close() {
      await encoder.close();
      await model.close();
    },
  };
}

/** MTEB's choice among named prompts; undefined where none is meant for the task. */
export function namedPrompt(
  named: Readonly<Record<string, string>>,
  { name, type }: Pick<MtebTask, 'name' | 'type'>,
  role?: Role,
): string | undefined {
  const keys = role === undefined ? [name, type] : [`${name}-${role}`, name, `${type}-${role}`, type, role];
  const key = keys.find((candidate) => Object.hasOwn(named, candidate));
  return key === undefined ? undefined : named[key];
}
