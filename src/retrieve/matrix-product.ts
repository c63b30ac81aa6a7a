/** Products of dense matrices for exact search, on the engine: its worker multiplies while this thread looks at results. */
import type { Platform } from '../base/platform.ts';
import { type Engine, type EngineOptions, input, matmul, openEngine } from '../engine/index.ts';

type OwnFloats = Float32Array<ArrayBuffer> | Float32Array<SharedArrayBuffer>;

export interface MatrixProduct {
  /**
   * a [m, k] times b [n, k] transposed -> [m, n]. The arrays must own their memory: both are handed over and are empty
   * afterwards; or it is shared memory, which stays and must not change until the product is there. Calls may overlap;
   * they are computed in order.
   */
  multiply(a: OwnFloats, m: number, b: OwnFloats, n: number, k: number): Promise<Float32Array>;
  close(): Promise<void>;
}

export async function openMatrixProduct(platform: Platform, options: EngineOptions = {}): Promise<MatrixProduct> {
  const engine = await openEngine(platform, options);
  return { ...(await matrixProductOn(engine)), close: () => engine.close() };
}

/** The same on an engine that others use too; closing it leaves the engine open. */
export async function matrixProductOn(engine: Engine): Promise<MatrixProduct> {
  const a = input('a', 'float32', ['m', 'k']);
  const b = input('b', 'float32', ['n', 'k']);
  const program = await engine.compile({ scores: matmul(a, b, { transposeB: true }) });
  return {
    async multiply(left, m, right, n, k) {
      const feeds = { a: { data: left, shape: [m, k] }, b: { data: right, shape: [n, k] } };
      const { scores } = await program.run(feeds, { transfer: true });
      return scores!.floats;
    },
    close: () => program.close(),
  };
}
