"""A small template language: ``[one|two]`` chooses, ``{slot}`` fills in, both nest."""

import functools
import re

_CAPITAL = re.compile(r'(?:^"?|(?<=[.!?] ")|(?<=[.!?]" ")|(?<=[.!?] ))[a-z]')


@functools.cache
def _parse(text):
    parts, at = _parse_until(text, 0, "")
    if at != len(text):
        raise ValueError(f"unbalanced ']' or '|' at {at} in template: {text}")
    return parts


def _parse_until(text, at, stops):
    parts, plain = [], ""
    while at < len(text) and text[at] not in stops:
        c = text[at]
        if c == "[":
            options = []
            while True:
                option, at = _parse_until(text, at + 1, "|]")
                options.append(option)
                if at >= len(text):
                    raise ValueError(f"missing ']' in template: {text}")
                if text[at] == "]":
                    break
            parts += [plain, options]
            plain = ""
        elif c == "{":
            end = text.index("}", at)
            parts += [plain, (text[at + 1 : end],)]
            plain, at = "", end
        else:
            plain += c
        at += 1
    parts.append(plain)
    return parts, at


def _render(parts, slots, rng, out):
    for part in parts:
        if isinstance(part, str):
            out.append(part)
        elif isinstance(part, tuple):
            _render(_parse(slots[part[0]]), slots, rng, out)
        else:
            _render(part[int(rng.random() * len(part))], slots, rng, out)


def expand(text, slots, rng):
    """Fills a template; the first letter, and each letter after a full stop, becomes a capital."""
    out = []
    _render(_parse(text), slots, rng, out)
    return _CAPITAL.sub(lambda m: m.group().upper(), "".join(out))


def with_article(phrase):
    """``red ball`` to ``a red ball``, ``orange kite`` to ``an orange kite``."""
    return ("an " if phrase[0] in "aeio" or phrase.startswith("umb") else "a ") + phrase
