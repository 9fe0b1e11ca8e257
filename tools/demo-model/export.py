"""Writes the model file from a checkpoint, and the answers that every implementation must give.

    python3 export.py --work /tmp/demo-model --model demo-model.gguf --goldens goldens.json
"""

import argparse
import hashlib
import json
import pathlib

import numpy as np

import model_file
import train
from llama import Llama, Shape, initial_weights
from sample import continuation
from tokenizer import BOS

NOTE = (
    "Greedy continuations of a float64 reference over the dequantised weights; BOS first; at most max_tokens, "
    "ending before EOS (finish eos). gaps are the distances of the two best logits at each step, EOS included: "
    "another implementation may differ only after a step whose gap is below its own error."
)
PROMPTS = [
    "", "Once upon a time", "Once upon a time there was a brave little fox named Pip who lived near a lake full of silver fish.",
    "Lily was afraid of only one thing: the dark.", '"Where is my kite?"', "The",
    "This is the story of Tom, a shy boy who lived on a small island. One windy day, Tom found an old map inside a book. "
    'It showed a path that nobody knew. "Come with me," he said to Hazel, a clever mouse. They packed some cheese and set off. '
    "First they came to a fallen log, and then they came to three white stones. The path grew steep, and Hazel was tired.",
    "Zo\u00eb \u00e9crit \u2014 12 \u4e2d\u6587 \U0001f43b.\n",
]
TEXTS = [
    "", " ", "  ", "a", "Once upon a time", " leading and  double  spaces ", "line\nbreak\ttab", "don't stop, said the mouse!",
    "UPPER lower MiXeD", "0123456789", "\u00e9\u00e8\u00ea \u4e2d\u6587 \U0001f43b\U0001f98a", "<s> </s> <unk> <0x41>", "\u2581",
    "unbelievable neighborhoods", "The the THE tHE",
]


def goldens(path, max_tokens):
    model, tokenizer = model_file.read(path, np.float64)
    cases = []
    for prompt in PROMPTS:
        prompt_ids = [BOS, *tokenizer.encode(prompt)]
        ids, gaps = continuation(model, prompt_ids, max_tokens)
        logits = model.logits(np.array([prompt_ids]))[0, -1]
        cases.append({
            "prompt": prompt, "prompt_ids": prompt_ids, "output_ids": ids, "text": tokenizer.decode(prompt_ids + ids),
            "finish": "eos" if len(gaps) > len(ids) else "length", "min_gap": min(gaps),
            "gaps": [round(gap, 6) for gap in gaps],
            "last_prompt_top5": [[int(i), float(logits[i])] for i in np.argsort(-logits)[:5]],
        })
    texts = [{"text": text, "ids": tokenizer.encode(text)} for text in TEXTS]
    digest = hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest()
    return {"model_sha256": digest, "note": NOTE, "max_tokens": max_tokens, "cases": cases, "tokenizer": texts}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--seed", type=int, default=20, help="the seed of the training run")
    parser.add_argument("--model", type=pathlib.Path, required=True)
    parser.add_argument("--goldens", type=pathlib.Path)
    parser.add_argument("--max-tokens", type=int, default=320)
    options = parser.parse_args()

    shape = Shape()
    tokenizer = train.story_tokenizer(options.seed, shape)
    weights = initial_weights(shape, options.seed)
    step = train.load(options.work / "checkpoint.npz", weights)
    model_file.write(options.model, shape, tokenizer, weights)

    rows = train.validation_rows(tokenizer, shape, options.seed)
    quantised, _ = model_file.read(options.model)
    print(f"step {step}: held-out loss {train.mean_loss(Llama(shape, weights), rows):.4f}, "
          f"quantised {train.mean_loss(quantised, rows):.4f}; {options.model.stat().st_size:,} bytes")
    if options.goldens:
        text = json.dumps(goldens(options.model, options.max_tokens), indent=1, ensure_ascii=True)
        options.goldens.write_text(text + "\n")


if __name__ == "__main__":
    main()
