// Writes the invented sample landscapes under samples/ (`npm run samples`); a test holds them equal to what this makes.
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { generatePatents } from '../src/generate/invented/generate.ts';
import { parseLandscape } from '../src/generate/invented/landscape.ts';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
for (const name of ['assistive-devices', 'greenhouse-robots']) {
  const file = join(root, 'src/generate/invented', `${name}.yaml`);
  const patents = generatePatents(parseLandscape(readFileSync(file, 'utf8'), file), { patents: 320, seed: 2026 });
  const path = join(root, 'samples', `${name}.jsonl`);
  writeFileSync(path, patents.map(({ extra, ...patent }) => `${JSON.stringify({ ...patent, ...extra })}\n`).join(''));
  console.log(`${path}: ${patents.length} patents`);
}
