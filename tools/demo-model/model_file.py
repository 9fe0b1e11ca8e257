"""The demo model as a GGUF file: which keys say what, and how to get model and tokenizer back."""

import numpy as np

import gguf
from llama import Llama, Shape
from tokenizer import BOS, EOS, UNKNOWN, Tokenizer


def metadata(shape, tokenizer):
    return {
        "general.architecture": "llama",
        "general.name": "Baton stories",
        "general.description": "A tiny storyteller for trying Baton; made by tools/demo-model",
        "general.license": "Apache-2.0",
        "general.file_type": 7,  # mostly Q8_0
        "general.quantization_version": 2,
        "llama.context_length": shape.context,
        "llama.embedding_length": shape.dim,
        "llama.block_count": shape.layers,
        "llama.feed_forward_length": shape.ffn,
        "llama.rope.dimension_count": shape.head_dim,
        "llama.rope.freq_base": shape.rope_base,
        "llama.attention.head_count": shape.heads,
        "llama.attention.head_count_kv": shape.kv_heads,
        "llama.attention.layer_norm_rms_epsilon": shape.epsilon,
        "llama.vocab_size": shape.vocab,
        "tokenizer.ggml.model": "llama",
        "tokenizer.ggml.pre": "default",
        "tokenizer.ggml.tokens": tokenizer.pieces,
        "tokenizer.ggml.scores": tokenizer.scores,
        "tokenizer.ggml.token_type": [np.int32(kind) for kind in tokenizer.types],
        "tokenizer.ggml.bos_token_id": BOS,
        "tokenizer.ggml.eos_token_id": EOS,
        "tokenizer.ggml.unknown_token_id": UNKNOWN,
        "tokenizer.ggml.add_bos_token": True,
        "tokenizer.ggml.add_eos_token": False,
        "tokenizer.ggml.add_space_prefix": True,
    }


def write(path, shape, tokenizer, weights):
    gguf.write(path, metadata(shape, tokenizer), weights)


def read(path, dtype=np.float32):
    """The model with dequantised weights, and its tokenizer."""
    keys, tensors = gguf.read(path)
    shape = Shape(
        vocab=keys["llama.vocab_size"], dim=keys["llama.embedding_length"], layers=keys["llama.block_count"],
        heads=keys["llama.attention.head_count"], kv_heads=keys["llama.attention.head_count_kv"],
        ffn=keys["llama.feed_forward_length"], context=keys["llama.context_length"],
        epsilon=keys["llama.attention.layer_norm_rms_epsilon"], rope_base=keys["llama.rope.freq_base"])
    tokenizer = Tokenizer(keys["tokenizer.ggml.tokens"], keys["tokenizer.ggml.scores"], keys["tokenizer.ggml.token_type"])
    return Llama(shape, {name: x.astype(dtype) for name, x in tensors.items()}), tokenizer
