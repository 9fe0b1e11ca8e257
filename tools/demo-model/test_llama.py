"""The gradient worked out by hand agrees with finite differences, and the model is causal."""

import unittest

import numpy as np

import llama
from llama import Llama, Shape, initial_weights

SHAPE = Shape(vocab=19, dim=16, layers=2, heads=4, kv_heads=2, ffn=24, context=16)


class LlamaTest(unittest.TestCase):
    def setUp(self):
        self.rng = np.random.default_rng(3)
        self.weights = {name: w.astype(np.float64) for name, w in initial_weights(SHAPE, 1).items()}
        self.tokens = self.rng.integers(0, SHAPE.vocab, (2, 11))
        self.targets = self.rng.integers(0, SHAPE.vocab, (2, 11))
        self.chunk = llama.QUERY_CHUNK
        llama.QUERY_CHUNK = 4

    def tearDown(self):
        llama.QUERY_CHUNK = self.chunk

    def test_gradient_equals_finite_differences(self):
        for w in self.weights.values():
            w += self.rng.normal(0, 0.2, w.shape)
        _, gradient = Llama(SHAPE, self.weights).loss_and_gradient(self.tokens, self.targets)
        self.assertEqual(set(gradient), set(self.weights))
        step = 1e-5
        for name, w in self.weights.items():
            for _ in range(6):
                at = tuple(int(self.rng.integers(0, n)) for n in w.shape)
                losses = []
                for moved in (w[at] + step, w[at] - step):
                    before, w[at] = w[at], moved
                    losses.append(Llama(SHAPE, self.weights).loss_and_gradient(self.tokens, self.targets)[0])
                    w[at] = before
                difference = (losses[0] - losses[1]) / (2 * step)
                self.assertAlmostEqual(gradient[name][at], difference, delta=1e-7 + 1e-5 * abs(difference), msg=f"{name}{at}")

    def test_later_tokens_do_not_change_earlier_logits(self):
        model = Llama(SHAPE, self.weights)
        changed = self.tokens.copy()
        changed[:, 7:] = (changed[:, 7:] + 1) % SHAPE.vocab
        before, after = model.logits(self.tokens), model.logits(changed)
        np.testing.assert_allclose(before[:, :7], after[:, :7], rtol=0, atol=1e-12)
        self.assertGreater(np.abs(before[:, 7:] - after[:, 7:]).max(), 1e-3)

    def test_rotation_is_of_adjacent_pairs(self):
        x = self.rng.normal(size=(1, 5, 1, SHAPE.head_dim))
        turned = Llama(SHAPE, self.weights)._rope(x)
        angle = 3 * SHAPE.rope_base ** (-2 * 1 / SHAPE.head_dim)
        a, b = x[0, 3, 0, 2:4]
        expected = [a * np.cos(angle) - b * np.sin(angle), a * np.sin(angle) + b * np.cos(angle)]
        np.testing.assert_allclose(turned[0, 3, 0, 2:4], expected)


if __name__ == "__main__":
    unittest.main()
