"""Where transformers drops in training, and at which of its configuration's rates.

    python test/oracle/dropout.py            writes test/fixtures/dropout/<name>.json

The checkpoints of models.py in training mode, with rates that differ by kind, and every dropout x -> x * (1 - rate): no draw, so
that the states tell where each one stands and which rate it reads. Each sequence alone, eager attention.
"""

import json
from pathlib import Path

import torch
from transformers import AutoModel

FIXTURES = Path(__file__).resolve().parent.parent / "fixtures"
POST_NORM = {"hidden_dropout_prob": 0.1, "attention_probs_dropout_prob": 0.3}
RATES = {
    "bert": POST_NORM,
    "roberta": POST_NORM,
    "xlm-roberta": POST_NORM,
    "mpnet": POST_NORM,
    "modernbert": {"embedding_dropout": 0.1, "attention_dropout": 0.3, "mlp_dropout": 0.2},
}
SEQUENCES = [[2, 9, 8, 7, 9, 9, 3], [2, 30, 3]]


def shrink(x, p=0.5, training=True, inplace=False):
    return x * (1 - p) if training else x


torch.nn.functional.dropout = shrink
(FIXTURES / "dropout").mkdir(exist_ok=True)
for name, rates in RATES.items():
    model = AutoModel.from_pretrained(FIXTURES / "models" / name, attn_implementation="eager", **rates).train()
    with torch.no_grad():
        states = [model(torch.tensor([ids])).last_hidden_state[0] for ids in SEQUENCES]
        still = [model.eval()(torch.tensor([ids])).last_hidden_state[0] for ids in SEQUENCES]
    assert max((a - b).abs().max().item() for a, b in zip(states, still)) > 0.01, name
    values = [round(value, 6) for value in torch.cat(states).flatten().tolist()]
    (FIXTURES / "dropout" / f"{name}.json").write_text(
        json.dumps({"rates": rates, "sequences": SEQUENCES, "states": values}, separators=(",", ":")) + "\n"
    )
