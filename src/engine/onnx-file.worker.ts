/** The worker of `runOnnxFile`: one model file, one run. */
import { parentPort } from 'node:worker_threads';
import * as ort from 'onnxruntime-node';
import type { OnnxFileReply, OnnxFileRequest } from './onnx-file.ts';
import { wireValues } from './training-host.ts';

parentPort!.once('message', async ({ path, threads, feeds }: OnnxFileRequest) => {
  try {
    const session = await ort.InferenceSession.create(path, { intraOpNumThreads: threads, logSeverityLevel: 3 });
    const taken: Record<string, ort.Tensor> = {};
    for (const { name, dtype, data, shape } of feeds)
      if (session.inputNames.includes(name)) taken[name] = new ort.Tensor(dtype, data as never, shape);
    const { value, transfer } = wireValues(await session.run(taken));
    await session.release();
    parentPort!.postMessage({ results: value } satisfies OnnxFileReply, transfer);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    parentPort!.postMessage({ error: message } satisfies OnnxFileReply);
  }
});
