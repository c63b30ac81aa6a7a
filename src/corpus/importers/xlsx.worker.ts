/** The reader of workbooks in its worker: hands over a batch of rows whenever it is asked for one. */
import { parentPort, workerData } from 'node:worker_threads';
import { PatentlabError } from '../../base/errors.ts';
import { type SheetRow, Workbook } from './workbook.ts';
import type { WorkbookAnswer, WorkbookTask } from './xlsx.ts';
import { ZipReader } from './zip.ts';

/** Rows and cell characters of a batch. */
const BATCH_ROWS = 500;
const BATCH_CHARACTERS = 1 << 20;

const { path, name, sheet } = workerData as WorkbookTask;
const rows = read();

parentPort!.on('message', async () => {
  let answer: WorkbookAnswer;
  try {
    answer = await nextBatch();
  } catch (error) {
    if (!(error instanceof PatentlabError)) throw error;
    const { cause: _, ...details } = error.details;
    answer = { kind: 'error', message: error.message, details };
  }
  parentPort!.postMessage(answer);
});

async function* read(): AsyncGenerator<SheetRow, void, undefined> {
  const zip = await ZipReader.open(path, name);
  try {
    const workbook = await Workbook.open(zip);
    yield* workbook.rows(sheet);
  } finally {
    zip.close();
  }
}

async function nextBatch(): Promise<WorkbookAnswer> {
  const batch: SheetRow[] = [];
  let characters = 0;
  while (batch.length < BATCH_ROWS && characters < BATCH_CHARACTERS) {
    const { value, done } = await rows.next();
    if (done === true) return { kind: 'rows', rows: batch, done: true };
    for (const cell of value.cells) if (typeof cell === 'string') characters += cell.length;
    batch.push(value);
  }
  return { kind: 'rows', rows: batch, done: false };
}
