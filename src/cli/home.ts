/** What lies under --home: sizes, and files that an interrupted run has left. */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

export async function treeSize(folder: string): Promise<{ bytes: number; files: number }> {
  let bytes = 0;
  let files = 0;
  for (const path of await filesUnder(folder)) {
    const info = await stat(path).catch(() => undefined);
    if (info?.isFile()) {
      bytes += info.size;
      files++;
    }
  }
  return { bytes, files };
}

/** Files ending in `.partial`. */
export async function leftovers(home: string): Promise<string[]> {
  return (await filesUnder(home)).filter((path) => path.endsWith('.partial'));
}

async function filesUnder(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true }).catch(() => [] as string[]);
  return entries.map((entry) => join(folder, entry));
}
