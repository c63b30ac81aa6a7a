/** What cannot be printed: one message and exit code 1, never a stack trace. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { closeSync, existsSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

test('a full disk behind standard output', { skip: !existsSync('/dev/full') && 'no /dev/full' }, () => {
  const bin = join(import.meta.dirname, '..', '..', 'bin', 'patentlab.js');
  const full = openSync('/dev/full', 'w');
  const { status, stderr } = spawnSync(process.execPath, [bin, 'models', 'list'], {
    stdio: ['ignore', full, 'pipe'],
    encoding: 'utf8',
  });
  closeSync(full);
  assert.equal(status, 1);
  assert.equal(stderr, 'patentlab: what was to be printed cannot be written (ENOSPC)\n');
});
