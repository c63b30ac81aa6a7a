/**
 * The registry of known models: data, versioned with every score (`registry.yaml` says what each field means).
 *
 * Precedence at load: the user's option, then the checkpoint's own files, then the registry; an entry with
 * `override: [prompts, pooling, ...]` turns the last two around for those fields, for checkpoints whose files are known
 * to be wrong.
 */
import { parseDocument } from 'yaml';
import { z } from 'zod';
import { inputError } from '../base/errors.ts';
import type { Platform } from '../base/platform.ts';
import { check } from './config.ts';

export const similarities = ['cosine', 'dot', 'euclidean', 'manhattan', 'maxsim'] as const;
export type Similarity = (typeof similarities)[number];

export const poolingModes = ['cls', 'max', 'mean', 'mean_sqrt_len_tokens', 'weightedmean', 'lasttoken'] as const;

const count = z.number().int().positive();
const knownModel = z.strictObject({
  id: z.string().regex(/^[\w.-]+(\/[\w.-]+)?$/, 'a model id: owner/name'),
  architecture: z.string().min(1),
  parameters: count.optional(),
  dimensions: count.optional(),
  matryoshka: z.array(count).default([]),
  maxLength: count.optional(),
  pooling: z.enum(poolingModes).optional(),
  normalize: z.boolean().optional(),
  similarity: z.enum(similarities).default('cosine'),
  prompts: z.strictObject({ query: z.string(), document: z.string() }).optional(),
  override: z.array(z.enum(['prompts', 'pooling', 'maxLength', 'similarity'])).default([]),
  certainty: z.enum(['file', 'usual']),
  licence: z.string().optional(),
  runs: z.boolean(),
  verified: z.boolean().default(false),
  note: z.string().optional(),
});
const registryShape = z.strictObject({ version: z.string().min(1), models: z.array(knownModel) });

export type KnownModel = z.output<typeof knownModel>;

export interface Registry {
  readonly version: string;
  readonly models: readonly KnownModel[];
  /** By id, or by its last part (`all-MiniLM-L6-v2`); upper and lower case do not matter. */
  find(id: string): KnownModel | undefined;
}

/** The packaged registry. */
export async function loadRegistry(platform: Platform): Promise<Registry> {
  return parseRegistry(await platform.asset(new URL('./registry.yaml', import.meta.url)), 'registry.yaml');
}

/** Reads the YAML text of a registry; `file` names it in errors. */
export function parseRegistry(text: string, file: string): Registry {
  const document = parseDocument(text);
  const problem = document.errors[0];
  if (problem !== undefined) {
    throw inputError('this is not valid YAML', {
      code: 'registry.yaml',
      file,
      ...(problem.linePos === undefined ? {} : { line: problem.linePos[0].line }),
      found: problem.message.split('\n')[0]!,
    });
  }
  const { version, models } = check(registryShape, document.toJS({ maxAliasCount: 100 }), file, 'registry.field');
  const byName = new Map<string, KnownModel>();
  for (const model of models) {
    for (const name of new Set([model.id.toLowerCase(), lastPart(model.id)])) {
      const other = byName.get(name);
      if (other !== undefined)
        throw inputError('two models answer to one name', {
          code: 'registry.duplicate',
          file,
          field: 'id',
          found: `${other.id} and ${model.id}`,
        });
      byName.set(name, model);
    }
    if (!model.runs && model.note === undefined)
      throw inputError('a model that does not run needs a note that says why', {
        code: 'registry.field',
        file,
        field: `${model.id}: note`,
      });
  }
  return { version, models, find: (id) => byName.get(id.toLowerCase()) ?? byName.get(lastPart(id)) };
}

function lastPart(id: string): string {
  return id.slice(id.lastIndexOf('/') + 1).toLowerCase();
}
