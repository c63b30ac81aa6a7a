/** How this patentlab is started from the present folder: a line that a person copies must run as it stands. */
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface Place {
  /** Module of this package: its ending tells a checkout (`.ts`) from an installed package. */
  moduleUrl?: string;
  folder?: string;
}

export function commandName({ moduleUrl = import.meta.url, folder = process.cwd() }: Place = {}): string {
  if (!moduleUrl.endsWith('.ts')) return 'npx patentlab';
  const path = relative(folder, fileURLToPath(new URL('../../bin/patentlab.js', moduleUrl)));
  return `node ${/\s/.test(path) ? `"${path}"` : path}`;
}
