/**
 * XLSX workbooks: the first sheet, or the one `--record` names. The file is parsed in a worker of limited memory, so that a
 * hostile or enormous workbook ends as one error and the program lives. A row with a cell that cannot be read is bad;
 * error values (`#N/A`) are empty cells.
 */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { type FailureDetails, inputError, quoteFound } from '../../base/errors.ts';
import { workerUrl } from '../../base/platform.ts';
import { readHead } from './bytes.ts';
import { columnNames, findHeader } from './header.ts';
import type { Importer, ImporterContext, Row, RowOutcome, SourceFile } from './importer.ts';
import { plainFile } from './plain-file.ts';
import type { Cell, SheetRow } from './workbook.ts';

export interface WorkbookTask {
  path: string;
  /** The file as the user knows it. */
  name: string;
  sheet?: string;
}

export type WorkbookAnswer =
  | { kind: 'rows'; rows: SheetRow[]; done: boolean }
  | { kind: 'error'; message: string; details: FailureDetails };

/** Memory of the worker: shared strings at their limit and a batch of rows fit. */
const WORKER_MEGABYTES = 1024;
/** Rows among which the header is looked for. */
const EARLY = 30;

const OLD_BINARY = '\u00d0\u00cf\u0011\u00e0';

export const xlsx: Importer = {
  format: 'xlsx',
  extensions: ['.xlsx', '.xlsm'],
  nests: true,
  detect({ name, bytes }) {
    const magic = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(4, bytes.length)).toString('latin1');
    if (magic === 'PK\u0003\u0004') return this.extensions.some((extension) => name.endsWith(extension)) ? 1 : 0.6;
    // The older format of the same programs; recognised so that the message can say what to do.
    return magic === OLD_BINARY ? 0.9 : 0;
  },
  rows,
};

async function* rows(file: SourceFile, context: ImporterContext): AsyncGenerator<RowOutcome, void, undefined> {
  await refuseOldBinary(file.path);
  const plain = await plainFile(file.path, context.signal);
  try {
    const early: SheetRow[] = [];
    let names: string[] | undefined;
    for await (const row of sheetRows(plain.path, file.path, context)) {
      if (names !== undefined) {
        const outcome = outcomeOf(row, names);
        if (outcome !== undefined) yield outcome;
        continue;
      }
      early.push(row);
      if (early.length < EARLY) continue;
      names = yield* begin(early);
    }
    if (names === undefined) yield* begin(early);
  } finally {
    await plain.remove();
  }
}

async function refuseOldBinary(path: string): Promise<void> {
  const head = await readHead(path, 4);
  if (head.toString('latin1') !== OLD_BINARY) return;
  throw inputError('this is the binary XLS format of old spreadsheet programs', {
    code: 'import.xls',
    file: path,
    expected: 'XLSX',
    found: 'XLS, or a workbook with a password',
    hint: 'Open it in a spreadsheet program and save it as XLSX or CSV.',
  });
}

/** Finds the header among the first rows and gives those after it; returns the names of the columns. */
function* begin(early: readonly SheetRow[]): Generator<RowOutcome, string[], undefined> {
  const header = findHeader(early.map(({ cells }) => cells.map((cell) => (cell === null ? '' : String(cell)))));
  const names = columnNames((early[header]?.cells ?? []).map((cell) => (cell === null ? '' : String(cell))));
  for (const row of early.slice(header + 1)) {
    const outcome = outcomeOf(row, names);
    if (outcome !== undefined) yield outcome;
  }
  return names;
}

function outcomeOf({ number, cells, damage }: SheetRow, names: readonly string[]): RowOutcome | undefined {
  if (damage !== undefined) return { ok: false, line: number, reason: damage };
  if (cells.every(isEmpty)) return undefined;
  const beyond = cells.slice(names.length).find((cell) => !isEmpty(cell));
  if (beyond !== undefined)
    return {
      ok: false,
      line: number,
      reason: `a value beyond the ${names.length} columns of the header`,
      found: quoteFound(beyond),
    };
  const row: Row = {};
  for (let i = 0; i < names.length; i++) row[names[i]!] = cells[i] ?? null;
  return { ok: true, line: number, row };
}

function isEmpty(cell: Cell | undefined): boolean {
  return cell === null || cell === undefined || (typeof cell === 'string' && cell.trim() === '');
}

/** Rows from the worker, a batch at a time; the worker reads on only when asked. */
async function* sheetRows(
  path: string,
  name: string,
  context: ImporterContext,
): AsyncGenerator<SheetRow, void, undefined> {
  const task: WorkbookTask = { path, name, ...(context.record === undefined ? {} : { sheet: context.record }) };
  const worker = new Worker(workerUrl(import.meta.url, './xlsx.worker'), {
    workerData: task,
    name: 'workbook',
    resourceLimits: { maxOldGenerationSizeMb: WORKER_MEGABYTES },
  });
  const abort = () => void worker.terminate();
  context.signal?.addEventListener('abort', abort);
  try {
    for (;;) {
      context.signal?.throwIfAborted();
      const answer = await ask(worker, name, context.signal);
      if (answer.kind === 'error') throw inputError(answer.message, answer.details);
      yield* answer.rows;
      if (answer.done) return;
    }
  } finally {
    context.signal?.removeEventListener('abort', abort);
    await worker.terminate();
  }
}

async function ask(worker: Worker, file: string, signal: AbortSignal | undefined): Promise<WorkbookAnswer> {
  worker.postMessage('more');
  const left = new AbortController();
  try {
    const answer = once(worker, 'message', { signal: left.signal });
    const exit = once(worker, 'exit', { signal: left.signal }).then(() => {
      throw new Error('the reader ended early');
    });
    const [message] = await Promise.race([answer, exit]);
    return message as WorkbookAnswer;
  } catch (error) {
    signal?.throwIfAborted();
    throw inputError('the workbook cannot be read', {
      code: 'import.xlsx',
      file,
      expected: 'an XLSX workbook that fits into memory',
      found: String((error as Error).message),
      hint: 'Save the sheet as CSV.',
      cause: error,
    });
  } finally {
    left.abort();
  }
}
