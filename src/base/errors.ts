/**
 * Errors are data: a kind that decides the exit code, one sentence that says what happened, and the place (file, line,
 * field), what was expected and found, and what to do. The library throws them, the command line prints them; a stack
 * trace is shown only with `--debug`.
 */
import { printable } from './printable.ts';

/** `input`: wrong use or wrong input (exit code 2). `work`: the work itself failed (exit code 1). */
type FailureKind = 'input' | 'work';

export interface FailureDetails {
  /** Stable machine-readable name, e.g. `corpus.unknown`, `safetensors.overlap`. */
  code: string;
  kind?: FailureKind;
  file?: string;
  /** 1-based line of `file`. */
  line?: number;
  field?: string;
  expected?: string;
  found?: string;
  /** What the user can do about it: one imperative sentence. */
  hint?: string;
  cause?: unknown;
}

export class PatentlabError extends Error {
  override readonly name = 'PatentlabError';
  readonly code: string;
  readonly kind: FailureKind;
  readonly details: Readonly<FailureDetails>;

  constructor(message: string, details: FailureDetails) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = details.code;
    this.kind = details.kind ?? 'input';
    this.details = details;
  }

  get exitCode(): 1 | 2 {
    return this.kind === 'input' ? 2 : 1;
  }

  /** The whole message as a person reads it: place first, then what is wrong, what was expected, what to do. */
  describe(): string {
    const { file, line, field, expected, found, hint } = this.details;
    const place = [
      file === undefined ? undefined : line === undefined ? file : `${file}:${line}`,
      field && `field ${field}`,
    ]
      .filter((part) => part !== undefined && part !== '')
      .join(', ');
    let text = place === '' ? this.message : `${place}: ${this.message}`;
    if (expected !== undefined) text += `\n  expected: ${expected}`;
    if (found !== undefined) text += `\n  found:    ${found}`;
    if (hint !== undefined) text += `\n  to do:    ${hint}`;
    return printable(text);
  }
}

/** Wrong use or wrong input: exit code 2. */
export function inputError(message: string, details: Omit<FailureDetails, 'kind'>): PatentlabError {
  return new PatentlabError(message, { ...details, kind: 'input' });
}

/** The work failed although the input was right (disk full, network down): exit code 1. */
export function workError(message: string, details: Omit<FailureDetails, 'kind'>): PatentlabError {
  return new PatentlabError(message, { ...details, kind: 'work' });
}

/** What the allocators of ONNX Runtime, of graphics drivers and of JavaScript say when there is no memory left. */
const noMemory =
  /Failed to allocate memory|bad_alloc|bad allocation|out of memory|OUT_OF_MEMORY|could not allocate memory|allocation failed/i;

/** The failure of any allocator as one error that says what to do; undefined where the cause is another. */
export function memoryError(cause: unknown): PatentlabError | undefined {
  const message = cause instanceof Error ? cause.message : String(cause);
  if (!noMemory.test(message)) return undefined;
  const bytes = Number(/requested buffer of size (\d+)/.exec(message)?.[1]);
  return workError('there is not enough memory for this', {
    code: 'memory',
    ...(bytes > 0 ? { found: `${(bytes / 1e9).toFixed(1)} GB asked for in one piece` } : {}),
    hint: 'read shorter texts (--length), evaluate fewer systems at once, train with a smaller --chunk, with --recompute or --lora; what is stored stays, and the same command goes on from there',
    cause,
  });
}

/** A value as it stands in an error message: short, quoted, never a whole document. */
export function quoteFound(value: unknown, limit = 80): string {
  const text = typeof value === 'string' ? JSON.stringify(value) : String(value);
  return text.length <= limit ? text : `${text.slice(0, limit - 1)}…`;
}
