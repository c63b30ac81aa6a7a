import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { PatentlabError } from '../../src/base/errors.ts';
import { acquireLock } from '../../src/base/node/lock.ts';
import { scratch } from '../support/scratch.ts';

test('a lock below a file is refused as the wrong place, not as a fault', async (t) => {
  const file = join(scratch(t), 'file');
  writeFileSync(file, 'x');
  await assert.rejects(
    acquireLock(join(file, 'deeper', 'a.lock'), 'the corpus "a"'),
    (error: unknown) => error instanceof PatentlabError && error.code === 'disk.kind' && error.exitCode === 1,
  );
});
