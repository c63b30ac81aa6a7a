/** A folder of a test's own under the system's temporary folder, removed when the test ends. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

export function scratch(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'patentlab-test-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
