"""Runs an exported model in Python's onnxruntime: a check on what `patentlab export --to onnx` writes.

    python test/oracle/run_onnx.py FOLDER BATCH.json OUT.json

BATCH.json: {"texts": [...]}, tokenised by the folder's own tokenizer, or {"ids": [[...], ...], "pad": 0}.
OUT.json: ids as they were fed, and sentence_embedding. The model must pass ONNX's own checker and hold no op but ONNX's.
Without arguments it does nothing, so that the scripts of this folder can be run one after another.
"""

import json
import sys
from pathlib import Path


def main(folder, batch, out):
    import numpy as np
    import onnx
    import onnxruntime

    path = str(Path(folder) / "onnx" / "model.onnx")
    onnx.checker.check_model(path, full_check=True)
    assert {entry.domain for entry in onnx.load(path, load_external_data=False).opset_import} == {""}
    batch = json.loads(Path(batch).read_text())
    if "texts" in batch:
        from transformers import AutoTokenizer

        tokenizer = AutoTokenizer.from_pretrained(folder)
        feeds = dict(tokenizer(batch["texts"], padding=True, truncation=True, return_tensors="np"))
        ids = [row[mask == 1].tolist() for row, mask in zip(feeds["input_ids"], feeds["attention_mask"])]
    else:
        ids = batch["ids"]
        longest = max(map(len, ids))
        feeds = {
            "input_ids": np.array([row + [batch["pad"]] * (longest - len(row)) for row in ids]),
            "attention_mask": np.array([[1] * len(row) + [0] * (longest - len(row)) for row in ids]),
        }
        feeds["token_type_ids"] = np.zeros_like(feeds["input_ids"])
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    names = {node.name for node in session.get_inputs()}
    feeds = {name: np.asarray(value, dtype=np.int64) for name, value in feeds.items() if name in names}
    (vectors,) = session.run(["sentence_embedding"], feeds)
    Path(out).write_text(json.dumps({"ids": ids, "vectors": vectors.tolist()}))


if __name__ == "__main__" and len(sys.argv) > 1:
    main(*sys.argv[1:])
