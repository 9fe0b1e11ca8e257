"""SentencePiece-style byte-pair encoding with byte fallback, as GGUF's tokenizer model ``llama`` runs it.

Training merges the most frequent pair inside words; the score of a merged piece is minus its rank.
Encoding is the rule that readers of GGUF follow: starting from characters, join the adjacent pair
whose joined text is the piece with the highest score (the leftmost of equals) until none is left,
then spell what is no piece in bytes. Training texts are encoded by the same rule.
"""

import collections
import heapq
import re

UNKNOWN, BOS, EOS = 0, 1, 2
FIRST_BYTE = 3
NORMAL, UNKNOWN_TYPE, CONTROL, BYTE = 1, 2, 3, 6
SPACE = "\u2581"
CHARACTERS = SPACE + "".join(chr(c) for c in range(33, 127))

# No piece joins letters with anything but a leading space, so words can be encoded one by one.
_UNIT = re.compile(f"{SPACE}?[A-Za-z']+|{SPACE}?[^A-Za-z'{SPACE}]|{SPACE}")


def escape(text):
    """Spaces become visible and one is put in front, as ``add_space_prefix`` says."""
    return (" " + text if text else text).replace(" ", SPACE)


class Tokenizer:
    """Piece texts, scores and types by token id."""

    def __init__(self, pieces, scores, types):
        self.pieces, self.scores, self.types = pieces, scores, types
        self._ids = {piece: i for i, piece in enumerate(pieces) if types[i] == NORMAL}
        self._words = {}

    @classmethod
    def train(cls, texts, size):
        """Learns pieces until the vocabulary has ``size`` tokens."""
        counts = collections.Counter(unit for text in texts for unit in _UNIT.findall(escape(text)))
        words = [(list(unit), count) for unit, count in sorted(counts.items())]
        merges = []
        while len(merges) < size - FIRST_BYTE - 256 - len(CHARACTERS):
            pairs = collections.Counter()
            for symbols, count in words:
                for pair in zip(symbols, symbols[1:]):
                    pairs[pair] += count
            best = min(pairs, key=lambda pair: (-pairs[pair], pair))
            joined = best[0] + best[1]
            if joined not in merges:
                merges.append(joined)
            for symbols, _ in words:
                at = 0
                while at + 1 < len(symbols):
                    if symbols[at] == best[0] and symbols[at + 1] == best[1]:
                        symbols[at : at + 2] = [joined]
                    at += 1
        pieces = ["<unk>", "<s>", "</s>"] + [f"<0x{byte:02X}>" for byte in range(256)] + merges + list(CHARACTERS)
        scores = [0.0] * (FIRST_BYTE + 256) + [-float(rank) for rank in range(len(merges) + len(CHARACTERS))]
        types = [UNKNOWN_TYPE, CONTROL, CONTROL] + [BYTE] * 256 + [NORMAL] * (len(merges) + len(CHARACTERS))
        return cls(pieces, scores, types)

    def encode(self, text):
        """Token ids of a text, without BOS."""
        ids = []
        for unit in _UNIT.findall(escape(text)):
            found = self._words.get(unit)
            if found is None:
                found = self._words[unit] = self.encode_escaped(unit)
            ids += found
        return ids

    def encode_escaped(self, text):
        """The rule itself, on a whole escaped text."""
        symbols = list(text)
        following = list(range(1, len(symbols))) + [-1]
        previous = list(range(-1, len(symbols) - 1))
        queue = []

        def offer(left, right):
            if left >= 0 and right >= 0:
                joined = self._ids.get(symbols[left] + symbols[right])
                if joined is not None:
                    heapq.heappush(queue, (-self.scores[joined], left, right, symbols[left], symbols[right]))

        for left in range(len(symbols) - 1):
            offer(left, left + 1)
        while queue:
            _, left, right, left_text, right_text = heapq.heappop(queue)
            if symbols[left] != left_text or symbols[right] != right_text:
                continue
            symbols[left] += symbols[right]
            symbols[right] = ""
            following[left] = following[right]
            if following[right] >= 0:
                previous[following[right]] = left
            offer(previous[left], left)
            offer(left, following[left])
        ids = []
        for symbol in symbols:
            if symbol in self._ids:
                ids.append(self._ids[symbol])
            else:
                ids += [FIRST_BYTE + byte for byte in symbol.encode()]
        return ids

    def decode(self, ids):
        """The text of token ids as it is printed: control tokens are silent, the added space is dropped."""
        out = b""
        for token in ids:
            if self.types[token] == BYTE:
                out += bytes([token - FIRST_BYTE])
            elif self.types[token] == NORMAL:
                out += self.pieces[token].replace(SPACE, " ").encode()
        return out.decode(errors="replace").removeprefix(" ")
