"""transformers' BertModel on MiniLM-L6's shape, 16 x 128 random tokens: milliseconds of one forward pass a line of input."""

import sys
import time

import torch
from transformers import BertConfig, BertModel
import transformers

torch.set_num_threads(int(sys.argv[1]))
config = BertConfig(hidden_size=384, num_hidden_layers=6, num_attention_heads=12, intermediate_size=1536)
model = BertModel(config, add_pooling_layer=False).eval()
ids = torch.randint(0, config.vocab_size, (16, 128))
mask = torch.ones_like(ids)

with torch.inference_mode():
    for _ in range(3):
        model(input_ids=ids, attention_mask=mask)
    print(f"transformers {transformers.__version__}, torch {torch.__version__}", flush=True)
    for _ in sys.stdin:
        start = time.perf_counter()
        model(input_ids=ids, attention_mask=mask)
        print((time.perf_counter() - start) * 1000, flush=True)
