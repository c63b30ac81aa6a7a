/** The invented landscapes that come with the package, imported where they are first needed. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Progress } from '../base/progress.ts';
import { importCorpus } from '../corpus/import.ts';
import { corpusFolder, manifestPath } from '../corpus/store-format.ts';

export const builtinLandscapes = ['assistive-devices', 'greenhouse-robots'] as const;
export type BuiltinLandscape = (typeof builtinLandscapes)[number];

interface LandscapeOptions {
  home: string;
  progress: Progress;
  signal?: AbortSignal | undefined;
}

/** The name of the landscape's corpus in `home`; it is imported unless it is there. */
export async function builtinCorpus(
  landscape: BuiltinLandscape,
  { home, progress, signal }: LandscapeOptions,
): Promise<string> {
  const name = `demo-${landscape}`;
  if (existsSync(manifestPath(corpusFolder(home, name)))) return name;
  const samples = fileURLToPath(new URL('../../samples', import.meta.url));
  await importCorpus({
    home,
    name,
    paths: [join(samples, `${landscape}.jsonl`)],
    invented: true,
    progress,
    ...(signal === undefined ? {} : { signal }),
  });
  return name;
}
