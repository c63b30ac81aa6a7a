"""Vectors of a few own sentences by sentence-transformers, for all-MiniLM-L6-v2: test/fixtures/minilm/{texts.json,vectors.npy}.

The checkpoint is the folder all-MiniLM-L6-v2 under PATENTLAB_TEST_MODELS.
"""

import json
import os
import pathlib

import numpy
from sentence_transformers import SentenceTransformer

OUT = pathlib.Path(__file__).parent.parent / "fixtures" / "minilm"

TEXTS = [
    "An ultrasonic transducer with a hollow lens.",
    "A banana.",
    "",
    "  \n ",
    "A catheter comprising an elongated tube, a rotating imaging core and a drive cable; see FIG. 3A.",
    "Ultraschallwandler für die naïve Prüfung bei 37 °C (10–20 µm).",
    "超音波変換器",
    "NΣ of 5.0 MHz pulses, H₂O at ½ bar … [SEP] said probe",
    "1. A method of measuring flow in a vessel, the method comprising: emitting pulses; receiving echoes; and "
    "estimating a Doppler shift from the echoes.",
    # Longer than the 256 tokens that the model reads.
    " ".join(
        f"{i}. The sensor of claim {max(1, i - 1)}, wherein the membrane has a thickness of {i * 3} micrometres." for i in range(1, 60)
    ),
]

if __name__ == "__main__":
    folder = pathlib.Path(os.environ["PATENTLAB_TEST_MODELS"]) / "all-MiniLM-L6-v2"
    model = SentenceTransformer(str(folder), device="cpu")
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / "texts.json").write_text(json.dumps(TEXTS, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    numpy.save(OUT / "vectors.npy", model.encode(TEXTS, batch_size=4).astype("float32"))
