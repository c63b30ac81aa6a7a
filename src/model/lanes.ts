/**
 * Batches side by side. On a CPU, two engines with one thread each compute two batches faster than one engine with two
 * threads computes them in turn: no operation waits for its slowest thread, and small ones (norms, gathers) count too.
 * A vector has the same bits whatever the number of engines and of threads: an operation's threads share out its rows and
 * columns and never split a sum.
 *
 * Each engine holds its own packed copy of the linear weights, so there are only as many as fit `packedBytes`; threads
 * that are left over are shared out inside the engines.
 */
import type { Platform } from '../base/platform.ts';
import {
  type Device,
  type Engine,
  type EngineOptions,
  type Feeds,
  openEngine,
  type ParameterValue,
  type Program,
  type Tensor,
  type Value,
} from '../engine/index.ts';

/** Packed weights of all engines together may take this much. */
const packedBytes = 2 ** 30;

export interface Lanes {
  readonly device: Device;
  /** Runs that go on at the same time. */
  readonly count: number;
  /** What computes, as far as values depend on it (`Engine.arithmetic`). */
  readonly arithmetic: string;
  /** Runs the graph named `name` on the engine that has the least to do; `graph` is asked for at an engine's first run of it. */
  run(name: string, graph: () => Tensor, feeds: Feeds): Promise<Value>;
  close(): Promise<void>;
}

export interface LanesOptions extends EngineOptions {
  parameters: ReadonlyMap<string, ParameterValue>;
  /** Bytes of the weights that an engine packs for itself. */
  weightBytes: number;
  /** Linear weights are 8-bit. */
  quantised?: boolean;
}

/** Engines on `threads` threads in all (default: the platform's processors). */
export async function openLanes(
  platform: Platform,
  { parameters, weightBytes, quantised = false, threads = platform.processors, ...options }: LanesOptions,
): Promise<Lanes> {
  const shared =
    Number.isInteger(threads) && options.backend !== 'reference' && ['cpu', 'auto'].includes(options.device ?? 'cpu');
  const { count, threadsEach } = shared ? shareThreads(threads, weightBytes) : { count: 1, threadsEach: threads };
  const first = new Lane(await openEngine(platform, { ...options, threads: threadsEach }), parameters);
  const { device } = first.engine;
  const more = device === 'cpu' ? count - 1 : 0; // `auto` may have found a graphics card
  const lanes = [
    first,
    ...(await Promise.all(
      Array.from(
        { length: more },
        async () => new Lane(await openEngine(platform, { ...options, threads: threadsEach }), parameters),
      ),
    )),
  ];
  return {
    device,
    count: lanes.length,
    arithmetic: await first.engine.arithmetic({ quantised }),
    run: (name, graph, feeds) => lanes.reduce((a, b) => (b.waiting < a.waiting ? b : a)).run(name, graph, feeds),
    close: async () => {
      await Promise.all(lanes.map((lane) => lane.engine.close()));
    },
  };
}

/** How many engines, with how many threads each. */
export function shareThreads(threads: number, weightBytes: number): { count: number; threadsEach: number } {
  const count = Math.max(1, Math.min(threads, Math.floor(packedBytes / Math.max(1, weightBytes))));
  return { count, threadsEach: Math.floor(threads / count) };
}

/** One engine, and the graphs compiled on it so far: few users want both vectors and token states. */
class Lane {
  readonly engine: Engine;
  waiting = 0;
  private readonly parameters: ReadonlyMap<string, ParameterValue>;
  private readonly programs = new Map<string, Promise<Program>>();

  constructor(engine: Engine, parameters: ReadonlyMap<string, ParameterValue>) {
    this.engine = engine;
    this.parameters = parameters;
  }

  async run(name: string, graph: () => Tensor, feeds: Feeds): Promise<Value> {
    this.waiting++;
    try {
      let program = this.programs.get(name);
      if (program === undefined) {
        program = this.engine.compile({ [name]: graph() }, { parameters: this.parameters });
        this.programs.set(name, program);
      }
      return (await (await program).run(feeds, { transfer: true }))[name]!;
    } finally {
      this.waiting--;
    }
  }
}
