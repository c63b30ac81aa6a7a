"""Fifty steps of contrastive fine-tuning of the small checkpoints, by PyTorch, transformers, sentence-transformers and peft.

    python test/oracle/training.py          writes test/fixtures/training/

Multiple negatives ranking over mean-pooled, normalised vectors with scale 20, AdamW without decay on norms and biases, gradients
clipped to norm 1, linear warm-up over 5 steps and linear decay, dropout 0. Five batches of eight pairs of unequal lengths,
taken in turn.

    <name>.json             full fine-tuning of the checkpoint
    <name>-negatives.json   the same with a hard negative a pair, by sentence-transformers' loss
    <name>-lora.json        LoRA by peft; its untrained adapter in <name>-lora/
"""

import json
import math
import shutil
from pathlib import Path

import torch
from pair_vectors import embed, without_dropout
from peft import LoraConfig, get_peft_model
from sentence_transformers.sentence_transformer import losses
from transformers import AutoModel, get_linear_schedule_with_warmup

FIXTURES = Path(__file__).resolve().parent.parent / "fixtures"
OUT = FIXTURES / "training"
STEPS, WARMUP, DECAY, SCALE = 50, 5, 0.01, 20.0
RATES = {"roberta": 4e-4, "mpnet": 4e-4, "modernbert": 2e-4}
ADAPTERS = {
    "roberta": (6e-3, {"r": 4, "lora_alpha": 8, "target_modules": ["query", "value"]}),
    "modernbert": (1e-3, {"r": 3, "lora_alpha": 3, "use_rslora": True, "target_modules": "all-linear"}),
}


def draws(generator):
    return lambda low, high: int(torch.randint(low, high, (1,), generator=generator))


def pairs(vocabulary, generator):
    """An anchor, and a positive that repeats half of its tokens."""
    draw = draws(generator)
    batches = []
    for _ in range(5):
        batch = []
        for _ in range(8):
            anchor = [draw(5, vocabulary) for _ in range(draw(4, 16))]
            rest = [draw(5, vocabulary) for _ in range(draw(1, 10))]
            batch.append(([2, *anchor, 3], [2, *rest, *anchor[: (len(anchor) + 1) // 2], 3]))
        batches.append(batch)
    return batches


def with_negatives(batches, vocabulary, generator):
    """To each pair a text that repeats a quarter of the anchor's tokens."""
    draw = draws(generator)
    return [
        [(a, b, [2, *[draw(5, vocabulary) for _ in range(draw(2, 12))], *a[1 : 1 + len(a) // 4], 3]) for a, b in batch]
        for batch in batches
    ]


def in_batch(columns):
    anchors, positives = columns
    return torch.nn.functional.cross_entropy(anchors @ positives.T * SCALE, torch.arange(len(anchors)))


def sentence_transformers_loss(columns):
    loss = losses.MultipleNegativesRankingLoss(torch.nn.Identity(), scale=SCALE)
    return loss.compute_loss_from_embeddings(columns, None)


def train(model, batches, rate, loss_of=in_batch):
    trained = [(name, p) for name, p in model.named_parameters() if p.requires_grad]
    plain = [p for name, p in trained if p.ndim < 2]
    decayed = [p for name, p in trained if p.ndim >= 2]
    optimizer = torch.optim.AdamW(
        [{"params": decayed, "weight_decay": DECAY}, {"params": plain, "weight_decay": 0.0}], lr=rate
    )
    schedule = get_linear_schedule_with_warmup(optimizer, WARMUP, STEPS)
    values, norms = [], []
    for step in range(STEPS):
        batch = batches[step % len(batches)]
        loss = loss_of([embed(model, column) for column in zip(*batch)])
        optimizer.zero_grad()
        loss.backward()
        norms.append(float(torch.nn.utils.clip_grad_norm_([p for _, p in trained], 1.0)))
        optimizer.step()
        schedule.step()
        values.append(float(loss))
    assert sum(values[-5:]) < 0.8 * sum(values[:5]), values
    assert all(map(math.isfinite, values))
    with torch.no_grad():
        vectors = embed(model, [example[0] for example in batches[0]])
    return {"losses": values, "norms": norms, "vectors": [[float(x) for x in row] for row in vectors]}


def load(name):
    torch.manual_seed(0)
    return AutoModel.from_pretrained(FIXTURES / "models" / name, attn_implementation="eager").float()


def write(name, rate, batches, result):
    settings = {"steps": STEPS, "warmup": WARMUP, "learningRate": rate, "weightDecay": DECAY, "scale": SCALE}
    (OUT / f"{name}.json").write_text(json.dumps({"settings": settings, "batches": batches, **result}) + "\n")
    print(name, result["losses"][0], "->", result["losses"][-1], "norm", result["norms"][0])


def adapted(name, settings):
    model = get_peft_model(without_dropout(load(name)), LoraConfig(lora_dropout=0.0, **settings))
    folder = OUT / f"{name}-lora"
    shutil.rmtree(folder, ignore_errors=True)
    model.save_pretrained(folder)
    (folder / "README.md").unlink(missing_ok=True)
    config = json.loads((folder / "adapter_config.json").read_text())
    config["base_model_name_or_path"] = name
    if isinstance(config["target_modules"], list):
        config["target_modules"].sort()
    (folder / "adapter_config.json").write_text(json.dumps(config, indent=2) + "\n")
    return model.train()


def main():
    OUT.mkdir(exist_ok=True)
    batches = {}
    for name, rate in RATES.items():
        model = without_dropout(load(name))
        batches[name] = pairs(model.config.vocab_size, torch.Generator().manual_seed(1))
        write(name, rate, batches[name], train(model, batches[name], rate))
    model = without_dropout(load("mpnet"))
    triples = with_negatives(batches["mpnet"], model.config.vocab_size, torch.Generator().manual_seed(2))
    write("mpnet-negatives", RATES["mpnet"], triples, train(model, triples, RATES["mpnet"], sentence_transformers_loss))
    for name, (rate, settings) in ADAPTERS.items():
        write(f"{name}-lora", rate, batches[name], train(adapted(name, settings), batches[name], rate))


main()
