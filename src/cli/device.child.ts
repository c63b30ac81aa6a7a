/** Multiplies two small matrices on the device named as the argument and tells the parent process whether that worked. */
import { nodePlatform } from '../base/node/platform.ts';
import { input, matmul, openEngine } from '../engine/index.ts';
import type { DeviceName } from './devices.ts';

export interface DeviceAnswer {
  works: boolean;
  reason?: string;
}

async function answer(device: DeviceName): Promise<DeviceAnswer> {
  try {
    const engine = await openEngine(nodePlatform, { device, threads: 1 });
    const y = matmul(input('a', 'float32', [2, 2]), input('b', 'float32', [2, 2]));
    const program = await engine.compile({ y });
    const feed = (...values: number[]) => ({ data: Float32Array.from(values), shape: [2, 2] });
    const { y: product } = await program.run({ a: feed(1, 2, 3, 4), b: feed(5, 6, 7, 8) });
    const right = [19, 22, 43, 50].every((value, i) => product!.floats[i] === value);
    return right ? { works: true } : { works: false, reason: `it computes wrongly: ${product!.floats.join(' ')}` };
  } catch (error) {
    const [reason] = (error instanceof Error ? error.message : String(error)).split('\n');
    return { works: false, reason: reason! };
  }
}

process.send!(await answer(process.argv[2] as DeviceName), () => process.disconnect());
