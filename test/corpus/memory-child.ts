/** Imports as the command does, and prints `rows RSS` as it goes: `memory-child.ts HOME PATH`. */
import { keepYoungSpaceSmall } from '../../src/base/node/memory.ts';
import type { Progress } from '../../src/base/progress.ts';
import { importCorpus } from '../../src/corpus/import.ts';

const [home, path] = process.argv.slice(2) as [string, string];
let rows = 0;
let printed = 0;
const sample = () => process.stdout.write(`${rows} ${process.memoryUsage.rss()}\n`);
const progress: Progress = {
  begin: () => ({
    advance(_, note) {
      rows = Number(note?.replace(/\D/g, '') ?? rows);
      if (rows - printed < 2000) return;
      printed = rows;
      sample();
    },
    total() {},
    finish: sample,
  }),
  say() {},
};
keepYoungSpaceSmall();
const timer = setInterval(sample, 50); // what follows the rows
const { stored } = await importCorpus({ home, name: 'mine', paths: [path], progress });
clearInterval(timer);
rows = stored;
sample();
const { maxRSS } = process.resourceUsage(); // kilobytes: what no sample met
process.stdout.write(`${stored} ${maxRSS * 1024}\n`);
