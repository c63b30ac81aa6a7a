/**
 * What can compute here, found out by computing: ONNX Runtime names CUDA and TensorRT on every Linux, and WebGPU on every
 * machine, whether or not their libraries and drivers are there. Each device multiplies two small matrices in a process of
 * its own, so that a driver that crashes or hangs takes nothing along.
 */
import { fork } from 'node:child_process';
import { workerUrl } from '../base/platform.ts';
import type { DeviceAnswer } from './device.child.ts';

export const devices = ['cpu', 'webgpu', 'cuda'] as const;
export type DeviceName = (typeof devices)[number];

export interface DeviceState {
  device: DeviceName;
  works: boolean;
  /** Why it does not. */
  reason?: string;
  /** What it needs. */
  needs?: string;
}

const needs: Record<DeviceName, string> = {
  cpu: 'the packages as they were installed: install them again',
  webgpu: 'a graphics card with a Vulkan, Metal or Direct3D 12 driver',
  cuda: 'Linux on x64, an NVIDIA card with CUDA 12 and cuDNN 9, and `ONNXRUNTIME_NODE_INSTALL=cuda12 npm rebuild onnxruntime-node`',
};

/** Tries every device at once; one that has not answered after `limitMs` counts as not working. */
export function probeDevices({ limitMs = 15_000 }: { limitMs?: number } = {}): Promise<DeviceState[]> {
  return Promise.all(devices.map((device) => probe(device, limitMs)));
}

function probe(device: DeviceName, limitMs: number): Promise<DeviceState> {
  return new Promise((resolve) => {
    let answer: DeviceAnswer | undefined;
    const child = fork(workerUrl(import.meta.url, './device.child'), [device], {
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      execArgv: [],
    });
    const timer = setTimeout(() => {
      answer ??= { works: false, reason: `it did not answer within ${limitMs / 1000} s` };
      child.kill('SIGKILL');
    }, limitMs);
    child.on('message', (message) => {
      answer ??= message as DeviceAnswer;
      child.kill(); // some drivers never let go
    });
    const done = (fallback: string) => {
      clearTimeout(timer);
      const { works, reason } = answer ?? { works: false, reason: fallback };
      resolve(works ? { device, works } : { device, works, reason: reason ?? fallback, needs: needs[device] });
    };
    child.on('error', (error) => done(error.message));
    child.on('exit', (code, signal) => done(`it crashed (${signal ?? `exit code ${code}`})`));
  });
}
