# ruff: noqa: RUF001, RUF002, RUF003 Cyrillic is meant
"""What remains of a name when spelling does not count. Plain Python, no database.

A name is folded into words that no longer depend on case, diacritics, quotes, the legal form,
Latin letters typed among Cyrillic ones and the alphabet. Each word has a *sound* as well, in
which the usual ways to write Cyrillic in Latin letters (ISO 9, GOST 7.79, BGN/PCGN, passports,
German, everyday use) come out the same: Щукин, Shchukin, Schukin; Юлия, Yuliya, Julia, Iuliia.
"""

import re
import unicodedata
from functools import lru_cache
from typing import NamedTuple

# Latin letters that look like Cyrillic ones
_TWINS = str.maketrans("abcehkmoptxy", "авсенкмортху")
_TWIN_WORD = re.compile(r"[abcehkmoptxy]{2,}\Z")
_CYRILLIC = re.compile(r"[\u0400-\u052f]")
_LATIN = re.compile(r"[a-z]")
_LATIN_OF = str.maketrans(
    {
        "а": "a", "б": "b", "в": "v", "г": "g", "д": "d", "е": "e", "ж": "zh", "з": "z",
        "и": "i", "к": "k", "л": "l", "м": "m", "н": "n", "о": "o", "п": "p", "р": "r",
        "с": "s", "т": "t", "у": "u", "ф": "f", "х": "kh", "ц": "ts", "ч": "ch", "ш": "sh",
        "щ": "shch", "ъ": "", "ы": "y", "ь": "", "э": "e", "ю": "yu", "я": "ya",
        # Ukrainian, Belarusian, Kazakh, Serbian
        "і": "i", "є": "e", "ґ": "g", "ә": "a", "ғ": "g", "қ": "k", "ң": "n", "ө": "o",
        "ұ": "u", "ү": "u", "һ": "h", "ђ": "d", "ј": "i", "љ": "l", "њ": "n", "ћ": "ch",
        "џ": "dzh",
    }
)  # fmt: skip
# letters that are not a letter with a mark
_LETTERS = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "æ": "ae", "œ": "oe", "ı": "i", "þ": "th", "ð": "d", "№": " "}
)
_APOSTROPHES = re.compile(r"(?<=\w)['`’ʼ‘´](?=\w)")
_QUOTED = re.compile(r"[«\"“„](.*[^\W_].*)[»\"”]")
_NUMBER_OR_LETTERS = re.compile(r"\d+|\D+")
_WORD = re.compile(r"[^\W_]+")
# words that join others; a name is the same with and without them
_JOINTS = {"and", "the", "und", "et", "и"}
# longer legal forms are not written with full stops
LONGEST_SPELT = 5
_SOUNDS = [
    (re.compile(pattern), sound)
    for pattern, sound in (
        (r"shch|sch|sh", "S"),
        (r"tch|ch", "C"),
        (r"zh", "Z"),
        (r"kh", "h"),
        (r"ph", "f"),
        (r"th", "t"),
        (r"ck|q", "k"),
        (r"x", "ks"),
        (r"tz|ts|c(?=[eiy])", "s"),
        (r"c", "k"),
        (r"w", "v"),
        (r"[yj]", "i"),
        (r"i+(?=[aeou])", ""),
        (r"(?<=[aou])e", ""),
        (r"(?<=e)i\b|(?<=i)i\b", ""),
        (r"(.)\1+", r"\1"),
    )
]

_LETTER_OF = {
    "shch": "W", "zh": "Z", "kh": "H", "ts": "T", "ch": "C", "sh": "S", "yu": "U", "ya": "A",
}  # fmt: skip
_DIGRAPHS = re.compile("|".join(_LETTER_OF))


class _Marks(dict):
    """Takes accents and other combining marks out of a text; learns characters as they come."""

    def __missing__(self, code):
        self[code] = None if unicodedata.combining(chr(code)) else code
        return self[code]


_MARKS = _Marks()


class FoldedName(NamedTuple):
    """A name without its spelling: words in their order, and the legal form on its own."""

    words: tuple  # Latin letters and digits, in the order of the name
    form: str  # code of the legal form, "" if there is none
    cyrillic: bool  # whether the name was written in Cyrillic
    outside: frozenset = frozenset()  # words outside the quotes: Строительная компания «Весна»

    @property
    def key(self):
        """The words in alphabetical order; equal for names that differ in word order only."""
        return " ".join(sorted(self.words))

    @property
    def compact(self):
        """The words without blanks: equal whether words are written together or apart."""
        return "".join(self.words)


class LegalForms:
    """The words by which legal forms are recognised.

    :param forms: iterable of (code, spellings): "LLC", ["LLC", "Limited Liability Company"];
        a short one is recognised with full stops, too: L.L.C.
        A spelling of one word counts at the beginning or end of a name only, as in ООО Весна and
        Spring LLC; a longer one anywhere.
    """

    def __init__(self, forms=()):
        self._codes = {}
        # long ones however they are brought into Latin letters
        self._sounds = {}
        for code, spellings in forms:
            for spelling in (code, *spellings):
                self._add(tuple(_split(spelling)), code)
        self._longest = max(map(len, self._codes), default=0)

    def _add(self, words, code):
        variants = {words, tuple("".join(words))}
        if _is_spelt(words):
            variants.add(("".join(words),))
        if len("".join(words)) > LONGEST_SPELT:
            variants = {words}
        for variant in filter(None, variants):
            self._codes.setdefault(variant, code)
            # Romashka OOO: the form is written in Latin letters like the name
            self._codes.setdefault(tuple(map(_transliterate, variant)), code)
            if len(variant) > 1 and len("".join(variant)) > LONGEST_SPELT:
                self._sounds.setdefault(_get_sounds(variant), code)

    def strip(self, words):
        """Take the legal form out of a name.

        :param list words: as split, in the alphabet of the name
        :return: (words, code): the rest, all words if nothing else would remain; "" if none
        """
        rest, found = list(words), ""
        changed = True
        while changed and rest:
            changed = False
            for size in range(min(self._longest, len(rest)), 0, -1):
                last = len(rest) - size
                places = range(last + 1) if size > 1 else {0, last}
                for place in places:
                    words = tuple(rest[place : place + size])
                    code = self._codes.get(words)
                    if not code and size > 1 and self._sounds:
                        code = self._sounds.get(_get_sounds(words))
                    if code and _is_spelt(words):
                        # Р. П. К. is no П. К.
                        around = rest[max(place - 1, 0) : place] + rest[place + size :][:1]
                        code = min(map(len, around), default=2) > 1 and code
                    if code and len(rest) > size:
                        del rest[place : place + size]
                        found = found or code
                        changed = True
                        break
                if changed:
                    break
        return rest, found


NO_FORMS = LegalForms()


def fold_name(text, forms=NO_FORMS):
    """Fold a name.

    :param str text: as somebody has typed it; None is an empty name
    :param LegalForms forms: legal forms to take out
    :return: FoldedName
    """
    words, form = forms.strip(_split_numbers(text))
    kept = [word for place, word in enumerate(words) if not _is_joint(words, place)] or words
    folded = tuple(filter(None, map(_transliterate, kept)))
    outside = frozenset()
    if quoted := _QUOTED.search(text or ""):
        inside = set(map(_transliterate, _split_numbers(quoted[1])))
        outside = frozenset(folded) - inside
        if len(outside) == len(set(folded)):
            outside = frozenset()
    return FoldedName(folded, form, any(_CYRILLIC.search(word) for word in kept), outside)


def _get_sounds(words):
    return tuple(get_sound(_transliterate(word)) for word in words)


def _is_spelt(words):
    return len(words) > 1 and all(len(word) == 1 for word in words)


def _is_joint(words, place):
    """Whether a word only joins its neighbours; in Иванов И. И. it is an initial."""
    if words[place] not in _JOINTS:
        return False
    around = words[max(place - 1, 0) : place] + words[place + 1 : place + 2]
    return len(words[place]) > 1 or (len(around) == 2 and min(map(len, around)) > 1)


def fold_words(text):
    """Words of any text in Latin letters, without case, diacritics and punctuation.

    :return: list of str
    """
    return [_transliterate(word) for word in _split(text)]


@lru_cache(maxsize=200_000)
def get_sound(word):
    """How a folded word sounds, whichever way it was brought into Latin letters.

    :param str word: of a FoldedName
    :return: str: letters; upper case are sounds of their own. Words with digits stay as they are.
    """
    if any(character.isdigit() for character in word):
        return word.lstrip("0") or word
    sound = word
    for pattern, replacement in _SOUNDS:
        sound = pattern.sub(replacement, sound)
    return sound or word


@lru_cache(maxsize=200_000)
def get_letters(word):
    """A folded word with one character for each Cyrillic letter: slips are made in letters.

    :param str word: of a FoldedName
    :return: str: upper case are letters that are two or more in Latin
    """
    return _DIGRAPHS.sub(lambda found: _LETTER_OF[found[0]], word)


@lru_cache(maxsize=50_000)
def get_twin_reading(word):
    """The word that somebody meant who typed МОСТ with Latin letters (MOCT), or None."""
    if not _TWIN_WORD.match(word):
        return None
    return _transliterate(word.translate(_TWINS))


def get_neighbours(word):
    """The word itself and what remains of it without any one of its letters.

    Two words which are one letter apart (missing, extra, other, two swapped) have one of these
    in common. Words with digits and very short ones stand for themselves alone: 5 is not 6.

    :param str word: a sound
    :return: set of str
    """
    if len(word) < 4 or any(character.isdigit() for character in word):
        return {word}
    return {word, *(word[:place] + word[place + 1 :] for place in range(len(word)))}


def _split(text):
    """Words in lower case without diacritics, in their own alphabet."""
    text = (text or "").casefold().translate(_LETTERS)
    if not text.isascii():
        text = unicodedata.normalize("NFKD", text).translate(_MARKS)
    text = _APOSTROPHES.sub("", text)
    return [_untwin(word) for word in _WORD.findall(text)]


def _split_numbers(text):
    """The same, and numbers apart from letters: СУ-152, СУ 152 and СУ152 are one."""
    return [part for word in _split(text) for part in _NUMBER_OR_LETTERS.findall(word)]


def _untwin(word):
    """Latin letters among Cyrillic ones are Cyrillic ones typed on the wrong keyboard."""
    if _LATIN.search(word) and _CYRILLIC.search(word):
        return word.translate(_TWINS)
    return word


@lru_cache(maxsize=200_000)
def _transliterate(word):
    return word.translate(_LATIN_OF)
