// Runs a tier of tests: `tiny` (every command on tiny data), `fast` (all but slow), `slow` (long proofs, memory, fuzzing).
// Tests live in test/<folder>/<name>.test.ts; slow ones end in .slow.test.ts, the tiny tier is test/tiny/.
// A second argument is a filter on the path: `npm test -- corpus`.
// Property tests draw the same cases every time in the fast tiers, so that a failure belongs to a change; the slow tier runs
// them once more with new cases. PATENTLAB_TEST_SEED chooses the seed.
import { spawnSync } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const [tier = 'fast', ...filters] = process.argv.slice(2);
const all = globSync('test/**/*.test.ts', { cwd: root }).sort();
const isSlow = (file) => file.endsWith('.slow.test.ts');
const isTiny = (file) => file.replaceAll('\\', '/').startsWith('test/tiny/');
const draws = (file) => readFileSync(join(root, file), 'utf8').includes("from 'fast-check'");
const chosen = all
  .filter((file) => (tier === 'slow' ? isSlow(file) || draws(file) : tier === 'tiny' ? isTiny(file) : !isSlow(file)))
  .filter((file) => filters.length === 0 || filters.some((filter) => file.includes(filter)));
if (chosen.length === 0) {
  console.error(`no ${tier} test matches ${filters.join(' ')}`);
  process.exit(1);
}
const seed = process.env.PATENTLAB_TEST_SEED ?? (tier === 'slow' ? String(Date.now() % 2 ** 31) : '1976');
console.log(`property tests: seed ${seed}`);
const run = spawnSync(
  process.execPath,
  [
    '--import',
    './test/support/seed.js',
    '--test',
    '--test-reporter=spec',
    '--test-concurrency=2',
    '--test-timeout=600000',
    ...chosen,
  ],
  {
    cwd: root,
    stdio: 'inherit',
    env: {
      ...process.env,
      PATENTLAB_TEST_DATA: process.env.PATENTLAB_TEST_DATA ?? join(root, '..', 'shared', 'data'),
      PATENTLAB_TEST_SEED: seed,
    },
  },
);
process.exit(run.status ?? 1);
