/** What a user means by a model: a folder, an id, or the short name of a known model. */
import { stat } from 'node:fs/promises';
import type { Platform } from '../base/platform.ts';
import { loadRegistry } from '../model/index.ts';

/** `all-MiniLM-L6-v2` -> `sentence-transformers/all-MiniLM-L6-v2`; folders and full ids stay as they are. */
export async function resolveModelId(platform: Platform, model: string): Promise<string> {
  const folder = await stat(model).then(
    (info) => info.isDirectory(),
    () => false,
  );
  if (folder || model.includes('/')) return model;
  return (await loadRegistry(platform)).find(model)?.id ?? model;
}
