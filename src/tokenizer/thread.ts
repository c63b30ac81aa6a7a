/**
 * The tokenising thread seen from outside. Texts are handed over once, hashed there (the vector cache is keyed by
 * content), and tokenised only where the cache has no vectors for them; ids come back as transferred buffers.
 */
import { inputError, workError } from '../base/errors.ts';
import { type Platform, type WorkerPort, workerUrl } from '../base/platform.ts';
import type { TokenBatch } from './batch.ts';
import { readTokenizerFiles } from './load.ts';
import type { PassageWindows } from './passages.ts';
import type { TokenizerFiles, TokenizerOptions } from './tokenizer.ts';

export interface TokenizeOptions {
  prompt: string;
  maxLength: number;
  /** Cut into passages; `maxLength` is then their size. */
  passages?: Omit<PassageWindows, 'size'>;
}

export interface ThreadData {
  files: TokenizerFiles;
  options: TokenizerOptions;
}

export type ThreadRequest =
  | { kind: 'hold'; ticket: number; texts: string[] }
  | ({ kind: 'tokenize'; ticket: number } & TokenizeOptions)
  | { kind: 'drop'; ticket: number };

export type ThreadReply =
  | { kind: 'held'; ticket: number; hash: string }
  | { kind: 'tokens'; ticket: number; batch: TokenBatch }
  | { kind: 'failed'; ticket: number; message: string; details?: unknown };

interface Waiting {
  resolve(reply: ThreadReply): void;
  reject(error: unknown): void;
}

/** Texts that lie in the thread, waiting to be tokenised or dropped. */
export interface HeldTexts {
  /** SHA-256 of the texts. */
  readonly hash: string;
  /** Tokenises them (once); the thread then forgets the texts. */
  tokenize(options: TokenizeOptions): Promise<TokenBatch>;
  /** The thread forgets the texts. */
  drop(): void;
}

export class TokenizerThread {
  private readonly port: WorkerPort;
  private readonly waiting = new Map<number, Waiting>();
  private tickets = 0;
  private failure: unknown;

  constructor(port: WorkerPort) {
    this.port = port;
    port.onMessage((message) => this.settle(message as ThreadReply));
    port.onFailure((error) => {
      this.failure = workError('the tokenising thread stopped', {
        code: 'tokenizer.thread',
        found: error.message,
        cause: error,
      });
      for (const { reject } of this.waiting.values()) reject(this.failure);
      this.waiting.clear();
    });
  }

  /** Hands texts over. The caller may forget them at once. */
  async hold(texts: string[]): Promise<HeldTexts> {
    const ticket = this.tickets++;
    const reply = await this.ask({ kind: 'hold', ticket, texts });
    if (reply.kind !== 'held') throw new TypeError(`unexpected answer ${reply.kind}`);
    return {
      hash: reply.hash,
      tokenize: async (options) => {
        const tokens = await this.ask({ kind: 'tokenize', ticket, ...options });
        if (tokens.kind !== 'tokens') throw new TypeError(`unexpected answer ${tokens.kind}`);
        return tokens.batch;
      },
      drop: () => this.port.post({ kind: 'drop', ticket } satisfies ThreadRequest),
    };
  }

  close(): Promise<void> {
    return this.port.terminate();
  }

  private ask(request: ThreadRequest): Promise<ThreadReply> {
    if (this.failure !== undefined) return Promise.reject(this.failure);
    return new Promise((resolve, reject) => {
      this.waiting.set(request.ticket, { resolve, reject });
      this.port.post(request);
    });
  }

  private settle(reply: ThreadReply): void {
    const waiting = this.waiting.get(reply.ticket);
    this.waiting.delete(reply.ticket);
    if (reply.kind === 'failed') {
      const details = (reply.details ?? { code: 'tokenizer.failed' }) as Parameters<typeof inputError>[1];
      waiting?.reject(inputError(reply.message, details));
    } else waiting?.resolve(reply);
  }
}

/** Starts a tokenising thread for the checkpoint in `folder`. */
export async function startTokenizerThread(
  platform: Platform,
  folder: string,
  options: TokenizerOptions = {},
): Promise<TokenizerThread> {
  const data: ThreadData = { files: await readTokenizerFiles(platform, folder), options };
  return new TokenizerThread(
    platform.spawn(workerUrl(import.meta.url, './thread.worker'), { name: 'tokenizer', data }),
  );
}
