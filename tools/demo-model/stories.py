"""Seeded short stories: a hero, a friend, a small trouble, a good end.

Every story is a cast, an opening, one of the plots of ``plots.py`` and a closing. Sentences are
grammatical by construction: a template only ever meets words that fit its slots.

    python3 stories.py --seed 7 --count 3
"""

import argparse
import random

import plots
import words
from template import expand, with_article


def _person(rng, taken):
    """A name, what it belongs to, and its pronouns."""
    while True:
        draw = rng.random()
        if draw < 0.36:
            name, kind, girl = rng.choice(words.GIRLS), "girl", True
        elif draw < 0.72:
            name, kind, girl = rng.choice(words.BOYS), "boy", False
        else:
            name, kind, girl = rng.choice(words.ANIMAL_NAMES), rng.choice(words.ANIMALS), rng.random() < 0.5
        if name not in taken:
            return name, kind, girl


def _pronouns(girl):
    return ("she", "her", "her", "herself") if girl else ("he", "him", "his", "himself")


def cast(rng):
    """The hero X and the grown-up of the family; they stay the same through a whole story."""
    name, kind, girl = _person(rng, ())
    she = rng.random() < 0.5
    slots = {"X": name, "kind": kind, "nature": rng.choice(words.NATURES), "home": rng.choice(words.HOMES)}
    slots["a_nature"] = with_article(slots["nature"])
    slots["he"], slots["him"], slots["his"], slots["himself"] = _pronouns(girl)
    slots["elder"] = rng.choice(words.ELDERS_HER if she else words.ELDERS_HIM)
    slots["ehe"], slots["ehim"], slots["ehis"], _ = _pronouns(she)
    return slots


def episode(plot, slots, rng):
    """Draws what changes from plot to plot (the friend Y, the season, the things) and tells the plot."""
    friend, kind, girl = _person(rng, (slots["X"], slots.get("Y")))
    slots |= {"Y": friend, "ykind": kind, "season": rng.choice(words.SEASONS), "food": rng.choice(words.FOODS)}
    slots["ynature"] = rng.choice([nature for nature in words.NATURES if nature != slots["nature"]])
    slots["a_ynature"] = with_article(slots["ynature"])
    slots["yhe"], slots["yhim"], slots["yhis"], slots["yhimself"] = _pronouns(girl)
    slots["morning"] = rng.choice(words.MORNINGS)
    slots["weather"] = rng.choice(words.WEATHER[slots["season"]])
    slots["toy"] = f"{rng.choice(words.COLORS)} {rng.choice(words.TOYS)}"
    slots["a_toy"] = with_article(slots["toy"])
    slots["thing"] = slots["toy"].split()[1]
    slots["moral"] = rng.choice(plots.MORALS[plot])
    told = plot(slots, rng)
    if plot in plots.OUTDOORS and rng.random() < 0.6:
        told.insert(1, rng.choice(words.DETAILS) if rng.random() < 0.5 else "{weather}.")
    return [expand(sentence, slots, rng) for sentence in told]


def story(rng):
    """One story on one line; every third has two plots."""
    slots = cast(rng)
    first, second = rng.sample(plots.PLOTS, 2)
    sentences = [expand(rng.choice(plots.OPENINGS), slots, rng)]
    if rng.random() < 0.6:
        sentences.append(expand(rng.choice(plots.ABOUT), slots, rng))
    sentences += episode(first, slots, rng)
    if rng.random() < 0.33:
        sentences.append(expand(rng.choice(plots.AGAIN), slots, rng))
        sentences += episode(second, slots, rng)
    if rng.random() < 0.8:
        met = any(slots["Y"] in sentence for sentence in sentences)
        closings = [closing for closing in plots.CLOSINGS if met or "{Y}" not in closing]
        sentences.append(expand(rng.choice(closings), slots, rng))
    return " ".join(sentences)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=5)
    options = parser.parse_args()
    rng = random.Random(options.seed)
    for _ in range(options.count):
        print(story(rng), end="\n\n")


if __name__ == "__main__":
    main()
