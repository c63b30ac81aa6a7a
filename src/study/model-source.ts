/** What a user means by a model: a folder, an id, or the short name of a known model. */
import { stat } from 'node:fs/promises';
import { inputError } from '../base/errors.ts';
import type { Platform } from '../base/platform.ts';
import { findModel, type HubOptions, type ModelFolder } from '../hub/models.ts';
import { loadRegistry } from '../model/index.ts';

/** The folder of a model; `all-MiniLM-L6-v2` stands for `sentence-transformers/all-MiniLM-L6-v2`, folders and full ids for themselves. */
export async function locateModel(
  platform: Platform,
  model: string,
  options: Omit<HubOptions, 'known'>,
): Promise<ModelFolder> {
  if (model === 'bm25' || model === 'lsa') {
    throw inputError(`${model} has no weights: it is fitted on a corpus, within an evaluation`, {
      code: 'model.no-weights',
      field: 'model',
      expected: 'a text encoder: a folder, or an id such as sentence-transformers/all-MiniLM-L6-v2',
      found: model,
      hint: '`patentlab models list` shows known encoders',
    });
  }
  const registry = await loadRegistry(platform);
  const short = !model.includes('/') && !(await isFolder(model));
  const id = short ? (registry.find(model)?.id ?? model) : model;
  return findModel(id, { ...options, known: registry.models.map((known) => known.id) });
}

export function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (info) => info.isDirectory(),
    () => false,
  );
}
