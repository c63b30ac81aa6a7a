"""Training steps by PyTorch and transformers, for bench/train.ts.

    torch_step.py MODEL_FOLDER THREADS      reads a file name a line: {"batches": [[[ids], [ids], ...], ...]}, anchors first

Each line's answer is the seconds of a step (median over the batches, one step a batch): padded encoding of all
sequences, mean pooling, multiple negatives ranking, backward pass, clipping and fused AdamW.
"""

import json
import statistics
import sys
import time

import torch
from transformers import AutoModel

folder, threads = sys.argv[1], int(sys.argv[2])
torch.set_num_threads(threads)
model = AutoModel.from_pretrained(folder).train()
if getattr(model, "pooler", None) is not None:
    model.pooler.requires_grad_(False)
for module in model.modules():
    if isinstance(module, torch.nn.Dropout):
        module.p = 0.0
trained = [p for p in model.parameters() if p.requires_grad]
optimizer = torch.optim.AdamW(trained, lr=2e-5, fused=True)


def embed(sequences):
    longest = max(map(len, sequences))
    ids = torch.zeros(len(sequences), longest, dtype=torch.long)
    mask = torch.zeros(len(sequences), longest, dtype=torch.long)
    for row, sequence in enumerate(sequences):
        ids[row, : len(sequence)] = torch.tensor(sequence)
        mask[row, : len(sequence)] = 1
    states = model(input_ids=ids, attention_mask=mask).last_hidden_state
    weights = mask.unsqueeze(-1).float()
    return torch.nn.functional.normalize((states * weights).sum(1) / weights.sum(1), dim=1)


def step(sequences):
    n = len(sequences) // 2
    anchors, positives = embed(sequences[:n]), embed(sequences[n:])
    loss = torch.nn.functional.cross_entropy(anchors @ positives.T * 20, torch.arange(n))
    optimizer.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(trained, 1.0)
    optimizer.step()
    return float(loss)


for line in sys.stdin:
    with open(line.strip()) as file:
        batches = json.load(file)["batches"]
    seconds = []
    for batch in batches:
        started = time.perf_counter()
        step(batch)
        seconds.append(time.perf_counter() - started)
    print(statistics.median(seconds), flush=True)
