"""Loads a checkpoint folder as its users do and prints the vectors of texts: a check on what patentlab writes.

    python test/oracle/load_checkpoint.py FOLDER TEXTS.json OUT.json [ADAPTER]

OUT.json: vectors by sentence-transformers, ids by transformers' tokenizer, the names of weights transformers found
missing, and states by plain transformers (mean over the tokens), through peft where an adapter's folder is named.
Without arguments it does nothing, so that the scripts of this folder can be run one after another.
"""

import json
import sys
from pathlib import Path


def main(folder, texts, out, adapter=None):
    import torch
    from sentence_transformers import SentenceTransformer
    from transformers import AutoModel, AutoTokenizer

    texts = json.loads(Path(texts).read_text())
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model, info = AutoModel.from_pretrained(folder, output_loading_info=True)
    if adapter is not None:
        from peft import PeftModel

        model = PeftModel.from_pretrained(model, adapter)
    result = {"missing": sorted(info["missing_keys"]), "dtype": str(next(model.parameters()).dtype)}
    sentences = SentenceTransformer(folder, device="cpu")
    result["maxLength"] = sentences.max_seq_length
    result["prompts"] = sentences.prompts
    result["similarity"] = str(sentences.similarity_fn_name)
    result["vectors"] = sentences.encode(texts, batch_size=4).tolist()
    result["ids"] = [tokenizer(text)["input_ids"] for text in texts]
    with torch.no_grad():
        result["means"] = [
            model.eval()(input_ids=torch.tensor([ids])).last_hidden_state[0].mean(dim=0).tolist() for ids in result["ids"]
        ]
    Path(out).write_text(json.dumps(result))


if __name__ == "__main__" and len(sys.argv) > 1:
    main(*sys.argv[1:])
