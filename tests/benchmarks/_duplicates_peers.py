"""Peers of the benchmark of duplicates, run by the Python that has rapidfuzz.

Reads texts of cards as JSON from a file, compares all pairs by ``token_set_ratio`` and writes
those from a ratio on: [[first, second, ratio], ...].
"""

import json
import sys

import numpy
from rapidfuzz import fuzz, process, utils

LOWEST = 60
PAGE = 500


def main(source, target):
    with open(source, encoding="utf-8") as file:
        asked = json.load(file)
    texts = [utils.default_process(text) for text in asked["texts"]]
    queries = asked["queries"]  # places of the cards that are looked for; None: each with each
    places = range(len(texts)) if queries is None else queries
    others = [place for place in range(len(texts)) if queries is None or place not in set(queries)]
    found = []
    for start in range(0, len(places), PAGE):
        page = places[start : start + PAGE]
        matrix = process.cdist(
            [texts[place] for place in page],
            [texts[place] for place in others],
            scorer=fuzz.token_set_ratio,
            score_cutoff=LOWEST,
            dtype=numpy.uint8,
        )
        for row, column in zip(*numpy.nonzero(matrix), strict=True):
            first, second = page[row], others[column]
            if queries is not None or first < second:
                found.append((int(first), int(second), int(matrix[row, column])))
    with open(target, "w", encoding="utf-8") as file:
        json.dump(found, file)


if __name__ == "__main__":
    main(*sys.argv[1:])
