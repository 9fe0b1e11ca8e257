"""Stories, tokenizer and file format keep their promises."""

import pathlib
import random
import re
import tempfile
import unittest

import numpy as np

import gguf
import model_file
import stories
import train
from llama import Shape, initial_weights
from template import expand
from tokenizer import SPACE, Tokenizer, escape


def some_stories(seed, count):
    rng = random.Random(seed)
    return [stories.story(rng) for _ in range(count)]


class StoriesTest(unittest.TestCase):
    def test_same_seed_same_stories(self):
        self.assertEqual(some_stories(5, 20), some_stories(5, 20))
        self.assertEqual(len(set(some_stories(5, 500))), 500)

    def test_every_slot_is_filled_and_every_sentence_begins_with_a_capital(self):
        for story in some_stories(6, 2000):
            self.assertIsNone(re.search(r"[{}\[\]|]|  ", story), story)
            self.assertIsNone(re.search(r"[.!?] \"?[a-z]", story), story)
            self.assertRegex(story, r'^[A-Z].*[.!"]$')

    def test_templates_nest(self):
        heard = {expand("[a|b[c|{d}]] e. f", {"d": "[x|y]"}, random.Random(seed)) for seed in range(200)}
        self.assertEqual(heard, {"A e. F", "Bc e. F", "Bx e. F", "By e. F"})


class TokenizerTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.tokenizer = Tokenizer.train(some_stories(1, 300), 512)

    def test_words_one_by_one_give_what_the_whole_text_gives(self):
        for text in some_stories(2, 50) + ["Zo\u00eb  asks: don't\n\U0001f98a 12,3?", SPACE, " ", ""]:
            self.assertEqual(self.tokenizer.encode(text), self.tokenizer.encode_escaped(escape(text)))

    def test_decoding_gives_the_text_back(self):
        for text in some_stories(3, 50) + ["Zo\u00eb  asks: don't\n\U0001f98a 12,3? "]:
            self.assertEqual(self.tokenizer.decode(self.tokenizer.encode(text)), text)


class FileTest(unittest.TestCase):
    def test_quantisation_errs_by_at_most_half_a_step(self):
        x = np.random.default_rng(1).normal(size=(7, 64)).astype(np.float32)
        x[3] = 0
        back = gguf.dequantize(gguf.quantize(x), x.shape)
        step = np.abs(x.reshape(-1, 32)).max(axis=1, keepdims=True) / 127
        self.assertTrue((np.abs(back - x).reshape(-1, 32) <= step * (0.5 + 127 * 2.0**-11) + 1e-7).all())

    def test_a_model_file_reads_back(self):
        shape = Shape(vocab=512, dim=64, layers=1, heads=2, kv_heads=1, ffn=96, context=64)
        tokenizer = Tokenizer.train(some_stories(1, 300), 512)
        weights = initial_weights(shape, 1)
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "model.gguf"
            model_file.write(path, shape, tokenizer, weights)
            model, read = model_file.read(path)
        self.assertEqual((model.shape.layers, model.shape.head_dim, model.shape.ffn), (1, 32, 96))
        self.assertAlmostEqual(model.shape.epsilon, 1e-5, delta=1e-12)
        self.assertEqual((read.pieces, read.scores, read.types), (tokenizer.pieces, tokenizer.scores, tokenizer.types))
        for name, w in weights.items():
            np.testing.assert_allclose(model.weights[name], w, atol=np.abs(w).max() / 200)


class TrainingTest(unittest.TestCase):
    def test_a_few_steps_lower_the_loss_and_a_checkpoint_brings_them_back(self):
        shape = Shape(vocab=512, dim=64, layers=1, heads=2, kv_heads=1, ffn=64, context=64)
        tokenizer = Tokenizer.train(some_stories(1, 300), 512)
        weights = initial_weights(shape, 1)
        model, optimizer, losses = train.Llama(shape, weights), train.Optimizer(weights), []
        for step in range(30):
            rows = train.rows_of_stories(tokenizer, random.Random(step), 4, shape.context)
            loss, gradient = model.loss_and_gradient(rows[:, :-1], rows[:, 1:])
            train.clip(gradient)
            optimizer.update(weights, gradient, 3e-3)
            losses.append(loss)
        self.assertLess(losses[-1], losses[0] - 1.5)
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "checkpoint.npz"
            train.save(path, weights, optimizer)
            restored = initial_weights(shape, 2)
            self.assertEqual(train.load(path, restored), 30)
        for name, w in weights.items():
            np.testing.assert_array_equal(restored[name], w)


if __name__ == "__main__":
    unittest.main()
