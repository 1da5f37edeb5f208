# ruff: noqa: RUF001, RUF003 Cyrillic is meant
"""What a pasted e-mail signature, business card or requisites tell about a client.

Nothing is guessed from a name alone: each piece is recognised by its form (addresses, numbers
with a check digit), by a label beside it or by a word that only stands in such a piece (legal
forms, posts, street kinds). What is left over is not filled in anywhere. Plain Python, no database.
"""

import re
from dataclasses import dataclass, field

import phonenumbers

from . import contact_words as words
from .legal_numbers import (
    LegalNumberError,
    check_bic,
    check_bik_account,
    check_iban,
    check_inn,
    check_kpp,
    check_ogrn,
)

EMAIL = re.compile(r"(?<![\w.+'-])[\w.+'-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,5}")
URL = re.compile(
    r"(?:https?://|www\.)[^\s,;|<>()]{1,300}|(?<![@\w.-])(?:[\w-]{1,63}\.){1,5}(?:ru|com|net|org|de|eu|uk|lv|ee|lt|"
    r"kz|by|ua|fr|it|es|pl|nl|io|biz|info|рф|su)(?:/[^\s,;|<>()]{0,300})?(?![\w@])",
    re.IGNORECASE,
)
# networks where people, not companies, have their pages
SOCIAL = re.compile(r"(facebook|linkedin|instagram|twitter|x|vk|t|wa|youtube)\.(com|me|ru)", re.I)
SEPARATORS = re.compile(r"[|•·●▪■◆]|\s{4}|\t|\s[–—/]\s")
LABEL = r"\s{0,9}[:№#.\-–]{0,3}\s{0,9}"
# pairs first: "ИНН/КПП 7707083893/773601001"
INN_KPP = re.compile(
    r"(?:ИНН|INN)\s*[/\\,]\s*(?:КПП|KPP)" + LABEL + r"(\d[\d ]{9,13})\s*[/\\,]\s*([\dA-Z ]{9,11})",
    re.I,
)
NUMBERS = (
    (
        "inn",
        re.compile(r"(?:ИНН|\bINN)" + LABEL + r"((?:\d ?){12}|(?:\d ?){10})(?!\d)", re.I),
        check_inn,
    ),
    ("kpp", re.compile(r"(?:КПП|\bKPP)" + LABEL + r"(\d{4} ?[\dA-Z]{2} ?\d{3})", re.I), check_kpp),
    (
        "ogrn",
        re.compile(
            r"(?:ОГРНИП|ОГРН|\bOGRNIP|\bOGRN)" + LABEL + r"((?:\d ?){15}|(?:\d ?){13})(?!\d)", re.I
        ),
        check_ogrn,
    ),
    ("bic", re.compile(r"(?:БИК|\bBIK)" + LABEL + r"((?:\d ?){9})(?!\d)", re.I), check_bic),
    (
        "bic",
        re.compile(
            r"(?:SWIFT(?:[ /-]?(?:BIC|code))?|\bBIC)"
            + LABEL
            + r"([A-Z]{6}[A-Z0-9]{2}(?:[A-Z0-9]{3})?)\b",
            re.I,
        ),
        check_bic,
    ),
    (
        "account",
        re.compile(r"\b([A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?)\b"),
        check_iban,
    ),
)
ACCOUNT = re.compile(
    r"(?:р\s*/\s*сч?[её]?т?|р\.\s*с\.|расч[её]тный\s+сч[её]т|расч\.?\s*сч[её]?т?\.?|сч[её]т|account(?:\s+no)?)"
    + LABEL
    + r"((?:\d ?){20})(?!\d)",
    re.I,
)
CORRESPONDENT = re.compile(
    r"(?:к\s*/\s*сч?[её]?т?|к\.\s*с\.|корр?\.?\s*/?\s*сч[её]?т?\.?|корреспондентский\s+сч[её]т)"
    + LABEL
    + r"(?:\d ?){20}",
    re.I,
)
VAT = re.compile(
    r"(?:VAT|USt-?Id(?:\.?-?Nr)?|TVA|PVN|BTW|P\.?\s?IVA|UID|Tax\s+ID)(?:\s*(?:no|nr|reg|number|ID)\b)*\.?"
    + LABEL
    + r"([A-Z]{2}[A-Z0-9 .]{6,15}[A-Z0-9])",
    re.I,
)
BANK = re.compile(r"^(?:в\s+)?(?:банк(?:е)?(?: получателя)?|bank)\s*[:\-–]\s*(.+)$", re.I)
# numbers that only Russia has; its tax number is called so in Kyrgyzstan and Tajikistan, too
RUSSIAN_LABEL = re.compile(r"\b(?:КПП|ОГРН|ОГРНИП|БИК)\b")
# "Генеральный директор Сидоров А. В."
FUNCTION_NAME = re.compile(
    r"^(.+?\s)([А-ЯЁ][а-яё-]+\s+(?:[А-ЯЁ]\.\s?[А-ЯЁ]\.?|[А-ЯЁ][а-яё]+\s+[А-ЯЁ][а-яё]+(?:ич|на)))$"
)
LABELLED = {
    "name": re.compile(
        r"^(?:name|имя|ф\.?и\.?о\.?|контактное лицо|contact(?: person)?)\s*:\s*(.+)$", re.I
    ),
    "function": re.compile(r"^(?:title|position|job title|должность)\s*:\s*(.+)$", re.I),
    "company": re.compile(
        r"^(?:company|organi[sz]ation|компания|организация|наименование)\s*:\s*(.+)$", re.I
    ),
    "address": re.compile(
        r"^(?:(?:legal|postal|office|business|юр(?:идический|\.)?|почтовый|фактический|факт\.?)\s*)?"
        r"(?:address|addr\.?|адрес|а)\s*:\s*(.+)$",
        re.I,
    ),
}
PHONE_LABEL = re.compile(
    r"(?:^|(?<=[\s,;|(]))(?:tel(?:ephone)?|phone|mob(?:ile)?|cell|fax|office|direct|whatsapp|viber|telegram|"
    r"тел(?:ефон)?|моб(?:ильный)?|сот(?:овый)?|факс|раб(?:очий)?|(?:т|м|ф|[tmfopcde])(?=\s*[.:]+\s*(?:[|,;•·]|$)))\s*[.:]+",
    re.I | re.M,
)
MOBILE = (phonenumbers.PhoneNumberType.MOBILE,)
ZIP = re.compile(
    r"(?<!\d)(\d{6}|\d{5}(?:-\d{4})?|[A-Z]{2}-\d{4,5}|[A-Z]{1,2}\d[A-Z\d]? \d[A-Z]{2})(?!\d)"
)


# more is a correspondence, not a signature
MAX_CHARS = 10000
MAX_LINE = 300


@dataclass
class ContactText:
    """What was recognised; empty where nothing was."""

    name: str = ""
    function: str = ""
    company: str = ""
    emails: list = field(default_factory=list)
    phones: list = field(default_factory=list)  # international, mobile ones first
    website: str = ""
    street: str = ""
    city: str = ""
    zip: str = ""
    country: str = ""  # two letters, by the telephone number or the name of the country
    vat: str = ""
    kpp: str = ""
    ogrn: str = ""
    bic: str = ""
    bank: str = ""
    account: str = ""

    def __bool__(self):
        return any(bool(value) for value in vars(self).values())


def recognise(text, country_code=""):
    """Read a signature, a business card or requisites.

    :param str text: as pasted
    :param str country_code: in which telephone numbers without a country are read
    :return: ContactText
    """
    found = ContactText()
    text = _clean(text)
    region = _guess_region(text, (country_code or "").upper())
    text = _take_numbers(text, found)
    text = _take_addresses(text, found)
    text = _take_phones(text, found, region)
    lines = _split_lines(text)
    lines = _take_labelled(lines, found)
    lines = _take_company(lines, found)
    lines = _take_function(lines, found)
    lines = _take_address(lines, found)
    _take_name(lines, found)
    return found


def _clean(text):
    """Without signs of quoting, invisible characters and farewells."""
    text = (
        (text or "")
        .replace("\r", "\n")
        .translate({0xA0: " ", 0x202F: " ", 0x200B: None, 0xFEFF: None})
    )
    lines = []
    for line in text[:MAX_CHARS].split("\n"):
        line = re.sub(r"^[>\s]+", "", line)[:MAX_LINE].strip(" \t*_-=~")
        if line and not words.FAREWELL.match(line):
            lines.append(line)
    return "\n".join(lines)


def _take_numbers(text, found):
    """Numbers of the state and of banks: labelled, and right by their check digit."""
    if match := INN_KPP.search(text):
        inn, kpp = _try(check_inn, match[1]), _try(check_kpp, match[2])
        if inn and kpp:
            found.vat, found.kpp = inn, kpp
            text = text.replace(match[0], " ")
    if RUSSIAN_LABEL.search(text):
        found.country = "RU"
    text = CORRESPONDENT.sub(" ", text)
    for name, pattern, check in NUMBERS:
        for match in pattern.finditer(text):
            number = _try(check, match[1])
            target = "vat" if name == "inn" else name
            if number:
                if not getattr(found, target):
                    setattr(found, target, number)
                text = text.replace(match[0], " ", 1)
    for match in ACCOUNT.finditer(text):
        account = re.sub(r"\D", "", match[1])
        is_wrong = found.bic[:1] == "0" and not _try(
            lambda n: check_bik_account(found.bic, n), account
        )
        if not found.account and not is_wrong:
            found.account = account
        text = text.replace(match[0], " ", 1)
    if not found.vat and (match := VAT.search(text)):
        found.vat = re.sub(r"[ .]", "", match[1]).upper()
        text = text.replace(match[0], " ")
    return text


def _try(check, number):
    try:
        return check(number)
    except LegalNumberError:
        return ""


def _take_addresses(text, found):
    """E-mail addresses and the website."""
    for match in EMAIL.finditer(text):
        email = match[0].strip(".'").lower()
        if email not in found.emails:
            found.emails.append(email)
    text = re.sub(
        r"(?:e-?mail|эл\.?\s*почта|почта|[eе])\s*[:.]\s*(?=[\w.+'-]+@)", " ", text, flags=re.I
    )
    text = EMAIL.sub(" ", text)
    for match in URL.finditer(text):
        url = match[0].rstrip("./")
        if not SOCIAL.search(url) and not found.website:
            found.website = url if url.startswith("http") else f"https://{url}"
        text = text.replace(match[0], " ", 1)
    return re.sub(r"(?:web(?:site)?|сайт|site|[w])\s*:\s*(?=\s|$)", " ", text, flags=re.I)


def _take_phones(text, found, region):
    """Telephone numbers in any spelling; fax numbers are left out."""
    numbers, pieces, end = [], [], 0
    for match in phonenumbers.PhoneNumberMatcher(text, region or None):
        before = text[: match.start].split("\n")[-1]
        is_fax = re.search(
            r"(?<!тел\./)(?<!tel\./)(?<!тел/)(?:fax|факс|\bf|\bф)\s*[.:]*\s*$", before, re.I
        )
        pieces += [text[end : match.start], " "]
        end = match.end
        if not is_fax:
            numbers.append(match.number)
    text = "".join([*pieces, text[end:]])
    # the sort keeps the order of those of one kind
    numbers.sort(key=lambda number: phonenumbers.number_type(number) not in MOBILE)
    for number in numbers:
        spelt = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
        if spelt not in found.phones:
            found.phones.append(spelt)
    if numbers and not found.country:
        found.country = phonenumbers.region_code_for_number(numbers[0]) or ""
    return PHONE_LABEL.sub(" ", text)


def _guess_region(text, default):
    """In which country numbers without a country are written.

    :param str default: two letters; holds unless the text can only come from another country
    """
    if RUSSIAN_LABEL.search(text):
        return "RU"
    if re.search(r",\s*[A-Z]{2}\s+\d{5}(?:-\d{4})?\b", text):
        return "US"
    pieces = re.split(r"[\n,|]", text)
    country = next((code for piece in pieces if (code := words.get_country(piece))), "")
    if not country and default not in words.CYRILLIC and re.search(r"[а-яё]{3}", text, re.I):
        return "RU"
    return country or default


def _split_lines(text):
    """The pieces that are left: lines, and what stands in one line between bars."""
    pieces = []
    for line in text.split("\n"):
        for piece in SEPARATORS.split(line):
            piece = re.sub(r"\s+", " ", piece).strip(" ,;:|/()-–—")
            if re.search(r"\w{2}", piece):
                pieces.append(piece)
    return pieces


def _take_labelled(lines, found):
    rest = []
    for line in lines:
        if match := BANK.match(line):
            found.bank = found.bank or match[1].strip(" ,;")
            continue
        for name, pattern in LABELLED.items():
            if match := pattern.match(line):
                value = match[1].strip(" ,;")
                if name == "address":
                    if not found.street:
                        _set_address(value, found)
                elif not getattr(found, name):
                    setattr(found, name, value)
                break
        else:
            rest.append(line)
    return rest


def _take_company(lines, found):
    """The piece with a legal form; a bank is not the company."""
    rest = []
    for line in lines:
        match = words.LEGAL_FORM.search(line)
        if not match:
            rest.append(line)
            continue
        if words.BANK.search(line) and (found.bic or found.account):
            found.bank = found.bank or line.removeprefix("в ").strip()
            continue
        if found.company:
            rest.append(line)
            continue
        # "Managing Director, Baltic Tools SIA"; commas inside a name stand before a form only
        parts = re.split(r",\s+(?!(?:Inc|LLC|Ltd|Corp|S\.A|L\.P|GmbH)\b)", line)
        company = next(part for part in parts if words.LEGAL_FORM.search(part) or len(parts) == 1)
        found.company = company.strip()
        rest += [part for part in parts if part != company]
    return rest


def _take_function(lines, found):
    rest = []
    for line in lines:
        if found.function or not words.FUNCTION.search(line) or words.STREET.search(line):
            rest.append(line)
            continue
        if (match := FUNCTION_NAME.match(line)) and words.FUNCTION.search(match[1]):
            found.function, line = match[1].strip(" ,:-–"), match[2]
            rest.append(line)
            continue
        parts = [part.strip() for part in re.split(r",\s+", line)]
        if len(parts) > 1 and _is_person(parts[0]):
            # "John Smith, Head of Sales"
            rest.append(parts[0])
            parts = parts[1:]
        found.function = ", ".join(parts)
    return rest


def _take_address(lines, found):
    """Pieces that name a street or have a postal code, in their order."""
    taken, rest = [], []
    for line in lines:
        is_near = bool(taken) and (ZIP.search(line) or words.get_country(line))
        if not found.street and (words.STREET.search(line) or ZIP.search(line) or is_near):
            taken.append(line)
        else:
            rest.append(line)
    if taken:
        _set_address(", ".join(taken), found)
    return rest


def _set_address(text, found):
    """Split an address in one line: postal code, country, city, the rest is the street."""
    zip_code = ""
    # the last one in Western addresses, the first one in Russian ones
    matches = list(ZIP.finditer(text))
    if matches:
        match = matches[0] if re.match(r"\s*\d{6}", text) else matches[-1]
        zip_code = match[1]
        text = f"{text[: match.start()]},ZIP,{text[match.end() :]}"
    parts = [part.strip(" ,;.") for part in text.split(",")]
    place = parts.index("ZIP") if "ZIP" in parts else -1
    street, bare, city = [], [], ""
    for index, part in enumerate(parts):
        if not part or part == "ZIP":
            continue
        country = words.get_country(part)
        if country:
            found.country = country
        elif match := words.CITY.match(part):
            city = city or match[1].strip()
        elif words.REGION.search(part) or re.fullmatch(r"[A-Z]{2}", part):
            continue  # regions, states of the USA
        else:
            if not words.STREET.search(part) and not re.search(r"\d", part):
                bare.append((abs(index - place) if place >= 0 else index, index, part))
            street.append(part)
    if bare and not city:
        # the word beside the postal code; without one, the first
        city = min(bare)[2]
        street.remove(city)
    found.zip, found.city, found.street = zip_code, city, ", ".join(street)


def _take_name(lines, found):
    """The first piece that is written like a person's name."""
    if found.name:
        return
    lines = [
        re.sub(r",\s*(?:ph\.?d|mba|md|msc|[кд]\.\w\.н)\.?.*$", "", line, flags=re.I)
        for line in lines
    ]
    names = [line for line in lines if _is_person(line)]
    if names:
        found.name = _spell_name(
            max(names[:3], key=lambda name: _matches_email(name, found.emails))
        )


def _is_person(text):
    """Two to four capitalised words, initials among them, that name nothing else."""
    if words.LEGAL_FORM.search(text) or words.FUNCTION.search(text) or words.STREET.search(text):
        return False
    if words.get_country(text) or re.search(r"[\d@&«»\"“”:;!?]", text):
        return False
    text = re.sub(r"^(?:mr|mrs|ms|dr|prof|г-н|г-жа|господин|госпожа)\.?\s+", "", text, flags=re.I)
    parts = [part for part in re.split(r"[\s.]+", text) if part]
    if not 2 <= len(parts) <= 4:
        return False
    small = {"von", "van", "de", "der", "da", "di", "del", "la", "le", "bin", "al", "оглы", "кызы"}
    return all(
        part in small or (part[0].isupper() and re.sub("['’]", "", part).isalpha()) or "-" in part
        for part in parts
    )


def _matches_email(name, emails):
    """Whether a word of a name stands in one of the addresses."""
    parts = [part.lower() for part in name.split() if len(part) > 2]
    locals_ = [email.split("@")[0] for email in emails]
    return any(part in local for part in parts for local in locals_)


def _spell_name(name):
    """A name in capitals in the usual spelling."""
    return name.title() if name.isupper() else name
