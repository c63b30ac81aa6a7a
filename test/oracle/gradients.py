"""Gradients of whole encoders as PyTorch computes them in float64, from the committed checkpoints of models.py.

    python test/oracle/gradients.py       writes test/fixtures/gradients/{bert,mpnet,modernbert}.safetensors

The loss: states of the last layer are averaged over each sequence (lengths unequal), normalised to length 1 as u, and
loss = mean over i, j of (u_i . u_j - ((3 i + 5 j) mod 7) / 7)^2. Stored: `loss` and every parameter's gradient as float32,
by its name in the checkpoint without the model's prefix.
"""

from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from transformers import AutoConfig, AutoModel

FIXTURES = Path(__file__).resolve().parent.parent / "fixtures"
OUT = FIXTURES / "gradients"
OUT.mkdir(parents=True, exist_ok=True)

for name in ["bert", "mpnet", "modernbert"]:
    folder = FIXTURES / "models" / name
    config = AutoConfig.from_pretrained(folder)
    model = AutoModel.from_pretrained(folder, config=config, attn_implementation="eager").double().eval()
    given = load_file(folder / "expected.safetensors")
    lengths = given["lengths"].tolist()
    rows, start = [], 0
    for length in lengths:  # one by one: eager attention within a window gives NaN for rows of padding
        span = slice(start, start + length)
        more = {"token_type_ids": given["segments"][None, span].long()} if "segments" in given else {}
        states = model(input_ids=given["ids"][None, span].long(), **more).last_hidden_state  # [1, length, hidden]
        rows.append(states[0].mean(0))
        start += length
    u = torch.nn.functional.normalize(torch.stack(rows), dim=1)
    n = len(lengths)
    i, j = torch.meshgrid(torch.arange(n), torch.arange(n), indexing="ij")
    loss = ((u @ u.T - ((3 * i + 5 * j) % 7) / 7) ** 2).mean()
    loss.backward()
    grads = {key: p.grad.float().contiguous() for key, p in model.named_parameters() if p.grad is not None}
    save_file({**grads, "loss": loss.detach().float()}, OUT / f"{name}.safetensors")
    print(name, loss.item(), len(grads), n, lengths)
