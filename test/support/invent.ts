/** A small corpus of invented patents, for tests that need one whatever it says. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { importCorpus } from '../../src/corpus/import.ts';
import { generatePatents } from '../../src/generate/invented/generate.ts';
import { parseLandscape } from '../../src/generate/invented/landscape.ts';

export interface InventOptions {
  landscape?: 'assistive-devices' | 'greenhouse-robots';
  patents: number;
}

/** Imports invented patents into the corpus `name` under `home`. */
export async function inventCorpus(
  home: string,
  name: string,
  { landscape = 'assistive-devices', patents }: InventOptions,
): Promise<void> {
  const yaml = join(import.meta.dirname, '..', '..', 'src', 'generate', 'invented', `${landscape}.yaml`);
  const records = generatePatents(parseLandscape(readFileSync(yaml, 'utf8'), yaml), { patents, seed: 7, length: 0.2 });
  const path = join(home, `${name}.jsonl`);
  writeFileSync(path, records.map(({ extra, ...patent }) => `${JSON.stringify({ ...patent, ...extra })}\n`).join(''));
  await importCorpus({ home, name, paths: [path], invented: true });
}
