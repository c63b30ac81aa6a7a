"""Training steps by PyTorch and transformers, for bench/train.ts and bench/memory.ts.

    torch_step.py MODEL_FOLDER THREADS      prints "ready", then reads a file name a line: {"batches": [[[ids], [ids], ...], ...]}, anchors first

Each line's answer is the seconds of a step (median over the batches, one step a batch): padded encoding of all
sequences, mean pooling, multiple negatives ranking, backward pass, clipping and fused AdamW.
"""

import json
import statistics
import sys
import time
from pathlib import Path

import torch
from transformers import AutoModel

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "test" / "oracle"))
from pair_vectors import embed, without_dropout

folder, threads = sys.argv[1], int(sys.argv[2])
torch.set_num_threads(threads)
model = without_dropout(AutoModel.from_pretrained(folder))
trained = [p for p in model.parameters() if p.requires_grad]
optimizer = torch.optim.AdamW(trained, lr=2e-5, fused=True)


def step(sequences):
    n = len(sequences) // 2
    anchors, positives = embed(model, sequences[:n]), embed(model, sequences[n:])
    loss = torch.nn.functional.cross_entropy(anchors @ positives.T * 20, torch.arange(n))
    optimizer.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(trained, 1.0)
    optimizer.step()
    return float(loss)


print("ready", flush=True)
for line in sys.stdin:
    with open(line.strip()) as file:
        batches = json.load(file)["batches"]
    seconds = []
    for batch in batches:
        started = time.perf_counter()
        step(batch)
        seconds.append(time.perf_counter() - started)
    print(statistics.median(seconds), flush=True)
