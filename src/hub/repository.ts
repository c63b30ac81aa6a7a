/**
 * What a repository on a Hugging Face hub holds, and which of a model's files patentlab needs: weights as safetensors
 * (never pickles, never code), configuration, tokenizer.
 */
import { z } from 'zod';
import { inputError } from '../base/errors.ts';
import type { Network } from './network.ts';

export interface RemoteFile {
  name: string;
  size?: number;
  /** SHA-256 of the content, for files in large-file storage. */
  sha256?: string;
  /** Git's blob id: SHA-1 over `blob <size>\0<content>`, for the others. */
  blobId?: string;
}

export type RepositoryKind = 'model' | 'dataset';

export interface Repository {
  id: string;
  /** The commit that the revision stands for now. */
  commit: string;
  files: RemoteFile[];
}

const answerSchema = z.object({
  sha: z.string().regex(/^[0-9a-f]{40}$/),
  siblings: z.array(
    z.object({
      rfilename: z.string(),
      size: z.number().optional(),
      blobId: z.string().optional(),
      lfs: z
        .object({ sha256: z.string().optional(), oid: z.string().optional(), size: z.number().optional() })
        .nullish(),
    }),
  ),
});

/** Asks the hub what the repository holds at a revision (default `main`). */
export async function describeRepository(
  network: Network,
  endpoint: string,
  id: string,
  revision: string,
  headers: Record<string, string>,
  kind: RepositoryKind = 'model',
): Promise<Repository> {
  const url = `${endpoint}/api/${kind}s/${id}/revision/${encodeURIComponent(revision)}?blobs=true`;
  const response = await network.request(url, headers);
  const parsed = answerSchema.safeParse(await response.json().catch(() => undefined));
  if (!parsed.success) {
    throw inputError('the server does not answer as a model hub does', {
      code: 'hub.answer',
      file: url,
      expected: `the JSON description of a ${kind}`,
      found: parsed.error.issues[0]?.message ?? 'something else',
      hint: 'check HF_ENDPOINT',
    });
  }
  const files = parsed.data.siblings.map(({ rfilename, size, blobId, lfs }): RemoteFile => {
    const sha256 = lfs?.sha256 ?? lfs?.oid;
    const bytes = lfs?.size ?? size;
    return {
      name: rfilename,
      ...(bytes === undefined ? {} : { size: bytes }),
      ...(sha256 === undefined ? (blobId === undefined ? {} : { blobId }) : { sha256 }),
    };
  });
  return { id, commit: parsed.data.sha, files };
}

const configuration =
  /^(?:config|modules|tokenizer|tokenizer_config|special_tokens_map|added_tokens|sentence_bert_config|config_sentence_transformers|model\.safetensors\.index)\.json$|^(?:vocab\.(?:txt|json)|merges\.txt|sentencepiece\.bpe\.model|LICENSE(?:\.\w+)?)$/;
const moduleFile = /^\d+_[A-Za-z]+\/(?:config\.json|model\.safetensors)$/;
const weights = /^model(?:-\d{5}-of-\d{5})?\.safetensors$/;

/** The files to download. Refuses names that would leave the model's folder. */
export function neededFiles(repository: Repository): RemoteFile[] {
  const chosen = repository.files.filter(
    ({ name }) => configuration.test(name) || moduleFile.test(name) || weights.test(name),
  );
  const sharded = chosen.some(({ name }) => name === 'model.safetensors.index.json');
  const single = chosen.some(({ name }) => name === 'model.safetensors');
  if (!single && !sharded) {
    throw inputError(`the repository ${repository.id} has no weights that can be used here`, {
      code: 'hub.no-weights',
      expected: 'model.safetensors (pickled weights are never opened)',
      found:
        repository.files
          .map(({ name }) => name)
          .filter((name) => /\.(?:bin|pt|h5|onnx|msgpack|safetensors)$/.test(name))
          .join(', ') || 'none',
      hint: 'convert the model to safetensors with its own tools, or choose another (`patentlab models list`)',
    });
  }
  // A repository may hold both forms of the same weights: the single file is enough.
  return single ? chosen.filter(({ name }) => name === 'model.safetensors' || !/^model[-.]/.test(name)) : chosen;
}
