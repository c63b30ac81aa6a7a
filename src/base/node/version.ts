/** The package's own version, from `package.json`: as far above `src/base/node` in a checkout as above `dist/base/node`. */
import { readFileSync } from 'node:fs';

export function packageVersion(): string {
  const text = readFileSync(new URL('../../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
