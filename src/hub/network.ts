/**
 * HTTP as companies have it: proxies from the environment (`HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY`), private certificate
 * authorities (`SSL_CERT_FILE`, `REQUESTS_CA_BUNDLE`, `CURL_CA_BUNDLE`; `NODE_EXTRA_CA_CERTS` is Node's own), retries with growing pauses on broken
 * connections, time-outs, 429 and 5xx.
 */
import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { rootCertificates } from 'node:tls';
import { type Dispatcher, EnvHttpProxyAgent, fetch, type Response } from 'undici';
import { inputError, workError } from '../base/errors.ts';

interface NetworkOptions {
  env: Readonly<Record<string, string | undefined>>;
  signal?: AbortSignal | undefined;
  /** Tries in all before giving up. Default 5. */
  tries?: number;
  /** First pause between tries in ms, doubled each time. Default 500. */
  pauseMs?: number;
}

export class Network {
  private readonly dispatcher: Dispatcher;
  private readonly options: NetworkOptions;

  constructor(options: NetworkOptions) {
    this.options = options;
    const { env } = options;
    const ca = certificates(env);
    // The agent reads only the process's environment by itself; an explicit one keeps it an argument.
    const proxy = (name: string) => env[name.toLowerCase()] ?? env[name];
    this.dispatcher = new EnvHttpProxyAgent({
      httpProxy: proxy('HTTP_PROXY') ?? '',
      httpsProxy: proxy('HTTPS_PROXY') ?? '',
      noProxy: proxy('NO_PROXY') ?? '',
      headersTimeout: 60_000,
      bodyTimeout: 60_000,
      ...(ca === undefined ? {} : { connect: { ca }, requestTls: { ca }, proxyTls: { ca } }),
    });
  }

  /** One request; answers 2xx, or a status listed in `accept`; anything else becomes a clear error. */
  async request(url: string, headers: Record<string, string> = {}, accept: readonly number[] = []): Promise<Response> {
    const { signal, tries = 5, pauseMs = 500 } = this.options;
    for (let attempt = 1; ; attempt++) {
      try {
        const response = await fetch(url, { headers, dispatcher: this.dispatcher, ...(signal ? { signal } : {}) });
        if (response.ok || accept.includes(response.status)) return response;
        await response.body?.cancel();
        if (response.status !== 429 && response.status < 500) throw refused(url, response.status);
        if (attempt >= tries) throw unreachable(url, `HTTP ${response.status}`);
      } catch (error) {
        if (signal?.aborted || isPatentlab(error)) throw error;
        if (attempt >= tries) throw unreachable(url, reasonOf(error), error);
      }
      await pause(pauseMs * 2 ** (attempt - 1), undefined, signal ? { signal } : {});
    }
  }

  async close(): Promise<void> {
    await this.dispatcher.close();
  }
}

function certificates(env: NetworkOptions['env']): string[] | undefined {
  const file = env.SSL_CERT_FILE ?? env.REQUESTS_CA_BUNDLE ?? env.CURL_CA_BUNDLE;
  if (file === undefined || file === '') return undefined;
  try {
    return [...rootCertificates, readFileSync(file, 'utf8')];
  } catch (error) {
    throw inputError('the file of certificate authorities cannot be read', {
      code: 'hub.certificates',
      file,
      hint: 'set SSL_CERT_FILE to a PEM file, or unset it',
      cause: error,
    });
  }
}

function refused(url: string, status: number) {
  const byRight = status === 401 || status === 403;
  return inputError(
    byRight
      ? 'the server refuses access'
      : status === 404
        ? 'there is no such file or model'
        : 'the server refuses the request',
    {
      code: status === 404 ? 'hub.missing' : byRight ? 'hub.forbidden' : 'hub.refused',
      file: url,
      found: `HTTP ${status}`,
      hint: byRight
        ? 'set HF_TOKEN to an access token whose owner has accepted the terms of the model'
        : 'check the id (owner/name) and the revision; `patentlab models list` shows known models',
    },
  );
}

function unreachable(url: string, found: string, cause?: unknown) {
  return workError('the server cannot be reached', {
    code: 'hub.unreachable',
    file: url,
    found,
    hint: 'check the network and HTTPS_PROXY; run again and the download goes on where it stopped; or copy a model folder here by hand and name its path',
    cause,
  });
}

function reasonOf(error: unknown): string {
  const cause = (error as { cause?: { code?: string; message?: string } }).cause;
  return cause?.code ?? cause?.message ?? (error instanceof Error ? error.message : String(error));
}

function isPatentlab(error: unknown): boolean {
  return error instanceof Error && error.name === 'PatentlabError';
}
