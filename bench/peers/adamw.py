"""Median seconds of a step of torch.optim.AdamW over the 22.7 million parameters of MiniLM-L6, one thread.

    python adamw.py foreach|fused|clip

`clip`: clip_grad_norm_ and the fused step.
"""

import statistics
import sys
import time

import torch

mode = sys.argv[1]
torch.set_num_threads(1)
torch.manual_seed(1)
HIDDEN, INNER = 384, 1536
shapes = [(30522, HIDDEN), (512, HIDDEN), (2, HIDDEN), (HIDDEN,), (HIDDEN,)]
for _ in range(6):
    for out, width in [(HIDDEN, HIDDEN)] * 4 + [(INNER, HIDDEN), (HIDDEN, INNER)]:
        shapes += [(out, width), (out,)]
    shapes += [(HIDDEN,)] * 4
parameters = [torch.nn.Parameter(torch.rand(shape) - 0.5) for shape in shapes]
for parameter in parameters:
    parameter.grad = (torch.rand(parameter.shape) - 0.5) * 1e-3
groups = [
    {"params": [one for one in parameters if one.ndim > 1], "weight_decay": 0.01},
    {"params": [one for one in parameters if one.ndim == 1], "weight_decay": 0.0},
]
kind = {"foreach": True} if mode == "foreach" else {"fused": True}
optimiser = torch.optim.AdamW(groups, lr=2e-5, **kind)


def step():
    if mode == "clip":
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
    optimiser.step()


step()
step()
seconds = []
for _ in range(15):
    started = time.perf_counter()
    step()
    seconds.append(time.perf_counter() - started)
print(statistics.median(seconds))
