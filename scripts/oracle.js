// Regenerates the fixtures made by other people's software (Python): runs every test/oracle/*.py with PATENTLAB_PYTHON (default python3).
// Needs the packages of test/oracle/requirements.txt. The product and the other tests never need Python.
import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const python = process.env.PATENTLAB_PYTHON ?? 'python3';
const filters = process.argv.slice(2);
let failed = 0;
for (const script of globSync('test/oracle/*.py', { cwd: root }).sort()) {
  if (filters.length > 0 && !filters.some((filter) => script.includes(filter))) continue;
  console.log(`== ${script}`);
  if (spawnSync(python, [script], { cwd: root, stdio: 'inherit' }).status !== 0) failed++;
}
process.exit(failed === 0 ? 0 : 1);
