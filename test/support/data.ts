/** Where the real data is (`PATENTLAB_TEST_DATA`); a test that needs a file that is not there is skipped with the reason. */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';

const root = resolve(process.env.PATENTLAB_TEST_DATA ?? join(import.meta.dirname, '..', '..', '..', 'shared', 'data'));

/** The path of a real data file. */
export function realData(name: string): string {
  return join(root, name);
}

/** For `test(name, { skip: missing('ultrasound_us.jsonl.gz') }, ...)`: false where all files are there, else the reason. */
export function missing(...names: string[]): string | false {
  const absent = names.filter((name) => !existsSync(realData(name)));
  return absent.length === 0
    ? false
    : `real data not found: ${absent.map(realData).join(', ')} (set PATENTLAB_TEST_DATA)`;
}
