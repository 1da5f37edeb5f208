# ruff: noqa: RUF001 Cyrillic is meant
"""Sets of clients with known duplicates, for the benchmark of duplicates.

Real ones are taken from the folder that ``CRM_SAMPLE_DATA`` names, or ``../shared/data`` beside
the checkout; without it there are generated ones only.
"""

import csv
import itertools
import lzma
import os
import re
from collections import defaultdict
from datetime import date
from pathlib import Path

FORMS = ("ООО", "АО", "ЗАО", "ПАО", "LLC", "Ltd", "общество с ограниченной ответственностью")
SCHEMES = (
    dict(zip("жхцчшщъыьэюяйё", "zh kh ts ch sh shch - y - e yu ya y e".split(), strict=True)),
    dict(zip("жхцчшщъыьэюяйё", "zh h c ch sh sch - y - e ju ja j jo".split(), strict=True)),
    dict(zip("жхцчшщъыьэюяйё", "zh kh ts ch sh shch ie y - e iu ia i e".split(), strict=True)),
)
SIMPLE = dict(zip("абвгдезиклмнопрстуф", "abvgdeziklmnoprstuf", strict=True))


def find_folder():
    folders = [os.environ.get("CRM_SAMPLE_DATA"), Path(__file__).parents[3] / "shared" / "data"]
    for folder in filter(None, folders):
        if (Path(folder) / "febrl").is_dir():
            return Path(folder)
    return None


def read_febrl(folder, number):
    """Persons; the last digits of the names of records tell who is who.

    :return: (list of values of partners, set of pairs of places in the list)
    """
    rows, people = [], defaultdict(list)
    with open(folder / "febrl" / f"dataset{number}.csv", encoding="utf-8") as source:
        for line in csv.DictReader(source, skipinitialspace=True):
            person = {key.strip(): (value or "").strip() for key, value in line.items()}
            people[person["rec_id"].split("-")[1]].append(len(rows))
            rows.append(
                {
                    "name": f"{person['given_name']} {person['surname']}".strip() or "?",
                    "street": f"{person['street_number']} {person['address_1']}".strip(),
                    "street2": person["address_2"],
                    "city": person["suburb"],
                    "zip": person["postcode"],
                    "ref": person["soc_sec_id"],
                    "crm_birthdate": read_date(person["date_of_birth"]),
                }
            )
    return rows, {pair for group in people.values() for pair in itertools.combinations(group, 2)}


def read_date(text):
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:8])).isoformat()
    except ValueError:
        return None


def read_restaurants(folder):
    """Restaurants of two guides; the pairs go from one guide to the other."""
    rows, places = [], {}
    for guide in ("fodors", "zagats"):
        with open(folder / "restaurants" / f"{guide}.csv", encoding="utf-8") as source:
            for line in csv.DictReader(source):
                places[guide, line["id"]] = len(rows)
                rows.append(
                    {
                        "name": line["name"],
                        "street": line["addr"],
                        "city": line["city"],
                        "phone": line["phone"],
                        "is_company": True,
                    }
                )
    with open(folder / "restaurants" / "matches_fodors_zagats.csv", encoding="utf-8") as source:
        pairs = {
            (places["fodors", line["fodors_id"]], places["zagats", line["zagats_id"]])
            for line in csv.DictReader(source)
        }
    return rows, pairs


def read_companies(folder):
    """Russian companies, each with its INN."""
    path = folder / "russian_companies" / "fns_legal_entities.csv.xz"
    with lzma.open(path, "rt", encoding="utf-8") as source:
        return [
            {
                "name": line["full_name"],
                "vat": line["inn"],
                "city": line["city"].removeprefix("ГОРОД ").title(),
                "is_company": True,
            }
            for line in csv.DictReader(source)
        ]


def make_companies(rng, count):
    """Companies of invented words, some of which are frequent."""
    words = make_words(rng, max(count // 3, 50))
    frequent = make_words(rng, 30)
    return [
        {
            "name": f"ООО «{' '.join(pick_name(rng, words, frequent))}»".upper(),
            "vat": make_inn(rng),
            "city": rng.choice(("Москва", "Казань", "Пермь")),
            "is_company": True,
        }
        for _number in range(count)
    ]


def pick_name(rng, words, frequent):
    name = [rng.choice(words)]
    if rng.random() < 0.7:
        name.append(rng.choice(words))
    if rng.random() < 0.4:
        name.insert(rng.randint(0, len(name)), rng.choice(frequent))
    return name


def make_words(rng, count):
    consonants, vowels = "бвгджзклмнпрстфхцчш", "аеиоуыя"
    return [
        "".join(rng.choice(consonants) + rng.choice(vowels) for _ in range(rng.randint(2, 4)))
        + rng.choice(("", "н", "р", "с", "т"))
        for _number in range(count)
    ]


def make_inn(rng):
    digits = [rng.randint(1, 9) for _ in range(9)]
    weights = (2, 4, 10, 3, 5, 9, 4, 6, 8)
    check = sum(digit * weight for digit, weight in zip(digits, weights, strict=True)) % 11 % 10
    return "".join(map(str, [*digits, check]))


# ----------------------------------------------------------------------
# other spellings
# ----------------------------------------------------------------------


def get_core(name):
    """A name without its legal form and quotes: what is between the quotes, if anything."""
    quoted = re.search(r"[\"«](.+)[\"»]", name)
    core = quoted[1] if quoted else name
    core = re.sub("общество с ограниченной ответственностью", " ", core, flags=re.IGNORECASE)
    core = re.sub(r"[\"«»]", " ", core)
    return " ".join(core.split()).title()


def misspell(rng, name, slips=1):
    """Letters left out, doubled, mistaken or swapped, in words of four letters and more."""
    letters = list(name)
    for _number in range(slips):
        places = [
            match.start() + offset
            for match in re.finditer(r"[^\W\d_]{4,}", "".join(letters))
            for offset in range(len(match[0]))
        ]
        if not places:
            break
        place = rng.choice(places)
        slip = rng.randrange(4)
        if slip == 0:
            del letters[place]
        elif slip == 1:
            letters.insert(place, letters[place])
        elif slip == 2:
            cyrillic = re.match(r"[а-яё]", letters[place], re.IGNORECASE)
            letters[place] = rng.choice("аеиоурстнлвк" if cyrillic else "aeiourstnlvk")
        elif place + 1 < len(letters) and letters[place + 1].isalpha():
            letters[place], letters[place + 1] = letters[place + 1], letters[place]
    return "".join(letters)


def transliterate(rng, name):
    scheme = SIMPLE | rng.choice(SCHEMES)
    text = "".join(scheme.get(letter, letter).replace("-", "") for letter in name.lower())
    return text.title()


def swap(rng, name):
    words = name.split()
    rng.shuffle(words)
    return " ".join(words)


def respell(rng, name):
    """Another spelling of the name of a company.

    :return: (kind, name)
    """
    core = get_core(name)
    kind = rng.choice(("misspelt", "form", "latin", "swapped"))
    if kind == "swapped" and len(core.split()) < 2:
        kind = "misspelt"
    if kind == "misspelt":
        core = misspell(rng, core, slips=1 + (len(core) > 12 and rng.random() < 0.3))
        return kind, f"ООО «{core}»"
    if kind == "form":
        form = rng.choice((*FORMS, ""))
        return kind, (f"{form} {core}" if rng.random() < 0.5 else f"{core}, {form}").strip(" ,")
    if kind == "latin":
        core = transliterate(rng, core)
        if rng.random() < 0.3:
            core = misspell(rng, core)
        return kind, f"{core} {rng.choice(('LLC', 'OOO', ''))}".strip()
    return kind, f"ООО {swap(rng, core)}"
