"""Tells a story with a model file: the reference that other implementations are compared with.

    python3 sample.py FILE.gguf --prompt "Once upon a time" --temperature 0.8 --seed 1
"""

import argparse

import numpy as np

import model_file
from tokenizer import BOS, EOS


def continuation(model, prompt_ids, limit, temperature=0.0, rng=None):
    """New token ids up to end of story or limit, and the distance between the two best logits of each."""
    ids, gaps = list(prompt_ids), []
    while len(ids) - len(prompt_ids) < limit and len(ids) < model.shape.context:
        logits = model.logits(np.array([ids]))[0, -1].astype(np.float64)
        second, best = np.sort(logits)[-2:]
        if temperature == 0:
            token = int(logits.argmax())
        else:
            p = np.exp((logits - best) / temperature)
            token = int(rng.choice(len(p), p=p / p.sum()))
        gaps.append(float(best - second))
        if token == EOS:
            break
        ids.append(token)
    return ids[len(prompt_ids) :], gaps


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file")
    parser.add_argument("--prompt", default="Once upon a time")
    parser.add_argument("--temperature", type=float, default=0.0, help="0 always takes the likeliest token")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--max-tokens", type=int, default=400)
    parser.add_argument("--count", type=int, default=1)
    options = parser.parse_args()
    model, tokenizer = model_file.read(options.file)
    rng = np.random.default_rng(options.seed)
    prompt_ids = [BOS, *tokenizer.encode(options.prompt)]
    for _ in range(options.count):
        new_ids, _ = continuation(model, prompt_ids, options.max_tokens, options.temperature, rng)
        print(tokenizer.decode(prompt_ids + new_ids), end="\n\n")


if __name__ == "__main__":
    main()
