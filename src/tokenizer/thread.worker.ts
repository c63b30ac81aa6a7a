/** The tokenising thread: keeps the texts of a few windows, hashes them, and turns them into ids when asked to. */
import { parentPort, workerData } from 'node:worker_threads';
import { hashTexts, tokenizePassages, tokenizeTexts } from './batch.ts';
import type { ThreadData, ThreadReply, ThreadRequest } from './thread.ts';
import { TextTokenizer } from './tokenizer.ts';

const { files, options } = workerData as ThreadData;
const port = parentPort!;
const held = new Map<number, string[]>();
let tokenizer: TextTokenizer | undefined;

async function answer(request: ThreadRequest): Promise<ThreadReply | undefined> {
  const { ticket } = request;
  switch (request.kind) {
    case 'hold':
      held.set(ticket, request.texts);
      return { ticket, kind: 'held', hash: await hashTexts(request.texts) };
    case 'drop':
      held.delete(ticket);
      return undefined;
    case 'tokenize': {
      const texts = held.get(ticket) ?? [];
      held.delete(ticket);
      tokenizer ??= new TextTokenizer(files, options);
      const { prompt, maxLength, passages } = request;
      const batch =
        passages === undefined
          ? tokenizeTexts(tokenizer, texts, prompt, maxLength)
          : tokenizePassages(tokenizer, texts, prompt, { size: maxLength, ...passages });
      return { ticket, kind: 'tokens', batch };
    }
  }
}

port.on('message', (request: ThreadRequest) => {
  answer(request).then(
    (reply) => {
      if (reply === undefined) return;
      const moved = reply.kind === 'tokens' ? [reply.batch.ids.buffer, reply.batch.starts.buffer] : [];
      port.postMessage(reply, moved as ArrayBuffer[]);
    },
    (error: unknown) => {
      const details = (error as { details?: unknown }).details;
      const message = error instanceof Error ? error.message : String(error);
      port.postMessage({ ticket: request.ticket, kind: 'failed', message, details } satisfies ThreadReply);
    },
  );
});
