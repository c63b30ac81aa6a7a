// Installs what is missing before `npm start` and `npm test`. Plain JavaScript for Node 20: it runs before the packages exist.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const lock = readFileSync(join(root, 'package-lock.json'));
const wanted = createHash('sha256').update(lock).digest('hex');
const stamp = join(root, 'node_modules', '.patentlab-setup');

if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== wanted) {
  console.error('patentlab: installing packages (once, about half a minute) ...');
  const done = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32',
    // Without this the runtime's installer fetches CUDA libraries.
    env: { ...process.env, ONNXRUNTIME_NODE_INSTALL: process.env.ONNXRUNTIME_NODE_INSTALL ?? 'skip' },
  });
  if (done.status !== 0) {
    console.error(
      'patentlab: the packages could not be installed; is the npm registry reachable? `npm ci` shows the reason.',
    );
    process.exit(1);
  }
  writeFileSync(stamp, wanted);
}
