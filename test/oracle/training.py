"""Fifty steps of contrastive fine-tuning of the small checkpoints, by PyTorch and transformers.

    python test/oracle/training.py          writes test/fixtures/training/<name>.json

Full fine-tuning (and LoRA on query and value, where the architecture names them so): multiple negatives ranking over
mean-pooled, normalised vectors with scale 20, AdamW without decay on norms and biases, gradients clipped to norm 1, linear
warm-up over 5 steps and linear decay, dropout 0. Five batches of eight pairs of unequal lengths, taken in turn.
"""

import json
import math
from pathlib import Path

import torch
from transformers import AutoModel, get_linear_schedule_with_warmup

FIXTURES = Path(__file__).resolve().parent.parent / "fixtures"
STEPS, WARMUP, DECAY, SCALE = 50, 5, 0.01, 20.0
RATES = {"roberta": 4e-4, "mpnet": 4e-4, "modernbert": 2e-4}


def pairs(vocabulary, generator):
    """An anchor, and a positive that repeats half of its tokens."""

    def draw(low, high):
        return int(torch.randint(low, high, (1,), generator=generator))

    batches = []
    for _ in range(5):
        batch = []
        for _ in range(8):
            anchor = [draw(5, vocabulary) for _ in range(draw(4, 16))]
            rest = [draw(5, vocabulary) for _ in range(draw(1, 10))]
            batch.append(([2, *anchor, 3], [2, *rest, *anchor[: (len(anchor) + 1) // 2], 3]))
        batches.append(batch)
    return batches


def embed(model, sequences):
    longest = max(map(len, sequences))
    ids = torch.zeros(len(sequences), longest, dtype=torch.long)
    mask = torch.zeros(len(sequences), longest, dtype=torch.long)
    for row, sequence in enumerate(sequences):
        ids[row, : len(sequence)] = torch.tensor(sequence)
        mask[row, : len(sequence)] = 1
    states = model(input_ids=ids, attention_mask=mask).last_hidden_state
    weights = mask.unsqueeze(-1).float()
    return torch.nn.functional.normalize((states * weights).sum(1) / weights.sum(1), dim=1)


def train(model, batches, rate):
    trained = [(name, p) for name, p in model.named_parameters() if p.requires_grad]
    plain = [p for name, p in trained if p.ndim < 2]
    decayed = [p for name, p in trained if p.ndim >= 2]
    optimizer = torch.optim.AdamW(
        [{"params": decayed, "weight_decay": DECAY}, {"params": plain, "weight_decay": 0.0}], lr=rate
    )
    schedule = get_linear_schedule_with_warmup(optimizer, WARMUP, STEPS)
    losses, norms = [], []
    for step in range(STEPS):
        batch = batches[step % len(batches)]
        anchors = embed(model, [a for a, _ in batch])
        positives = embed(model, [b for _, b in batch])
        loss = torch.nn.functional.cross_entropy(anchors @ positives.T * SCALE, torch.arange(len(batch)))
        optimizer.zero_grad()
        loss.backward()
        norms.append(float(torch.nn.utils.clip_grad_norm_([p for _, p in trained], 1.0)))
        optimizer.step()
        schedule.step()
        losses.append(float(loss))
    assert sum(losses[-5:]) < 0.8 * sum(losses[:5]), losses
    assert all(map(math.isfinite, losses))
    with torch.no_grad():
        vectors = embed(model, [a for a, _ in batches[0]])
    return {"losses": losses, "norms": norms, "vectors": [[float(x) for x in row] for row in vectors]}


def main():
    out = FIXTURES / "training"
    out.mkdir(exist_ok=True)
    for name in ["roberta", "mpnet", "modernbert"]:
        torch.manual_seed(0)
        model = AutoModel.from_pretrained(FIXTURES / "models" / name, attn_implementation="eager").float().train()
        if hasattr(model, "pooler") and model.pooler is not None:
            model.pooler.requires_grad_(False)
        for module in model.modules():
            if isinstance(module, torch.nn.Dropout):
                module.p = 0.0
        vocabulary = model.config.vocab_size
        batches = pairs(vocabulary, torch.Generator().manual_seed(1))
        result = train(model, batches, RATES[name])
        settings = {"steps": STEPS, "warmup": WARMUP, "learningRate": RATES[name], "weightDecay": DECAY, "scale": SCALE}
        text = json.dumps({"settings": settings, "batches": batches, **result})
        (out / f"{name}.json").write_text(text + "\n")
        print(name, result["losses"][0], "->", result["losses"][-1], "norm", result["norms"][0])


main()
