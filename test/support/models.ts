/** Where real checkpoints are (`PATENTLAB_TEST_MODELS`, a folder that holds `all-MiniLM-L6-v2/`); tests without them are skipped with the reason. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';

const root = process.env.PATENTLAB_TEST_MODELS ?? '';

/** The folder of a real checkpoint. */
export function realModel(name: string): string {
  return join(root, name);
}

/** For `{ skip: missingModel('all-MiniLM-L6-v2') }`: false where it is there, else the reason. */
export function missingModel(name: string): string | false {
  if (root !== '' && existsSync(join(root, name, 'tokenizer.json'))) return false;
  return `checkpoint ${name} not found (set PATENTLAB_TEST_MODELS to a folder that holds ${name}/)`;
}
