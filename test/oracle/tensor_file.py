"""A small file as Python's safetensors writes it, several dtypes, an empty tensor and a scalar among them.

    python test/oracle/tensor_file.py       writes test/fixtures/safetensors/mixed.safetensors

`half.values` and `brain.values` hold every 16-bit pattern's worth of interesting bits, and `*.wide` what PyTorch widens
them to.
"""

from pathlib import Path

import torch
from safetensors.torch import save_file

OUT = Path(__file__).resolve().parent.parent / "fixtures" / "safetensors"
OUT.mkdir(parents=True, exist_ok=True)
bits = torch.arange(0, 65536, 97, dtype=torch.int32)
edge = torch.tensor([0, 1, 2, 0x3FF, 0x400, 0x7BFF, 0x7C00, 0x8000, 0x8001, 0x83FF, 0xFBFF, 0xFC00, 0x7F80, 0xFF80, 0x0080, 0x007F])
bits = torch.cat([bits, edge.to(torch.int32)]).to(torch.int16)
half, brain = bits.view(torch.float16), bits.clone().view(torch.bfloat16)
save_file(
    {
        "zeta": torch.arange(6, dtype=torch.float32).reshape(2, 3) / 7,
        "alpha": torch.tensor([2**53 - 1, -(2**60)], dtype=torch.int64),
        "empty": torch.zeros(3, 0, 2),
        "scalar": torch.tensor(2.5, dtype=torch.float64),
        "mask": torch.tensor([True, False, True]),
        "bytes": torch.tensor([1, 200, 255], dtype=torch.uint8),
        "signed": torch.tensor([[-1], [127]], dtype=torch.int8),
        "half.values": half,
        "half.wide": half.to(torch.float32).nan_to_num(nan=0.0, posinf=float("inf"), neginf=float("-inf")),
        "brain.values": brain,
        "brain.wide": brain.to(torch.float32).nan_to_num(nan=0.0, posinf=float("inf"), neginf=float("-inf")),
        "naïve ✓": torch.tensor([1, 2], dtype=torch.int32),
    },
    OUT / "mixed.safetensors",
    metadata={"format": "pt"},
)
