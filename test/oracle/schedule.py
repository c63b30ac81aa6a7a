"""transformers' learning-rate schedules with warm-up -> test/fixtures/train/schedules.json (factors of updates 1 to N)."""

import json
from pathlib import Path

import torch
import transformers
from transformers import optimization

CASES = [
    {"kind": kind, "steps": steps, "warmupSteps": warmup, **({"floor": 0.1} if floor else {})}
    for kind in ("constant", "linear", "cosine")
    for steps, warmup in ((1, 0), (7, 0), (20, 3), (30, 30))
    for floor in ((False, True) if kind == "cosine" else (False,))
]


def factors(kind, steps, warmupSteps, floor=0.0):
    optimiser = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    if kind == "constant":
        schedule = optimization.get_constant_schedule_with_warmup(optimiser, warmupSteps)
    elif kind == "linear":
        schedule = optimization.get_linear_schedule_with_warmup(optimiser, warmupSteps, steps)
    elif floor:
        schedule = optimization.get_cosine_with_min_lr_schedule_with_warmup(optimiser, warmupSteps, steps, min_lr_rate=floor)
    else:
        schedule = optimization.get_cosine_schedule_with_warmup(optimiser, warmupSteps, steps)
    found = []
    for _ in range(steps):
        found.append(schedule.get_last_lr()[0])
        optimiser.step()
        schedule.step()
    return found


out = Path(__file__).resolve().parents[1] / "fixtures" / "train"
out.mkdir(parents=True, exist_ok=True)
cases = [{"options": case, "factors": factors(**case)} for case in CASES]
fixture = {"made": f"transformers {transformers.__version__}, test/oracle/schedule.py", "cases": cases}
(out / "schedules.json").write_text(json.dumps(fixture).replace('{"options"', '\n{"options"') + "\n")
