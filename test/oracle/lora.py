"""Adapters made by peft for the checkpoints of test/fixtures/models, and the states of the models with them.

    python test/oracle/lora.py          writes test/fixtures/lora/<name>/

A and B are random, so that the adapters change something. `states.safetensors` holds the last states of the sequences of
the checkpoint's own `expected.safetensors`, [tokens, hidden], each sequence alone. The configuration is kept as peft writes it.
"""

import json
from pathlib import Path

import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import load_file, save_file
from transformers import AutoModel, AutoModelForMaskedLM

FIXTURES = Path(__file__).resolve().parent.parent / "fixtures"


def fixture(name, seed, model_class=AutoModel, **settings):
    source, out = FIXTURES / "models" / name, FIXTURES / "lora" / name
    model = get_peft_model(model_class.from_pretrained(source), LoraConfig(**settings))
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for key, parameter in sorted(model.named_parameters()):
            if "lora_" in key:
                parameter.copy_(torch.randn(parameter.shape, generator=generator) * 0.3)
    model.eval()
    model.save_pretrained(out)
    (out / "README.md").unlink(missing_ok=True)
    config = json.loads((out / "adapter_config.json").read_text())
    config["base_model_name_or_path"] = name
    if isinstance(config["target_modules"], list):
        config["target_modules"].sort()
    (out / "adapter_config.json").write_text(json.dumps(config, indent=2) + "\n")
    expected = load_file(source / "expected.safetensors")
    states = []
    with torch.no_grad():
        for ids in torch.split(expected["ids"], expected["lengths"].tolist()):
            states.append(model(input_ids=ids.long().unsqueeze(0), output_hidden_states=True).hidden_states[-1][0])
    save_file({"states": torch.cat(states).contiguous()}, out / "states.safetensors")
    print(name, len(load_file(out / "adapter_model.safetensors")), "tensors")


fixture("bert", 1, r=3, lora_alpha=6)
fixture("roberta", 2, AutoModelForMaskedLM, r=2, lora_alpha=5, lora_dropout=0.1, target_modules=r".*\.(query|output\.dense)")
fixture("mpnet", 3, r=4, lora_alpha=2, use_rslora=True, target_modules=["q", "k", "v", "o"],
        rank_pattern={"attn.q": 2}, alpha_pattern={"layer.0.attention.attn.v": 3})
fixture("modernbert", 4, r=2, lora_alpha=4, target_modules="all-linear")
