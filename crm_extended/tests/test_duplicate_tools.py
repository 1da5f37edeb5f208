# ruff: noqa: RUF001, RUF002 Cyrillic is meant
import itertools
import random

from odoo.tests import TransactionCase, tagged

from ..tools.address_folding import fold_address
from ..tools.duplicate_evidence import CERTAIN, LIKELY, Fingerprint, compare
from ..tools.duplicate_groups import group_pairs
from ..tools.duplicate_keys import (
    decode,
    encode,
    get_block_keys,
    get_email_keys,
    get_number_key,
    get_phone_keys,
    get_reading_parts,
    get_readings,
)
from ..tools.name_folding import LegalForms, fold_name, get_neighbours, get_sound
from ..tools.name_similarity import (
    STRANGE_LETTER,
    STRANGE_WORD,
    Rarity,
    compare_names,
    compare_words,
    get_distance,
    get_surprise,
)

FORMS = LegalForms(
    [
        ("ООО", ["общество с ограниченной ответственностью", "О.О.О."]),
        ("ИП", ["индивидуальный предприниматель"]),
        ("АО", ["акционерное общество"]),
        ("LLC", ["limited liability company", "L.L.C."]),
        ("GmbH", []),
        ("S.A.", ["SA"]),
        ("Sp. z o.o.", []),
        ("Inc", ["incorporated"]),
    ]
)


def card(name, **values):
    empty = frozenset()
    facts = {
        "is_company": True, "vat": "", "is_vat_valid": True, "kpp": "", "registry": "",
        "phones": empty, "emails": empty, "accounts": empty, "ref": "", "birthdate": "",
        "employer": "", "address": fold_address("", "", ""),
    }  # fmt: skip
    return Fingerprint(fold_name(name, FORMS), **facts | values)


@tagged("post_install", "-at_install")
class TestDuplicateTools(TransactionCase):
    """Names, numbers and addresses, compared without a database."""

    def assertSameKey(self, *names):
        keys = {tuple(sorted(map(get_sound, fold_name(name, FORMS).words))) for name in names}
        self.assertEqual(len(keys), 1, keys)

    def test_legal_forms(self):
        for name, form in (
            ("ООО «Весна»", "ООО"),
            ('Общество с ограниченной ответственностью "Весна"', "ООО"),
            ("Весна, ООО", "ООО"),
            ("О.О.О. Весна", "ООО"),
            ("OOO Весна", "ООО"),  # typed with Latin letters
            ("Vesna OOO", "ООО"),
            ("Vesna LLC", "LLC"),
            ("Vesna L.L.C.", "LLC"),
            ("Vesna GmbH", "GmbH"),
            ("Vesna S.A.", "S.A."),
            ("Vesna Sp. z o.o.", "Sp. z o.o."),
            ("Vesna, Inc.", "Inc"),
            ("Весна", ""),
        ):
            folded = fold_name(name, FORMS)
            self.assertEqual((folded.words, folded.form), (("vesna",), form), name)
        # nothing else would be left
        self.assertEqual(fold_name("ООО", FORMS).words, ("ooo",))
        # in the middle of a name a short form is a word
        self.assertIn("ao", fold_name("Банк АО Север", FORMS).words)

    def test_spelling(self):
        self.assertSameKey("ООО «Ёлки-Палки»", "ооо елки палки", "ПАЛКИ, ЕЛКИ")
        self.assertSameKey("Crème Brûlée", "creme brulee", "BRULEE CREME")
        self.assertSameKey("Arnie Morton's", "arnie mortons", "Arnie Morton’s")
        self.assertSameKey("РОМАШКА", "POМАШКА", "Romashka")
        self.assertSameKey("Müller & Söhne GmbH", "Mueller und Soehne", "muller sohne")

    def test_transliteration(self):
        for cyrillic, *latin in (
            ("Щукин", "Shchukin", "Schukin"),
            ("Юлия", "Yuliya", "Julia", "Iuliia", "Yulia"),
            ("Хабаровск", "Khabarovsk", "Habarovsk"),
            ("Цветков", "Tsvetkov", "Tzvetkov"),
            ("Александр", "Aleksandr", "Alexandr"),
            ("Чайка", "Chayka", "Chaika"),
            ("Журавли", "Zhuravli"),
        ):
            for name in latin:
                self.assertSameKey(cyrillic, name)

    def test_wrong_keyboard(self):
        """MOCT in Latin letters is МОСТ."""
        rarity = Rarity()
        self.assertEqual(
            compare_names(fold_name("МОСТ СТРОЙ"), fold_name("MOCT CTРОЙ"), rarity).ratio, 1
        )

    def test_alike(self):
        rarity = Rarity()

        def ratio(first, second):
            return compare_names(fold_name(first, FORMS), fold_name(second, FORMS), rarity).ratio

        self.assertEqual(ratio("Северный ветер", "Ветер Северный"), 1)
        self.assertGreater(ratio("Северный ветер", "Севереый ветер"), 0.9)
        self.assertGreater(ratio("СтройМонтаж", "Строй Монтаж"), 0.9)
        self.assertGreater(ratio("Иванов Иван Иванович", "Иванов И. И."), 0.8)
        self.assertLess(ratio("Школа 5", "Школа 7"), 0.7)
        self.assertLess(ratio("Школа № 15", "Школа № 16"), 0.7)
        self.assertLess(ratio("Иван Петров", "Пётр Иванов"), 0.7)
        self.assertEqual(ratio("", "Весна"), 0)

    def test_distance(self):
        """Against the textbook's table, on random texts (fixed seed)."""
        rng = random.Random(7)

        def table(first, second):
            rows = [[0] * (len(second) + 1) for _ in range(len(first) + 1)]
            for i in range(len(first) + 1):
                rows[i][0] = i
            for j in range(len(second) + 1):
                rows[0][j] = j
            for i, j in itertools.product(range(1, len(first) + 1), range(1, len(second) + 1)):
                rows[i][j] = min(
                    rows[i - 1][j] + 1,
                    rows[i][j - 1] + 1,
                    rows[i - 1][j - 1] + (first[i - 1] != second[j - 1]),
                )
                if i > 1 and j > 1 and first[i - 2 : i] == second[j - 2 : j][::-1]:
                    rows[i][j] = min(rows[i][j], rows[i - 2][j - 2] + 1)
            return rows[-1][-1]

        for _number in range(500):
            first, second = (
                "".join(rng.choice("abc") for _ in range(rng.randint(0, 8))) for _ in range(2)
            )
            self.assertEqual(get_distance(first, second), table(first, second), (first, second))

    def test_surprise(self):
        """Swapped, doubled and left out letters are common slips; a strange letter is not."""
        for typed, meant, bits in (
            ("orion", "orion", 0),
            ("oirion", "orion", STRANGE_LETTER),
            ("oiron", "orion", 0),
            ("orrion", "orion", 0),
            ("orio", "orion", 0),
            ("orikn", "orion", STRANGE_LETTER),
            ("oikn", "orion", 2 * STRANGE_LETTER),
            ("tretyakov", "orion", STRANGE_WORD),
            ("moskva", "mosckva", 0),
        ):
            self.assertEqual(get_surprise(typed, meant), bits, (typed, meant))

    def test_neighbours(self):
        self.assertTrue(get_neighbours("romashka") & get_neighbours("romaska"))
        self.assertTrue(get_neighbours("romashka") & get_neighbours("romazhka"))
        self.assertTrue(get_neighbours("romashka") & get_neighbours("roamshka"))
        self.assertFalse(get_neighbours("romashka") & get_neighbours("vasilek"))
        self.assertEqual(get_neighbours("2024"), {"2024"})

    def test_slips_are_made_in_letters(self):
        """One letter changed may be two in Latin, or none in what is heard."""
        for right, typed in (
            ("Колызяхы", "Колыязхы"),
            ("Гяребятит", "Гряебятит"),
            ("Рово", "Роо"),
            ("Щука", "Шука"),
        ):
            with self.subTest(typed=typed):
                (first,), (second,) = (get_readings(fold_name(name)) for name in (right, typed))
                self.assertTrue(get_reading_parts(first) & get_reading_parts(second))
                self.assertGreater(compare_words(*fold_name(f"{right} {typed}").words), 0.8)

    def test_keys_of_contacts(self):
        self.assertEqual(
            get_phone_keys("+7 495 123-45-67"), get_phone_keys("8 (495) 1234567 доб. 12")
        )
        self.assertEqual(get_phone_keys("310/246-1501"), get_phone_keys("310-246-1501"))
        self.assertEqual(len(get_phone_keys("+7 495 123-45-67, +7 916 123-45-67")), 2)
        self.assertFalse(get_phone_keys("101") | get_phone_keys("000-00-00") | get_phone_keys(None))
        self.assertEqual(get_email_keys("Ann <A@B.ru>, c@d.com"), {"a@b.ru", "c@d.com"})
        self.assertEqual(get_number_key("RU 7707083893", "RU"), "7707083893")
        self.assertEqual(get_number_key("/"), "")

    def test_encode(self):
        full = card(
            "ООО Весна", vat="7707083893", kpp="773601001", phones=frozenset({"4951234567"}),
            emails=frozenset({"a@b.ru"}), accounts=frozenset({"40702"}), ref="A1",
            birthdate="19800101", employer="5", is_company=False,
            address=fold_address("ул. Мира, 5", "Москва", "101000"),
        )  # fmt: skip
        for fingerprint in (full, card(""), card("", is_company=None)):
            self.assertEqual(decode(encode(fingerprint)), fingerprint)

    def test_evidence(self):
        rarity = Rarity()
        phone = {"phones": frozenset({"4951234567"})}
        mine = card("Весна Плюс", vat="7707083893", kpp="773601001", **phone)
        same = compare(mine, card("Весна", vat="7707083893", kpp="773601001"), rarity)
        self.assertGreaterEqual(same.score, CERTAIN)
        self.assertIn(("number_kpp", None), same.reasons)
        branch = compare(mine, card("Весна Плюс", vat="7707083893", kpp="770701001"), rarity)
        self.assertEqual(branch.kind, "branch")
        self.assertLess(branch.score, CERTAIN)
        other = compare(mine, card("Весна Плюс", vat="7736050003", **phone), rarity)
        self.assertEqual(other.kind, "other_number")
        self.assertLess(other.score, LIKELY, "however much else is the same")
        typo = compare(mine, card("Весна Плюс", vat="7707083898", is_vat_valid=False), rarity)
        self.assertGreaterEqual(typo.score, LIKELY, "a misprint in a number is no other number")
        family = compare(
            card("Иван Петров", is_company=False, **phone),
            card("Мария Петрова", is_company=False, **phone),
            rarity,
        )
        self.assertLess(family.score, LIKELY, "one telephone in a family")
        twins = compare(
            card("Иван Петров", birthdate="19800101"),
            card("Иван Петров", birthdate="19951231"),
            rarity,
        )
        namesakes = compare(card("Иван Петров"), card("Иван Петров"), rarity)
        self.assertLess(twins.score, namesakes.score)
        self.assertEqual(compare(mine, card("Зима"), rarity).reasons, ())

    def test_evidence_has_no_order(self):
        rarity = Rarity()
        cards = [
            card("Весна", vat="7707083893", kpp="773601001"),
            card("Vesna LLC", phones=frozenset({"4951234567"})),
            card("Весна Плюс", phones=frozenset({"4951234567"}), ref="123456"),
            card("MOCT", ref="123457", address=fold_address("Мира 5", "Москва", "")),
            card("Мост", address=fold_address("ул. Мира, д. 5", "г. Москва", "1")),
        ]
        for first, second in itertools.combinations(cards, 2):
            self.assertEqual(
                compare(first, second, rarity).score, compare(second, first, rarity).score
            )

    def test_block_keys_meet(self):
        """Cards of one client have a key in common in spite of a slip in each word."""
        address = fold_address("ул. Мира, 5", "Москва", "101000")
        for first, second in (
            (card("Северный ветер"), card("Северний витер")),
            (card("Ромашка"), card("Рамашка")),
            (card("Ромашка Групп", address=address), card("Рмшка", address=address)),
            (card("x", ref="1234567"), card("y", ref="1234568")),
        ):
            self.assertTrue(get_block_keys(first) & get_block_keys(second), (first, second))

    def test_groups(self):
        pairs = [(0.99, 1, 2), (0.9, 2, 3), (0.2, 1, 3), (0.95, 4, 5), (0.3, 6, 7)]
        self.assertEqual(group_pairs(pairs, 0.6), [[1, 2, 3], [4, 5]])
        self.assertEqual(group_pairs(pairs, 0.6, apart=[(3, 1)]), [[1, 2], [4, 5]])
        self.assertEqual(group_pairs(pairs, 0.6, numbers={1: "a", 3: "b"}), [[1, 2], [4, 5]])
        self.assertEqual(group_pairs([], 0.6), [])
        # one card like two groups that are unlike each other stays with the better one
        bridge = [(0.99, 1, 2), (0.98, 3, 4), (0.7, 2, 3), (0.1, 1, 3), (0.1, 1, 4), (0.1, 2, 4)]
        self.assertEqual(group_pairs(bridge, 0.6), [[1, 2], [3, 4]])
