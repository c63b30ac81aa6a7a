/** The invented landscapes that come with the package, imported where they are first needed. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Progress } from '../base/progress.ts';
import { importCorpus } from '../corpus/import.ts';
import { corpusFolder, manifestPath } from '../corpus/store-format.ts';
import { LeasedFolders } from './lease.ts';

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
  const isThere = () => existsSync(manifestPath(corpusFolder(home, name)));
  if (isThere()) return name;
  const samples = fileURLToPath(new URL('../../samples', import.meta.url));
  // One process imports it; others wait, and then find it there.
  await new LeasedFolders(join(home, 'corpora'), 'the invented landscape').alone(
    `${name}.import`,
    async () => {
      if (isThere()) return;
      await importCorpus({
        home,
        name,
        paths: [join(samples, `${landscape}.jsonl`)],
        invented: true,
        progress,
        ...(signal === undefined ? {} : { signal }),
      });
    },
    { progress, signal },
  );
  return name;
}
