"""Small random checkpoints of every architecture with the hidden states after each layer, made by transformers.

    python test/oracle/models.py            writes test/fixtures/models/<name>/

Each folder is a checkpoint as its users save it (config.json, model.safetensors, the sentence-transformers files) and
`expected.safetensors`: the token ids of sequences of unequal length laid end to end, and the states of all of them after
the embeddings and after every layer, [tokens, hidden]. The states come from a batch padded on the right; the script
requires that padding on the left and no padding at all give the same ones.
"""

import json
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from sentence_transformers.models import Dense
from transformers import (
    BertConfig,
    BertModel,
    ModernBertConfig,
    ModernBertForMaskedLM,
    MPNetConfig,
    MPNetModel,
    RobertaConfig,
    RobertaForMaskedLM,
    XLMRobertaConfig,
    XLMRobertaModel,
)

OUT = Path(__file__).resolve().parent.parent / "fixtures" / "models"
TOLERANCE = 2e-6


def randomise(model, seed):
    """Norms and biases away from their initial ones and zeros, weights large enough for the softmax to matter."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in sorted(model.named_parameters()):
            noise = torch.randn(parameter.shape, generator=generator)
            if "norm" in name.lower() and name.endswith("weight"):
                parameter.copy_(1 + 0.3 * noise)
            elif name.endswith("bias") and parameter.dim() == 1:
                parameter.copy_(0.3 * noise)
            elif "embed" in name:
                parameter.copy_(0.5 * noise)
            else:
                parameter.copy_(noise * 1.2 / parameter.shape[-1] ** 0.5)
    return model.eval()


def states(model, sequences, segments, pad, side, explicit_positions):
    """States after the embeddings and each layer of every sequence, laid end to end."""
    longest = max(map(len, sequences))
    ids = torch.full((len(sequences), longest), pad)
    mask = torch.zeros_like(ids)
    types = torch.zeros_like(ids)
    positions = torch.zeros_like(ids)
    for row, sequence in enumerate(sequences):
        n = len(sequence)
        where = slice(0, n) if side == "right" else slice(longest - n, longest)
        ids[row, where] = torch.tensor(sequence)
        mask[row, where] = 1
        positions[row, where] = torch.arange(n)
        if segments is not None:
            types[row, where] = torch.tensor(segments[row])
    arguments = {"input_ids": ids, "attention_mask": mask, "output_hidden_states": True}
    if segments is not None:
        arguments["token_type_ids"] = types
    if explicit_positions:
        arguments["position_ids"] = positions
    with torch.no_grad():
        hidden = model(**arguments).hidden_states
    return [state[mask.bool()] for state in hidden]


def pooled(last, lengths, how):
    parts = torch.split(last, lengths)
    if how == "cls":
        return torch.stack([part[0] for part in parts])
    return torch.stack([part.mean(dim=0) for part in parts])


def write_json(path, value):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=2) + "\n")


def fixture(name, model, lengths, *, seed, pooling, segments=False, explicit_positions=False, normalise=True,
            dense=None, extra=None, first_id=5, prompts=None):
    folder = OUT / name
    folder.mkdir(parents=True, exist_ok=True)
    randomise(model, seed)
    config = model.config
    generator = torch.Generator().manual_seed(seed + 1)
    sequences = [
        torch.randint(first_id, config.vocab_size, (n,), generator=generator).tolist() for n in lengths
    ]
    types = [[int(i >= n // 2) for i in range(n)] for n in lengths] if segments else None
    run = lambda seqs, kinds, side: states(model, seqs, kinds, config.pad_token_id, side, explicit_positions)
    right = run(sequences, types, "right")
    left = run(sequences, types, "left")
    single = [run([s], types and [types[i]], "right") for i, s in enumerate(sequences)]
    for layer, state in enumerate(right):
        alone = torch.cat([one[layer] for one in single])
        worst = max((state - left[layer]).abs().max().item(), (state - alone).abs().max().item())
        assert worst < TOLERANCE * max(1, state.abs().max().item()), (name, layer, worst)
    tensors = {f"hidden.{layer}": state.contiguous() for layer, state in enumerate(right)}
    tensors["ids"] = torch.tensor(sum(sequences, []), dtype=torch.int32)
    tensors["lengths"] = torch.tensor(lengths, dtype=torch.int32)
    if types is not None:
        tensors["segments"] = torch.tensor(sum(types, []), dtype=torch.int32)

    model.save_pretrained(folder)
    weights = load_file(folder / "model.safetensors")
    if extra is not None:
        weights.update(extra)
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})

    plain = run(sequences, None, "right")[-1]  # what an encoder of single texts sees: all segments 0
    vectors = pooled(plain, lengths, pooling)
    modules = [
        {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
        {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
    ]
    write_json(folder / "1_Pooling/config.json", {
        "word_embedding_dimension": config.hidden_size,
        "pooling_mode_cls_token": pooling == "cls",
        "pooling_mode_mean_tokens": pooling == "mean",
        "pooling_mode_max_tokens": False,
        "pooling_mode_mean_sqrt_len_tokens": False,
    })
    if dense is not None:
        layer = Dense(config.hidden_size, dense, activation_function=torch.nn.Tanh())
        randomise(layer, seed + 2)
        (folder / "2_Dense").mkdir(exist_ok=True)
        layer.save(str(folder / "2_Dense"))
        with torch.no_grad():
            vectors = layer({"sentence_embedding": vectors})["sentence_embedding"]
        modules.append({"idx": 2, "name": "2", "path": "2_Dense", "type": "sentence_transformers.models.Dense"})
    if normalise:
        vectors = torch.nn.functional.normalize(vectors, dim=1)
        at = len(modules)
        modules.append({"idx": at, "name": str(at), "path": f"{at}_Normalize",
                        "type": "sentence_transformers.models.Normalize"})
    write_json(folder / "modules.json", modules)
    longest = max(lengths)
    write_json(folder / "sentence_bert_config.json", {"max_seq_length": longest, "do_lower_case": False})
    if prompts is not None:
        write_json(folder / "config_sentence_transformers.json", prompts)
    tensors["vectors"] = vectors.contiguous()
    save_file(tensors, folder / "expected.safetensors")
    print(name, sum(p.numel() for p in model.parameters()), "parameters;",
          round(sum(f.stat().st_size for f in folder.rglob("*") if f.is_file()) / 1024), "KB")


def halves(source, target, dtype):
    """The same weights in 16 bits: as stored, and rounded back to 32 bits as the reader must give them."""
    weights = {name: tensor.to(dtype) if tensor.is_floating_point() else tensor
               for name, tensor in load_file(OUT / source / "model.safetensors").items()}
    save_file(weights, OUT / target)


COMMON = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}


def main():
    fixture(
        "bert",
        BertModel(BertConfig(vocab_size=90, hidden_size=32, num_hidden_layers=3, num_attention_heads=4,
                             intermediate_size=56, max_position_embeddings=48, type_vocab_size=2, pad_token_id=0, **COMMON)),
        [7, 1, 40, 23, 2], seed=1, pooling="mean", segments=True, explicit_positions=True, dense=20,
        extra={"embeddings.position_ids": torch.arange(48).unsqueeze(0)},
        prompts={"prompts": {"query": "find: ", "document": ""}, "default_prompt_name": None,
                 "similarity_fn_name": "cosine"},
    )
    fixture(
        "roberta",
        RobertaForMaskedLM(RobertaConfig(vocab_size=80, hidden_size=32, num_hidden_layers=2, num_attention_heads=2,
                                         intermediate_size=48, max_position_embeddings=42, type_vocab_size=1,
                                         pad_token_id=1, **COMMON)),
        [12, 3, 40], seed=2, pooling="cls",
    )
    fixture(
        "xlm-roberta",
        XLMRobertaModel(XLMRobertaConfig(vocab_size=80, hidden_size=32, num_hidden_layers=2, num_attention_heads=4,
                                         intermediate_size=48, max_position_embeddings=34, type_vocab_size=1,
                                         pad_token_id=1, **COMMON), add_pooling_layer=False),
        [9, 30, 4], seed=3, pooling="mean", normalise=False,
    )
    fixture(
        "mpnet",
        MPNetModel(MPNetConfig(vocab_size=80, hidden_size=32, num_hidden_layers=3, num_attention_heads=4,
                               intermediate_size=48, max_position_embeddings=162, **COMMON)),
        [5, 160, 31], seed=4, pooling="mean",
    )
    fixture(
        "modernbert",
        ModernBertForMaskedLM(ModernBertConfig(vocab_size=80, hidden_size=32, num_hidden_layers=4, num_attention_heads=4,
                                               intermediate_size=40, max_position_embeddings=64, local_attention=12,
                                               pad_token_id=0, cls_token_id=1, sep_token_id=2, bos_token_id=1,
                                               eos_token_id=2, attn_implementation="eager")),
        [11, 60, 2, 30], seed=5, pooling="cls",
    )
    halves("bert", "bert/half.safetensors", torch.float16)
    halves("bert", "bert/bfloat16.safetensors", torch.bfloat16)


if __name__ == "__main__":
    main()
