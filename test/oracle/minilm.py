"""The real all-MiniLM-L6-v2: token states and embeddings as sentence-transformers computes them.

    python test/oracle/minilm.py FOLDER       FOLDER holds the checkpoint; writes test/fixtures/models/minilm.safetensors
"""

import sys
from pathlib import Path

import torch
from safetensors.torch import save_file
from sentence_transformers import SentenceTransformer

OUT = Path(__file__).resolve().parent.parent / "fixtures" / "models" / "minilm.safetensors"
SHORT = [
    "An ultrasound probe comprises an array of piezoelectric elements.",
    "A method",
    "The controller 12 (see FIG. 3) adjusts the gain, wherein the time-gain compensation is computed per scan line.",
]
LONG = [
    "A system for imaging tissue, comprising: a transducer; a beamformer coupled to the transducer; and a display. " * k
    for k in (2, 5, 9, 14)
]

model = SentenceTransformer(sys.argv[1], device="cpu")
model.eval()
tensors = {}
sequences = []
with torch.no_grad():
    for text in SHORT + LONG:
        features = model.tokenize([text])
        sequences.append(features["input_ids"][0])
        if text in SHORT:
            states = model[0]({key: value for key, value in features.items()})["token_embeddings"][0]
            tensors[f"states.{len(sequences) - 1}"] = states.contiguous()
    tensors["vectors"] = torch.from_numpy(model.encode(SHORT + LONG)).contiguous()
tensors["ids"] = torch.cat(sequences).to(torch.int32)
tensors["lengths"] = torch.tensor([len(sequence) for sequence in sequences], dtype=torch.int32)
save_file(tensors, OUT)
print(tensors["lengths"].tolist(), OUT.stat().st_size, "bytes")
