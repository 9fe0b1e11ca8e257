"""Writes and reads the part of GGUF version 3 that the demo model needs: F32 and Q8_0 tensors.

The format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
"""

import struct

import numpy as np

MAGIC, VERSION, ALIGNMENT = b"GGUF", 3, 32
F32, Q8_0 = 0, 8
BLOCK = np.dtype([("scale", "<f2"), ("values", "i1", (32,))])  # 32 weights in 34 bytes

UINT32, INT32, FLOAT32, BOOL, STRING, ARRAY = 4, 5, 6, 7, 8, 9
_FORMATS = {UINT32: "<I", INT32: "<i", FLOAT32: "<f", BOOL: "<?"}


def quantize(x):
    """Blocks of 32 along a row share a scale, chosen so that the largest magnitude becomes 127."""
    groups = x.astype(np.float32).reshape(-1, 32)
    scale = np.abs(groups).max(axis=1) / np.float32(127)
    scaled = groups / np.where(scale == 0, np.float32(1), scale)[:, None]
    blocks = np.empty(len(groups), BLOCK)
    blocks["scale"] = scale
    blocks["values"] = np.trunc(scaled + np.copysign(np.float32(0.5), scaled))  # halves go away from zero
    return blocks


def dequantize(blocks, size):
    return (blocks["scale"].astype(np.float32)[:, None] * blocks["values"]).astype(np.float32).reshape(size)


def _string(text):
    raw = text.encode()
    return struct.pack("<Q", len(raw)) + raw


def _value(kind, value):
    return _string(value) if kind == STRING else struct.pack(_FORMATS[kind], value)


def _metadata(value):
    """The type follows from the Python value; lists are arrays of their first element's type."""
    if isinstance(value, list):
        kind = _kind(value[0])
        return struct.pack("<IIQ", ARRAY, kind, len(value)) + b"".join(_value(kind, v) for v in value)
    return struct.pack("<I", _kind(value)) + _value(_kind(value), value)


def _kind(value):
    for type_, kind in ((bool, BOOL), (np.int32, INT32), (int, UINT32), (float, FLOAT32), (str, STRING)):
        if isinstance(value, type_):
            return kind
    raise TypeError(f"no GGUF type for {value!r}; expected bool, numpy.int32, int, float or str")


def write(path, metadata, tensors):
    """Matrices become Q8_0, vectors stay F32."""
    encoded = {name: quantize(x).tobytes() if x.ndim == 2 else x.astype("<f4").tobytes() for name, x in tensors.items()}
    head = MAGIC + struct.pack("<IQQ", VERSION, len(tensors), len(metadata))
    for key, value in metadata.items():
        head += _string(key) + _metadata(value)
    offset = 0
    for name, x in tensors.items():
        head += _string(name) + struct.pack("<I", x.ndim) + struct.pack(f"<{x.ndim}Q", *reversed(x.shape))
        head += struct.pack("<IQ", Q8_0 if x.ndim == 2 else F32, offset)
        offset += _aligned(len(encoded[name]))
    with open(path, "wb") as out:
        out.write(head.ljust(_aligned(len(head)), b"\0"))
        for raw in encoded.values():
            out.write(raw.ljust(_aligned(len(raw)), b"\0"))


def _aligned(size):
    return -(-size // ALIGNMENT) * ALIGNMENT


def read(path):
    """Metadata and tensors (as float32 arrays) of a file that ``write`` made."""
    with open(path, "rb") as file:
        raw = file.read()
    if raw[:4] != MAGIC:
        raise ValueError(f"{path} starts with {raw[:4]!r}, expected {MAGIC!r}")
    at = 4

    def take(form):
        nonlocal at
        values = struct.unpack_from(form, raw, at)
        at += struct.calcsize(form)
        return values if len(values) > 1 else values[0]

    def text():
        nonlocal at
        length = take("<Q")
        at += length
        return raw[at - length : at].decode()

    def value(kind):
        if kind == STRING:
            return text()
        if kind == ARRAY:
            element, count = take("<IQ")
            return [value(element) for _ in range(count)]
        return take(_FORMATS[kind])

    version, tensor_count, key_count = take("<IQQ")
    if version != VERSION:
        raise ValueError(f"{path} is GGUF version {version}, expected {VERSION}")
    metadata = {}
    for _ in range(key_count):
        key = text()
        metadata[key] = value(take("<I"))
    entries = []
    for _ in range(tensor_count):
        name, rank = text(), take("<I")
        size = tuple(reversed([take("<Q") for _ in range(rank)]))
        entries.append((name, size, *take("<IQ")))
    start, tensors = _aligned(at), {}
    for name, size, kind, offset in entries:
        count = int(np.prod(size))
        if kind == Q8_0:
            blocks = np.frombuffer(raw, BLOCK, count // 32, start + offset)
            tensors[name] = dequantize(blocks, size)
        else:
            tensors[name] = np.frombuffer(raw, "<f4", count, start + offset).reshape(size)
    return metadata, tensors
