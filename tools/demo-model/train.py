"""Trains the demo model on endless fresh stories; can be stopped and started again at any time.

    OPENBLAS_NUM_THREADS=1 python3 train.py --work /tmp/demo-model

The stories of a step depend on the seed and the step alone, so a run that was interrupted goes on
with the stories that an uninterrupted one would have seen.
"""

import argparse
import json
import math
import os
import pathlib
import random
import time

import numpy as np

import stories
from llama import Llama, Shape, initial_weights
from tokenizer import BOS, EOS, Tokenizer

TOKENIZER_STORIES = 4000
MICRO_ROWS = 2  # rows whose activations fit into the caches of one core together


def story_tokenizer(seed, shape):
    rng = random.Random(f"{seed}/tokenizer")
    return Tokenizer.train([stories.story(rng) for _ in range(TOKENIZER_STORIES)], shape.vocab)


def rows_of_stories(tokenizer, rng, rows, context):
    """Rows of whole stories, one after the other; only the last story of a row is cut."""
    out = np.empty((rows, context + 1), np.int64)
    for row in out:
        ids = []
        while len(ids) < context + 1:
            ids += [BOS, *tokenizer.encode(stories.story(rng)), EOS]
        row[:] = ids[: context + 1]
    return out


class AdamW:
    """Adam with decoupled weight decay on matrices (Loshchilov and Hutter 2019)."""

    FIRST, SECOND, EPSILON, DECAY = 0.9, 0.95, 1e-9, 0.1

    def __init__(self, weights):
        self.step = 0
        self.mean = {name: np.zeros_like(w) for name, w in weights.items()}
        self.square = {name: np.zeros_like(w) for name, w in weights.items()}

    def update(self, weights, gradient, rate):
        self.step += 1
        corrected = rate * math.sqrt(1 - self.SECOND**self.step) / (1 - self.FIRST**self.step)
        for name, w in weights.items():
            g, mean, square = gradient[name], self.mean[name], self.square[name]
            mean += (1 - self.FIRST) * (g - mean)
            square += (1 - self.SECOND) * (g * g - square)
            if w.ndim == 2:
                w *= np.float32(1 - rate * self.DECAY)
            w -= np.float32(corrected) * mean / (np.sqrt(square) + np.float32(self.EPSILON))


def learning_rate(step, options):
    """Linear warm-up, then a cosine down to a hundredth."""
    warm = min(1.0, (step + 1) / options.warmup)
    return options.rate * warm * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(1.0, step / options.steps))))


def clip(gradient, limit=1.0):
    norm = math.sqrt(sum(float(np.vdot(g, g)) for g in gradient.values()))
    if norm > limit:
        for g in gradient.values():
            g *= np.float32(limit / norm)
    return norm


def mean_loss(model, rows):
    """Cross-entropy per token, without a gradient."""
    total = 0.0
    for row in rows:
        logits = model.logits(row[None, :-1])[0].astype(np.float64)
        logits -= logits.max(axis=1, keepdims=True)
        total += float(np.mean(np.log(np.exp(logits).sum(axis=1)) - logits[np.arange(len(logits)), row[1:]]))
    return total / len(rows)


def validation_rows(tokenizer, shape, seed):
    return rows_of_stories(tokenizer, random.Random(f"{seed}/validation"), 24, shape.context)


def save(path, weights, optimizer):
    arrays = {f"w/{name}": w for name, w in weights.items()}
    arrays |= {f"m/{name}": m for name, m in optimizer.mean.items()}
    arrays |= {f"v/{name}": v for name, v in optimizer.square.items()}
    partial = path.with_suffix(".partial.npz")
    np.savez(partial, step=optimizer.step, **arrays)
    os.replace(partial, path)


def load(path, weights, optimizer=None):
    with np.load(path) as arrays:
        for name in weights:
            weights[name] = arrays[f"w/{name}"]
            if optimizer:
                optimizer.mean[name], optimizer.square[name] = arrays[f"m/{name}"], arrays[f"v/{name}"]
        step = int(arrays["step"])
    if optimizer:
        optimizer.step = step
    return step


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--work", type=pathlib.Path, required=True, help="folder of the checkpoint and the log")
    parser.add_argument("--seed", type=int, default=20)
    parser.add_argument("--steps", type=int, default=6000)
    parser.add_argument("--rows", type=int, default=4, help="rows of a step; a row has as many tokens as the context")
    parser.add_argument("--rate", type=float, default=3e-3)
    parser.add_argument("--warmup", type=int, default=100)
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)

    shape = Shape()
    tokenizer = story_tokenizer(options.seed, shape)
    held_out = validation_rows(tokenizer, shape, options.seed)
    weights = initial_weights(shape, options.seed)
    optimizer = AdamW(weights)
    checkpoint = options.work / "checkpoint.npz"
    if checkpoint.exists():
        load(checkpoint, weights, optimizer)
    model = Llama(shape, weights)
    print(f"{sum(w.size for w in weights.values()):,} parameters, from step {optimizer.step}", flush=True)

    started, recent = time.monotonic(), []
    with open(options.work / "log.jsonl", "a") as log:
        while optimizer.step < options.steps:
            step = optimizer.step
            rows = rows_of_stories(tokenizer, random.Random(f"{options.seed}/{step}"), options.rows, shape.context)
            gradient, parts = None, options.rows // MICRO_ROWS
            for part in np.split(rows, parts):
                loss, g = model.loss_and_gradient(part[:, :-1], part[:, 1:])
                recent.append(loss)
                gradient = g if gradient is None else {name: gradient[name] + g[name] for name in g}
            for g in gradient.values():
                g /= np.float32(parts)
            norm = clip(gradient)
            optimizer.update(weights, gradient, learning_rate(step, options))
            if (step + 1) % 50 == 0:
                line = {"step": step + 1, "loss": round(float(np.mean(recent)), 4), "norm": round(norm, 2),
                        "seconds": round(time.monotonic() - started)}
                recent.clear()
                if (step + 1) % 250 == 0 or step + 1 == options.steps:
                    line["held_out"] = round(mean_loss(model, held_out), 4)
                    save(checkpoint, weights, optimizer)
                print(json.dumps(line), file=log, flush=True)
                print(line, flush=True)


if __name__ == "__main__":
    main()
