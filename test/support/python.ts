/** Python with other people's libraries (`PATENTLAB_PYTHON`), for tests that compare with them directly; without it they are skipped with the reason. */
import { spawnSync } from 'node:child_process';

export const python = process.env.PATENTLAB_PYTHON ?? 'python3';

/** For `{ skip: missingPython('transformers') }`: false where Python imports all of these modules, else the reason. */
export function missingPython(...modules: string[]): string | false {
  const found = spawnSync(python, [
    '-c',
    `import importlib.util as u, sys\nsys.exit(not all(u.find_spec(m) for m in sys.argv[1:]))`,
    ...modules,
  ]);
  return found.status === 0 ? false : `${python} has not all of ${modules.join(', ')} (set PATENTLAB_PYTHON)`;
}
