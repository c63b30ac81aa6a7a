"""Fusion by ranx (RRF; weighted sum after min-max) of invented runs -> test/fixtures/fuse/ranx.json."""

import json
from importlib.metadata import version
from pathlib import Path

import numpy as np
from ranx import Run, fuse

random = np.random.default_rng(11)
cases = []
for case in range(12):
    lists = []
    for _ in range(2):
        rows = random.permutation(40)[: int(random.integers(1, 25))]
        scores = np.sort(random.normal(size=len(rows)).astype(np.float32))[::-1]
        if case == 3:
            scores = np.full(len(rows), 2.5, dtype=np.float32)
        lists.append({"rows": rows.tolist(), "scores": [round(float(score), 6) for score in scores]})
    runs = [Run({"q": dict(zip(map(str, one["rows"]), map(float, one["scores"])))}) for one in lists]
    fused = {}
    for k in (10, 60, 100) if case != 3 else ():  # ranks among equal scores are anyone's choice
        fused[f"rrf{k}"] = fuse(runs, norm=None, method="rrf", params={"k": k})
    for alpha in (0.0, 0.3, 0.7, 1.0):
        fused[f"alpha{alpha}"] = fuse(runs, norm="min-max", method="wsum", params={"weights": (alpha, 1 - alpha)})
    expected = {name: {doc: round(float(score), 9) for doc, score in run.to_dict()["q"].items()} for name, run in fused.items()}
    cases.append({"lists": lists, "expected": expected})

out = Path(__file__).resolve().parents[1] / "fixtures" / "fuse"
out.mkdir(parents=True, exist_ok=True)
fixture = {"made": f"ranx {version('ranx')}, test/oracle/fuse.py", "cases": cases}
(out / "ranx.json").write_text(json.dumps(fixture).replace('{"lists"', '\n{"lists"') + "\n")
