"""20 steps of torch.optim.AdamW over tensors of odd lengths -> test/fixtures/adamw/torch.json.

Gradients are large and small, some of them 0; one tensor has no weight decay, as biases have none. One row of the table
never gets a gradient. Written are the start, every step's gradients, and the weights and moments after steps 1 and 20.
"""

import json
from pathlib import Path

import torch

torch.manual_seed(17)
SHAPES = {"table": (7, 4), "wide": (5, 3), "matrix": (3, 11), "bias": (13,), "one": (1,)}
NO_DECAY = {"bias", "one"}
OPTIONS = {"learningRate": 0.01, "beta1": 0.9, "beta2": 0.98, "epsilon": 1e-6, "weightDecay": 0.1}

start = {name: torch.randn(shape) for name, shape in SHAPES.items()}
params = {name: torch.nn.Parameter(value.clone()) for name, value in start.items()}
optimiser = torch.optim.AdamW(
    [
        {"params": [params[name] for name in SHAPES if name not in NO_DECAY], "weight_decay": OPTIONS["weightDecay"]},
        {"params": [params[name] for name in SHAPES if name in NO_DECAY], "weight_decay": 0.0},
    ],
    lr=OPTIONS["learningRate"],
    betas=(OPTIONS["beta1"], OPTIONS["beta2"]),
    eps=OPTIONS["epsilon"],
)
flat = lambda value: value.detach().flatten().tolist()
gradients, after = [], {}
for step in range(1, 21):
    for name, parameter in params.items():
        size = 10.0 ** torch.randint(-7, 2, SHAPES[name]).float()
        gradient = torch.randn(SHAPES[name]) * size * (torch.rand(SHAPES[name]) > 0.2)
        if name == "table":
            gradient[2] = 0
            if step % 2:
                gradient[5] = 0
        parameter.grad = gradient
    gradients.append({name: flat(parameter.grad) for name, parameter in params.items()})
    optimiser.step()
    if step in (1, 20):
        after[str(step)] = {
            name: {
                "weights": flat(parameter),
                "first": flat(optimiser.state[parameter]["exp_avg"]),
                "second": flat(optimiser.state[parameter]["exp_avg_sq"]),
            }
            for name, parameter in params.items()
        }

norms = []
for step in gradients[:2]:
    for name, parameter in params.items():
        parameter.grad = torch.tensor(step[name]).reshape(SHAPES[name])
    norms.append(float(torch.nn.utils.get_total_norm([parameter.grad.double() for parameter in params.values()])))

out = Path(__file__).resolve().parents[1] / "fixtures" / "adamw"
out.mkdir(parents=True, exist_ok=True)
fixture = {
    "made": f"torch {torch.__version__.split('+')[0]}, test/oracle/adamw.py",
    "options": OPTIONS,
    "tensors": [{"name": name, "shape": list(shape), "decay": name not in NO_DECAY} for name, shape in SHAPES.items()],
    "start": {name: flat(value) for name, value in start.items()},
    "gradients": gradients,
    "norms": norms,
    "after": after,
}
(out / "torch.json").write_text(json.dumps(fixture).replace('{"table"', '\n{"table"') + "\n")
