/** The package as its users get it: packed, then unpacked in a folder of its own, beside the dependencies it declares. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';

const root = join(import.meta.dirname, '..', '..');

export interface Packed {
  tarball: string;
  files: { path: string; size: number }[];
  unpackedSize: number;
}

/** `npm pack` into `folder`; builds `dist` first, as publishing does. */
export function pack(folder: string): Packed {
  // One string: npm is a script on Windows, which only a shell starts.
  const npm = spawnSync(`npm pack --json --loglevel=error --pack-destination "${folder}"`, {
    cwd: root,
    encoding: 'utf8',
    shell: true,
  });
  if (npm.status !== 0) throw new Error(`npm pack failed: ${npm.stderr}`);
  const listed = JSON.parse(npm.stdout) as
    | (Packed & { filename: string })[]
    | Record<string, Packed & { filename: string }>;
  const { filename, files, unpackedSize } = Object.values(listed)[0]!;
  return { tarball: join(folder, filename), files, unpackedSize };
}

/**
 * Puts the tarball under `<folder>/node_modules`, as `npm install` would, without a network: the declared dependencies, and
 * nothing else, are links to those of the checkout.
 */
export function installOffline(tarball: string, folder: string): string {
  const home = join(folder, 'node_modules', 'patentlab');
  mkdirSync(home, { recursive: true });
  execFileSync('tar', ['-xzf', tarball, '-C', home, '--strip-components=1']);
  const { dependencies, bin } = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>;
    bin: { patentlab: string };
  };
  for (const name of Object.keys(dependencies))
    link(join(root, 'node_modules', name), join(folder, 'node_modules', name));
  if (process.platform !== 'win32') {
    mkdirSync(join(folder, 'node_modules', '.bin'));
    symlinkSync(join('..', 'patentlab', bin.patentlab), join(folder, 'node_modules', '.bin', 'patentlab'));
  }
  return home;
}

/** A folder link that Windows allows without rights of its own. */
export function link(target: string, path: string): void {
  mkdirSync(dirname(path), { recursive: true });
  symlinkSync(target, path, 'junction');
}
