/** A model hub on the loopback interface, with the faults of real ones on demand. */
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';

export interface LocalHub {
  endpoint: string;
  commit: string;
  /** `METHOD path range` of every request, in order. */
  log: string[];
  requests: IncomingMessage[];
}

export interface HubFaults {
  /** Close the connection after so many bytes of a file, the first n times it is asked for. */
  cutAfter?: { bytes: number; times: number };
  /** Answer 503 the first n times. */
  busy?: number;
  /** Flip one byte of the weights as they are sent, this many times. */
  corrupt?: number;
  /** Only with this token. */
  token?: string;
  /** Send files by redirect to another origin (as hubs do with large files). */
  redirectTo?: string;
  /** Ignore `Range`. */
  noRange?: boolean;
  tls?: { key: Buffer; cert: Buffer };
  /** Default `model`. */
  kind?: 'model' | 'dataset';
  /** The only revision there is. Default `main`. */
  revision?: string;
}

export async function localHub(
  t: TestContext,
  id: string,
  files: Record<string, Uint8Array>,
  faults: HubFaults = {},
): Promise<LocalHub> {
  const commit = 'a'.repeat(40);
  const hub: LocalHub = { endpoint: '', commit, log: [], requests: [] };
  let { busy = 0, corrupt = 0 } = faults;
  let cuts = faults.cutAfter?.times ?? 0;
  const kind = faults.kind ?? 'model';
  const root = kind === 'model' ? `/${id}` : `/${kind}s/${id}`;
  const handler = (request: IncomingMessage, response: ServerResponse) => {
    hub.log.push(`${request.method} ${request.url} ${request.headers.range ?? ''}`.trim());
    hub.requests.push(request);
    if (busy-- > 0) return void response.writeHead(503).end();
    if (faults.token && request.headers.authorization !== `Bearer ${faults.token}`)
      return void response.writeHead(401).end();
    const url = new URL(request.url!, 'http://x');
    if (url.pathname === `/api/${kind}s/${id}/revision/${faults.revision ?? 'main'}`) {
      const siblings = Object.entries(files).map(([rfilename, data]) =>
        rfilename.endsWith('.safetensors')
          ? {
              rfilename,
              size: data.length,
              lfs: { sha256: createHash('sha256').update(data).digest('hex'), size: data.length },
            }
          : {
              rfilename,
              size: data.length,
              blobId: createHash('sha1').update(`blob ${data.length}\0`).update(data).digest('hex'),
            },
      );
      return void response
        .writeHead(200, { 'content-type': 'application/json' })
        .end(JSON.stringify({ sha: commit, siblings }));
    }
    const name = url.pathname.startsWith(`${root}/resolve/${commit}/`)
      ? decodeURIComponent(url.pathname.split(`${commit}/`)[1]!)
      : '';
    let data = files[name];
    if (data === undefined) return void response.writeHead(404).end();
    if (faults.redirectTo)
      return void response.writeHead(302, { location: `${faults.redirectTo}${url.pathname}` }).end();
    if (name.endsWith('.safetensors') && corrupt-- > 0) {
      data = Uint8Array.from(data);
      data[data.length >> 1]! ^= 1;
    }
    const start = faults.noRange ? 0 : Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
    if (start > 0 && start >= data.length) return void response.writeHead(416).end();
    const body = data.subarray(start);
    const partial = start > 0 ? { 'content-range': `bytes ${start}-${data.length - 1}/${data.length}` } : {};
    response.writeHead(start > 0 ? 206 : 200, { 'content-length': body.length, ...partial });
    if (name.endsWith('.safetensors') && cuts > 0 && faults.cutAfter) {
      cuts--;
      response.write(body.subarray(0, faults.cutAfter.bytes), () => setTimeout(() => response.destroy(), 20));
      return;
    }
    response.end(body);
  };
  const server: Server = faults.tls ? createTlsServer(faults.tls, handler) : createServer(handler);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  hub.endpoint = `${faults.tls ? 'https' : 'http'}://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return hub;
}
