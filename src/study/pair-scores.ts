/**
 * Scores of text pairs on disk, so that an interrupted run goes on and systems that find the same documents share them:
 *
 *   <vectors>/<key>/settings.json        what the key stands for: the model and all that can change a score
 *   <vectors>/<key>/pairs/<query>.json   scores of one query, by the SHA-256 of its text: document text -> score
 *
 * Texts are known by their hashes alone. A score does not depend on the other pairs of its batch, so it does not matter
 * which run it comes from. Files are written atomically; one that cannot be read counts as absent.
 */
import { hashOf, sha256 } from '../base/hash.ts';
import type { Files } from '../base/platform.ts';

/** What is known of one query. */
export interface QueryScores {
  /** Hash of a document's text -> score. */
  scores: Map<string, number>;
  /** Time that computing them took in all, for costs. */
  seconds: number;
}

export interface PairScores {
  read(query: string): Promise<QueryScores>;
  write(query: string, scores: QueryScores): Promise<void>;
}

/** 128 bits are enough to tell texts apart. */
export async function textHash(text: string): Promise<string> {
  return (await sha256(text)).slice(0, 32);
}

export async function openPairScores(
  files: Files,
  folder: string,
  settings: Record<string, unknown>,
): Promise<PairScores> {
  const root = files.join(folder, (await hashOf(settings)).slice(0, 32));
  const settingsFile = files.join(root, 'settings.json');
  if ((await files.size(settingsFile)) === undefined)
    await files.writeAtomic(settingsFile, `${JSON.stringify(settings, null, 2)}\n`);
  const fileOf = (query: string) => files.join(root, 'pairs', `${query}.json`);
  return {
    async read(query) {
      const path = fileOf(query);
      return (await files.size(path)) === undefined ? nothing() : parse(await files.readText(path));
    },
    async write(query, { scores, seconds }) {
      await files.writeAtomic(
        fileOf(query),
        `${JSON.stringify({ format: 1, seconds, scores: Object.fromEntries(scores) })}\n`,
      );
    },
  };
}

const nothing = (): QueryScores => ({ scores: new Map(), seconds: 0 });

function parse(text: string): QueryScores {
  try {
    const { format, seconds, scores } = JSON.parse(text) as { format: number; seconds: number; scores: object };
    const entries = Object.entries(scores) as [string, number][];
    const sound = format === 1 && Number.isFinite(seconds) && entries.every(([, score]) => Number.isFinite(score));
    return sound ? { scores: new Map(entries), seconds } : nothing();
  } catch {
    return nothing(); // computed anew
  }
}
