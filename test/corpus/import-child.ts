/** A process that imports: `import-child.ts HOME NAME PATH`. */
import { PatentlabError } from '../../src/base/errors.ts';
import { importCorpus } from '../../src/corpus/import.ts';

const [home, name, path] = process.argv.slice(2) as [string, string, string];
try {
  const { stored } = await importCorpus({ home, name, paths: [path] });
  process.stdout.write(`${stored}\n`);
} catch (error) {
  process.stderr.write(`${error instanceof PatentlabError ? error.describe() : String((error as Error).stack)}\n`);
  process.exitCode = 1;
}
