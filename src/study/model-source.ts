/** What a user means by a model: a folder, an id, or the short name of a known model. */
import { stat } from 'node:fs/promises';
import { inputError } from '../base/errors.ts';
import type { Platform } from '../base/platform.ts';
import { loadRegistry } from '../model/index.ts';

/** `all-MiniLM-L6-v2` -> `sentence-transformers/all-MiniLM-L6-v2`; folders and full ids stay as they are. */
export async function resolveModelId(platform: Platform, model: string): Promise<string> {
  if ((await isFolder(model)) || model.includes('/')) return model;
  if (model === 'bm25' || model === 'lsa') {
    throw inputError(`${model} has no weights: it is fitted on a corpus, within an evaluation`, {
      code: 'model.no-weights',
      field: 'model',
      expected: 'a text encoder: a folder, or an id such as sentence-transformers/all-MiniLM-L6-v2',
      found: model,
      hint: '`patentlab models list` shows known encoders',
    });
  }
  return (await loadRegistry(platform)).find(model)?.id ?? model;
}

export function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (info) => info.isDirectory(),
    () => false,
  );
}
