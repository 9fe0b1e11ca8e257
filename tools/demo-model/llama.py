"""A Llama in numpy: forward pass, and the gradient of the loss worked out by hand.

Matrices are (outputs, inputs), as GGUF stores them. Rotary embedding turns adjacent pairs, which is
the order of q and k rows in GGUF files of this architecture, so export copies them as they are.
"""

import dataclasses

import numpy as np

QUERY_CHUNK = 128  # attention works on so many queries at a time and skips the keys behind the last of them


@dataclasses.dataclass(frozen=True)
class Shape:
    vocab: int = 1024
    dim: int = 128
    layers: int = 6
    heads: int = 4
    kv_heads: int = 2
    ffn: int = 320
    context: int = 512
    epsilon: float = 1e-5
    rope_base: float = 10000.0

    @property
    def head_dim(self):
        return self.dim // self.heads

    def parameters(self):
        """Names and shapes of all tensors; names are GGUF's."""
        kv = self.kv_heads * self.head_dim
        tensors = {"token_embd.weight": (self.vocab, self.dim)}
        for layer in range(self.layers):
            tensors |= {
                f"blk.{layer}.attn_norm.weight": (self.dim,),
                f"blk.{layer}.attn_q.weight": (self.dim, self.dim),
                f"blk.{layer}.attn_k.weight": (kv, self.dim),
                f"blk.{layer}.attn_v.weight": (kv, self.dim),
                f"blk.{layer}.attn_output.weight": (self.dim, self.dim),
                f"blk.{layer}.ffn_norm.weight": (self.dim,),
                f"blk.{layer}.ffn_gate.weight": (self.ffn, self.dim),
                f"blk.{layer}.ffn_up.weight": (self.ffn, self.dim),
                f"blk.{layer}.ffn_down.weight": (self.dim, self.ffn),
            }
        return tensors | {"output_norm.weight": (self.dim,)}


def initial_weights(shape, seed):
    """Embeddings are large, so that tokens of one kind (names, say) stay distinguishable while they learn what they
    have in common; the last norm is small in return, which keeps the first logits near zero."""
    rng = np.random.default_rng(seed)
    weights = {}
    for name, size in shape.parameters().items():
        if len(size) == 1:
            weights[name] = np.full(size, 0.2 if name == "output_norm.weight" else 1, np.float32)
            continue
        deviation = 0.5 if name == "token_embd.weight" else size[1] ** -0.5 * 0.6
        if "attn_output" in name or "ffn_down" in name:
            deviation /= (2 * shape.layers) ** 0.5  # so that the residual stream starts with the same size in every layer
        weights[name] = rng.normal(0, deviation, size).astype(np.float32)
    return weights


class Llama:
    """One model. ``loss_and_gradient`` for training, ``logits`` for use; the dtype is that of the weights."""

    def __init__(self, shape, weights):
        self.shape, self.weights = shape, weights
        self.dtype = weights["token_embd.weight"].dtype
        half = shape.head_dim // 2
        angles = np.outer(np.arange(shape.context), shape.rope_base ** (-np.arange(half) / half))
        complex_type = np.complex128 if self.dtype == np.float64 else np.complex64
        self._turns = np.exp(1j * angles).astype(complex_type)[:, None, :]

    def logits(self, tokens):
        """Logits of every position; ``tokens`` is (rows, positions)."""
        hidden, _ = self._forward(tokens)
        return (hidden @ self.weights["token_embd.weight"].T).reshape(*tokens.shape, -1)

    def loss_and_gradient(self, tokens, targets):
        """Mean cross-entropy of the targets and the gradient of every weight."""
        hidden, tape = self._forward(tokens)
        embedding = self.weights["token_embd.weight"]
        scores = hidden @ embedding.T
        scores -= scores.max(axis=1, keepdims=True)
        wanted = scores[np.arange(len(scores)), targets.ravel()]
        np.exp(scores, out=scores)
        total = scores.sum(axis=1, keepdims=True)
        loss = float(np.mean(np.log(total[:, 0]) - wanted))
        scores /= total
        scores[np.arange(len(scores)), targets.ravel()] -= 1
        scores /= len(scores)
        gradient = {"token_embd.weight": scores.T @ hidden}
        self._backward(tokens, tape, scores @ embedding, gradient)
        return loss, gradient

    def _forward(self, tokens):
        shape, weights, tape = self.shape, self.weights, []
        x = weights["token_embd.weight"][tokens.ravel()]
        for layer in range(shape.layers):
            w = {name: weights[f"blk.{layer}.{name}.weight"] for name in _LAYER}
            normed, scale = _norm(x, shape.epsilon)
            h = normed * w["attn_norm"]
            q = self._rope(self._split(h @ w["attn_q"].T, tokens.shape, shape.heads))
            k = self._rope(self._split(h @ w["attn_k"].T, tokens.shape, shape.kv_heads))
            v = self._split(h @ w["attn_v"].T, tokens.shape, shape.kv_heads)
            q, k, v = self._by_head(q) * self.dtype.type(shape.head_dim**-0.5), self._by_head(k), self._by_head(v)
            mixed, weights_of_keys = _attention(q, k, v)
            joined = self._joined(mixed)
            x = x + joined @ w["attn_output"].T
            tape.append((w, normed, scale, h, q, k, v, mixed, weights_of_keys, joined))
            normed, scale = _norm(x, shape.epsilon)
            h = normed * w["ffn_norm"]
            gate, up = h @ w["ffn_gate"].T, h @ w["ffn_up"].T
            sigmoid = 1 / (1 + np.exp(-gate))
            inner = gate * sigmoid * up
            x = x + inner @ w["ffn_down"].T
            tape.append((w, normed, scale, h, gate, up, sigmoid, inner))
        normed, scale = _norm(x, shape.epsilon)
        tape.append((normed, scale))
        return normed * weights["output_norm.weight"], tape

    def _backward(self, tokens, tape, d_hidden, gradient):
        shape = self.shape
        normed, scale = tape.pop()
        gradient["output_norm.weight"] = (d_hidden * normed).sum(axis=0)
        dx = _norm_backward(d_hidden * self.weights["output_norm.weight"], normed, scale)
        for layer in reversed(range(shape.layers)):
            of = f"blk.{layer}."
            w, normed, scale, h, gate, up, sigmoid, inner = tape.pop()
            gradient[of + "ffn_down.weight"] = dx.T @ inner
            d_inner = dx @ w["ffn_down"]
            silu = gate * sigmoid
            d_up = d_inner * silu
            d_gate = d_inner * up * (sigmoid + silu * (1 - sigmoid))
            gradient[of + "ffn_gate.weight"] = d_gate.T @ h
            gradient[of + "ffn_up.weight"] = d_up.T @ h
            dh = d_gate @ w["ffn_gate"] + d_up @ w["ffn_up"]
            gradient[of + "ffn_norm.weight"] = (dh * normed).sum(axis=0)
            dx = dx + _norm_backward(dh * w["ffn_norm"], normed, scale)

            w, normed, scale, h, q, k, v, mixed, weights_of_keys, joined = tape.pop()
            gradient[of + "attn_output.weight"] = dx.T @ joined
            d_mixed = self._split(dx @ w["attn_output"], tokens.shape, shape.heads)
            dq, dk, dv = _attention_backward(self._by_head(d_mixed), q, k, v, mixed, weights_of_keys)
            dq *= self.dtype.type(shape.head_dim**-0.5)
            dh = 0
            for name, d in (("attn_q", self._rope(self._by_position(dq), back=True)),
                            ("attn_k", self._rope(self._by_position(dk), back=True)),
                            ("attn_v", self._by_position(dv))):
                d = d.reshape(len(h), -1)
                gradient[f"{of}{name}.weight"] = d.T @ h
                dh = dh + d @ w[name]
            gradient[of + "attn_norm.weight"] = (dh * normed).sum(axis=0)
            dx = dx + _norm_backward(dh * w["attn_norm"], normed, scale)
        np.add.at(gradient["token_embd.weight"], tokens.ravel(), dx)

    def _split(self, flat, tokens_shape, heads):
        return flat.reshape(*tokens_shape, heads, self.shape.head_dim)

    def _by_head(self, x):
        """(rows, positions, heads, dim) to (rows, kv heads, queries per kv head, positions, dim)."""
        rows, positions, heads, width = x.shape
        group = x.reshape(rows, positions, self.shape.kv_heads, heads // self.shape.kv_heads, width)
        return np.ascontiguousarray(group.transpose(0, 2, 3, 1, 4))

    def _by_position(self, x):
        rows, kv_heads, group, positions, width = x.shape
        return np.ascontiguousarray(x.transpose(0, 3, 1, 2, 4)).reshape(rows, positions, kv_heads * group, width)

    def _joined(self, x):
        return self._by_position(x).reshape(x.shape[0] * x.shape[3], -1)

    def _rope(self, x, back=False):
        """Each adjacent pair is a complex number; a position turns it, and the gradient turns back."""
        turns = self._turns[: x.shape[1]]
        pairs = np.ascontiguousarray(x).view(turns.dtype)
        return (pairs * (turns.conj() if back else turns)).view(x.dtype)


_LAYER = ["attn_norm", "attn_q", "attn_k", "attn_v", "attn_output", "ffn_norm", "ffn_gate", "ffn_up", "ffn_down"]


def _norm(x, epsilon):
    scale = 1 / np.sqrt((x * x).mean(axis=1, keepdims=True) + x.dtype.type(epsilon))
    return x * scale, scale


def _norm_backward(d, normed, scale):
    return (d - normed * (d * normed).mean(axis=1, keepdims=True)) * scale


def _chunks(q):
    rows, kv_heads, group, positions, width = q.shape
    for start in range(0, positions, QUERY_CHUNK):
        end = min(start + QUERY_CHUNK, positions)
        yield start, end, (rows, kv_heads, group * (end - start), width)


def _attention(q, k, v):
    k, v = k[:, :, 0], v[:, :, 0]
    mixed, kept = np.empty_like(q), []
    for start, end, flat in _chunks(q):
        scores = q[:, :, :, start:end].reshape(flat) @ k[:, :, :end].swapaxes(2, 3)
        corner = scores.reshape(*q.shape[:3], end - start, end)[..., start:]
        corner[..., np.triu(np.ones((end - start, end - start), bool), 1)] = -np.inf
        scores -= scores.max(axis=3, keepdims=True)
        np.exp(scores, out=scores)
        scores /= scores.sum(axis=3, keepdims=True)
        mixed[:, :, :, start:end] = (scores @ v[:, :, :end]).reshape(*q.shape[:3], end - start, -1)
        kept.append(scores)
    return mixed, kept


def _attention_backward(d_mixed, q, k, v, mixed, kept):
    k, v = k[:, :, 0], v[:, :, 0]
    dq, dk, dv = np.empty_like(q), np.zeros_like(k), np.zeros_like(v)
    for (start, end, flat), p in zip(_chunks(q), kept):
        d = d_mixed[:, :, :, start:end].reshape(flat)
        ds = d @ v[:, :, :end].swapaxes(2, 3)
        ds -= (d * mixed[:, :, :, start:end].reshape(flat)).sum(axis=3, keepdims=True)
        ds *= p
        dq[:, :, :, start:end] = (ds @ k[:, :, :end]).reshape(*q.shape[:3], end - start, -1)
        dk[:, :, :end] += ds.swapaxes(2, 3) @ q[:, :, :, start:end].reshape(flat)
        dv[:, :, :end] += p.swapaxes(2, 3) @ d
    return dq, dk[:, :, None], dv[:, :, None]
