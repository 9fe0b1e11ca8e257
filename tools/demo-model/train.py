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
import words
from llama import Llama, Shape, initial_weights
from tokenizer import BOS, EOS, FIRST_BYTE, Tokenizer

TOKENIZER_STORIES = 4000
MEETINGS = ["met", "saw", "asked", "helped", "called", "looked for", "played with", "smiled at"]
MICRO_TOKENS = 1024  # tokens whose activations fit into the caches of one core together
SHORT_PART = 0.6  # of all steps


def story_tokenizer(seed, shape):
    rng = random.Random(f"{seed}/tokenizer")
    return Tokenizer.train([stories.story(rng) for _ in range(TOKENIZER_STORIES)], shape.vocab)


def rows_of_drills(tokenizer, rng, rows, context):
    """Rows about two people who are named again and again. Looking back and copying is what keeps a name the same
    through a story; from stories alone a model of this size finds that out late."""
    out = np.empty((rows, context + 1), np.int64)
    for row in out:
        pair = rng.sample(words.GIRLS + words.BOYS + words.ANIMAL_NAMES, 2)
        ids = [BOS]
        while len(ids) < context + 1:
            ids += tokenizer.encode(" ".join([rng.choice(pair), rng.choice(MEETINGS), rng.choice(pair)]) + ".")
        row[:] = ids[: context + 1]
    return out


def rows_of_step(step, tokenizer, options, shape):
    """Drills and stories at first, then stories alone; short rows, because they are cheaper, then as long as the context."""
    rng = random.Random(f"{options.seed}/{step}")
    count, context = options.rows, shape.context
    if step < options.steps * SHORT_PART:
        count, context = count * 2, context // 2
    drills = count // 4 if step < options.drill_steps else 0
    told = rows_of_stories(tokenizer, rng, count - drills, context)
    return rng.sample([*rows_of_drills(tokenizer, rng, drills, context), *told], count)


def rows_of_stories(tokenizer, rng, rows, context):
    """Rows of whole stories, one after the other; only the last story of a row is cut."""
    out = np.empty((rows, context + 1), np.int64)
    for row in out:
        ids = []
        while len(ids) < context + 1:
            ids += [BOS, *tokenizer.encode(stories.story(rng)), EOS]
        row[:] = ids[: context + 1]
    return out


class Optimizer:
    """AdamW (Loshchilov and Hutter 2019) for embeddings and norms. The matrices inside the layers take orthogonalised
    momentum (Muon, Jordan 2024), which gives rare directions, such as the one that copies a name, the same weight as
    frequent ones."""

    FIRST, SECOND, EPSILON = 0.9, 0.95, 1e-9
    MOMENTUM, MATRIX_RATE, DECAY = 0.95, 7.0, 0.05  # the matrix rate is relative to that of the embeddings

    def __init__(self, weights):
        self.step = 0
        self.mean = {name: np.zeros_like(w) for name, w in weights.items()}
        self.square = {name: np.zeros_like(w) for name, w in weights.items() if not _is_layer_matrix(name)}

    def update(self, weights, gradient, rate):
        self.step += 1
        corrected = rate * math.sqrt(1 - self.SECOND**self.step) / (1 - self.FIRST**self.step)
        for name, w in weights.items():
            g, mean = gradient[name], self.mean[name]
            if _is_layer_matrix(name):
                mean *= self.MOMENTUM
                mean += g
                step = rate * self.MATRIX_RATE
                w *= np.float32(1 - step * self.DECAY)
                w -= np.float32(step * max(1, w.shape[0] / w.shape[1]) ** 0.5) * orthogonal(g + self.MOMENTUM * mean)
                continue
            square = self.square[name]
            mean += (1 - self.FIRST) * (g - mean)
            square += (1 - self.SECOND) * (g * g - square)
            w -= np.float32(corrected) * mean / (np.sqrt(square) + np.float32(self.EPSILON))


def _is_layer_matrix(name):
    return name.startswith("blk.") and "norm" not in name


def orthogonal(g):
    """Five Newton-Schulz steps towards the nearest matrix whose singular values are all one."""
    x = g / (np.linalg.norm(g) + np.float32(1e-7))
    tall = x.shape[0] > x.shape[1]
    x = x.T if tall else x
    for _ in range(5):
        a = x @ x.T
        x = 3.4445 * x + (-4.7750 * a + 2.0315 * a @ a) @ x
    return x.T if tall else x


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
            optimizer.mean = {name: arrays[f"m/{name}"] for name in optimizer.mean}
            optimizer.square = {name: arrays[f"v/{name}"] for name in optimizer.square}
        step = int(arrays["step"])
    if optimizer:
        optimizer.step = step
    return step


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--work", type=pathlib.Path, required=True, help="folder of the checkpoint and the log")
    parser.add_argument("--seed", type=int, default=20)
    parser.add_argument("--steps", type=int, default=5000)
    parser.add_argument("--rows", type=int, default=4, help="rows of a step when a row is as long as the context")
    parser.add_argument("--drill-steps", type=int, default=1000, help="steps that also train on rows of drills")
    parser.add_argument("--rate", type=float, default=3e-3)
    parser.add_argument("--warmup", type=int, default=100)
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)

    shape = Shape()
    tokenizer = story_tokenizer(options.seed, shape)
    held_out = validation_rows(tokenizer, shape, options.seed)
    weights = initial_weights(shape, options.seed)
    optimizer = Optimizer(weights)
    checkpoint = options.work / "checkpoint.npz"
    if checkpoint.exists():
        load(checkpoint, weights, optimizer)
    model = Llama(shape, weights)
    print(f"{sum(w.size for w in weights.values()):,} parameters, from step {optimizer.step}", flush=True)

    started, recent = time.monotonic(), []
    with open(options.work / "log.jsonl", "a") as log:
        while optimizer.step < options.steps:
            step = optimizer.step
            rows = rows_of_step(step, tokenizer, options, shape)
            gradient, parts = None, options.rows * shape.context // MICRO_TOKENS
            for part in np.split(np.array(rows), parts):
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
