/**
 * Files, folders (with all below them) and globs to the list of files to import: sorted by name, each once. Hidden files
 * and folders below a folder are left out, as are notes that lie beside data (README, LICENSE, *.md).
 */
import { glob, readdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { inputError } from '../base/errors.ts';
import type { SourceFile } from './importers/importer.ts';

const ASIDE = /^(?:readme|licen[cs]e|notice|copying)(?:\.|$)|\.(?:md|pdf|html?|sha256|md5)$/i;

export async function expandSources(paths: readonly string[]): Promise<SourceFile[]> {
  const found = new Map<string, SourceFile>();
  for (const path of paths) {
    const files = await expand(path);
    if (files.length === 0) throw nothingFound(path, isGlob(path) ? 'no match' : 'a folder without data files');
    for (const file of files) if (!found.has(resolve(file.path))) found.set(resolve(file.path), file);
  }
  if (found.size === 0) throw nothingFound(undefined, 'no path');
  return [...found.values()];
}

async function expand(path: string): Promise<SourceFile[]> {
  const info = await stat(path).catch(() => undefined);
  if (info?.isDirectory()) return folder(path);
  if (info !== undefined) return [{ path, size: info.size }];
  if (!isGlob(path)) throw nothingFound(path, 'no such file');
  const files: SourceFile[] = [];
  for await (const name of glob(path)) {
    const matched = await stat(name).catch(() => undefined);
    if (matched?.isFile()) files.push({ path: name, size: matched.size });
  }
  return files.sort(byPath);
}

async function folder(path: string): Promise<SourceFile[]> {
  const files: SourceFile[] = [];
  for (const entry of await readdir(path, { withFileTypes: true, recursive: true })) {
    const name = join(entry.parentPath, entry.name);
    const below = name.slice(path.length);
    if (/(?:^|[\\/])\./.test(below) || ASIDE.test(entry.name)) continue;
    const info = await stat(name).catch(() => undefined);
    if (info?.isFile()) files.push({ path: name, size: info.size });
  }
  return files.sort(byPath);
}

function byPath(a: SourceFile, b: SourceFile): number {
  return a.path < b.path ? -1 : a.path > b.path ? 1 : 0;
}

function isGlob(path: string): boolean {
  return /[*?[{]/.test(path);
}

function nothingFound(path: string | undefined, found: string) {
  return inputError('there is nothing to import', {
    code: 'import.no-source',
    ...(path === undefined ? {} : { file: path }),
    expected: 'a file, a folder with files, or a glob that matches some',
    found,
    hint: 'Check the path; quote a glob so that the shell leaves it alone.',
  });
}
