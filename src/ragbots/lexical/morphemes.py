"""Text to terms: the morphemes that carry meaning, particles and endings dropped."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache

from kiwipiepy import Kiwi, Token

# Nouns, numerals, roots, verbs and adjectives, foreign words, numbers, Chinese characters.
_KEPT = frozenset({"NNG", "NNP", "NNB", "NR", "XR", "VV", "VA", "SL", "SN", "SH", "MAG", "XPN"})
# Verbs and nouns that stand in every rule and every question and tell nothing apart.
_EMPTY = frozenset(
    {"하", "되", "있", "없", "않", "이", "것", "수", "때", "등", "및", "바", "안", "못", "더", "또", "좀"}
)
_SEPARATORS = str.maketrans({"ㆍ": " ", "·": " ", "∙": " ", "・": " "})
_NEAR, _ALIKE = 40, 0.6  # words used alike that are looked at, and how alike they must be
_KNOWN_WORDS = 20_000  # whose like are kept: to find them takes 4 ms a word, most of the reading of a question
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3})")


class Morphemes:
    """Kiwi with an installation's own words (names, defined terms, glossary entries).

    Terms of a text are the same whether it came in NFC or NFD, with · or ㆍ between words, with or
    without commas in its numbers.
    """

    id = "kiwi-0.24.1/terms-1"

    def __init__(self, words: Iterable[str] = ()) -> None:
        self._kiwi = Kiwi(num_workers=1)
        for word in sorted(set(words)):
            self._kiwi.add_user_word(word, "NNP")
        self._near = lru_cache(_KNOWN_WORDS)(self._find_near)

    def terms(self, text: str) -> list[str]:
        return self.terms_of_many([text])[0]

    def terms_of_many(self, texts: Sequence[str]) -> list[list[str]]:
        """The terms of each text, in order."""
        prepared = [prepare(text) for text in texts]
        return [[term for token in tokens for term in _terms(token)] for tokens in self._kiwi.tokenize(prepared)]

    def similar(self, text: str) -> dict[str, float]:
        """Other words that are used like those of the text, by how alike they are (0–1)."""
        found: dict[str, float] = {}
        for token in self._kiwi.tokenize(prepare(text)):
            if not _terms(token):
                continue
            for word, alike in self._near(token.form, token.tag):
                found[word] = max(found.get(word, 0.0), alike)
        return found

    def _find_near(self, form: str, tag: str) -> list[tuple[str, float]]:
        try:
            near = self._kiwi.most_similar_morphemes((form, tag), top_n=_NEAR)
        except ValueError:  # a word that the model has not met
            return []
        return [(one.form.lower(), one.score) for one in near if one.score > _ALIKE]


def prepare(text: str) -> str:
    plain = unicodedata.normalize("NFKC", text.translate(_SEPARATORS))
    return _THOUSANDS.sub("", plain)


def bigrams(text: str) -> list[str]:
    """Each word's pairs of neighbouring characters: `연차휴가` and `연차 휴가` share most of them, a misspelt word
    some of the right one's."""
    words = ["".join(filter(str.isalnum, word)) for word in prepare(text).lower().split()]
    return [word[at : at + 2] for word in words for at in range(len(word) - 1)]


def _terms(token: Token) -> list[str]:
    tag = token.tag.partition("-")[0]
    if tag not in _KEPT or token.form in _EMPTY:
        return []
    return [token.form.lower()]
