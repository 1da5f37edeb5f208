# ruff: noqa: RUF001 Cyrillic is meant
import random
import time

from odoo.addons.crm_extended.tools.contact_text import recognise
from odoo.addons.crm_extended.tools.vcard import is_vcard, read_vcards
from odoo.tests import BaseCase, tagged

# text, country of the company, what is recognised
SIGNATURES = (
    (
        """С уважением,
Иванов Пётр Сергеевич
Коммерческий директор
ООО «Ромашка»
тел.: +7 (495) 123-45-67 доб. 12
моб.: 8 916 123 45 67
e-mail: P.Ivanov@romashka.ru
www.romashka.ru""",
        "RU",
        {
            "name": "Иванов Пётр Сергеевич",
            "function": "Коммерческий директор",
            "company": "ООО «Ромашка»",
            "emails": ["p.ivanov@romashka.ru"],
            "phones": ["+7 916 123-45-67", "+7 495 123-45-67 ext. 12"],
            "website": "https://www.romashka.ru",
            "country": "RU",
        },
    ),
    (
        """--
Best regards,

John Smith | Head of Procurement
Acme Industrial Supplies Ltd
T: +44 20 7946 0958 | M: +44 7911 123456 | F: +44 20 7946 0959
john.smith@acme-industrial.co.uk | www.acme-industrial.co.uk
221B Baker Street, London NW1 6XE, United Kingdom
VAT no. GB 123 4567 82""",
        "LV",
        {
            "name": "John Smith",
            "function": "Head of Procurement",
            "company": "Acme Industrial Supplies Ltd",
            "emails": ["john.smith@acme-industrial.co.uk"],
            "phones": ["+44 7911 123456", "+44 20 7946 0958"],
            "website": "https://www.acme-industrial.co.uk",
            "street": "221B Baker Street",
            "city": "London",
            "zip": "NW1 6XE",
            "country": "GB",
            "vat": "GB123456782",
        },
    ),
    (
        """Sarah O'Connor
Senior Account Executive
Northwind Traders, Inc.
500 Market Street, Suite 1200, San Francisco, CA 94105, USA
Office: (415) 555-2671
sarah.oconnor@northwind.com
https://northwind.com
https://www.linkedin.com/in/sarah""",
        "US",
        {
            "name": "Sarah O'Connor",
            "function": "Senior Account Executive",
            "company": "Northwind Traders, Inc.",
            "street": "500 Market Street, Suite 1200",
            "city": "San Francisco",
            "phones": ["+1 415-555-2671"],
            "emails": ["sarah.oconnor@northwind.com"],
            "website": "https://northwind.com",
            "zip": "94105",
            "country": "US",
        },
    ),
    (
        """Карточка предприятия
Наименование: ПАО Сбербанк
ИНН/КПП: 7707083893/773601001
ОГРН 1027700132195
Юридический адрес: 117312, г. Москва, ул. Вавилова, д. 19
Р/с 40702810938000000001
к/с 30101810400000000225
БИК 044525225
Банк: ПАО СБЕРБАНК г. Москва
Тел. 8 (495) 500-55-50
info@sberbank.ru""",
        "RU",
        {
            "company": "ПАО Сбербанк",
            "vat": "7707083893",
            "kpp": "773601001",
            "ogrn": "1027700132195",
            "bic": "044525225",
            "account": "40702810938000000001",
            "bank": "ПАО СБЕРБАНК г. Москва",
            "zip": "117312",
            "city": "Москва",
            "street": "ул. Вавилова, д. 19",
            "phones": ["+7 495 500-55-50"],
        },
    ),
    (
        """> ИП Петров Иван Сергеевич
> ИНН 500100732259, ОГРНИП 304500116000157
> +7 916 123-45-67 (WhatsApp)
> petrov@example.com""",
        "RU",
        {
            "company": "ИП Петров Иван Сергеевич",
            "vat": "500100732259",
            "ogrn": "304500116000157",
            "phones": ["+7 916 123-45-67"],
            "kpp": "",
        },
    ),
    (
        """Mit freundlichen Grüßen
Anna Müller
Leiterin Einkauf
Bergmann Maschinenbau GmbH
Industriestraße 12, 70565 Stuttgart
Tel.: +49 711 1234567
a.mueller@bergmann.de
USt-IdNr.: DE136695976
IBAN: DE89 3704 0044 0532 0130 00  BIC: COBADEFFXXX""",
        "DE",
        {
            "name": "Anna Müller",
            "function": "Leiterin Einkauf",
            "company": "Bergmann Maschinenbau GmbH",
            "street": "Industriestraße 12",
            "zip": "70565",
            "city": "Stuttgart",
            "vat": "DE136695976",
            "account": "DE89370400440532013000",
            "bic": "COBADEFFXXX",
            "country": "DE",
        },
    ),
    (
        """Jānis Bērziņš, Managing Director
Baltic Tools SIA
Dzirnavu iela 10, Rīga, LV-1010, Latvia
+371 29 555 111 janis@baltictools.lv""",
        "LV",
        {
            "name": "Jānis Bērziņš",
            "function": "Managing Director",
            "company": "Baltic Tools SIA",
            "street": "Dzirnavu iela 10",
            "city": "Rīga",
            "zip": "LV-1010",
            "phones": ["+371 29 555 111"],
            "country": "LV",
        },
    ),
    (
        """ЕЛЕНА КУЗНЕЦОВА
менеджер по закупкам • АО «Волга-Сталь»
443001, Самарская область, г. Самара, ул. Садовая, д. 5, офис 301
т. (846) 200-10-20
e.kuznetsova@volga-steel.ru""",
        "RU",
        {
            "name": "Елена Кузнецова",
            "function": "менеджер по закупкам",
            "company": "АО «Волга-Сталь»",
            "city": "Самара",
            "zip": "443001",
            "street": "ул. Садовая, д. 5, офис 301",
        },
    ),
    (
        """Name: Mary Jones
Title: Office Manager
Company: Jones & Sons
Phone: +1 650-253-0000
Email: mary@jones.example.com""",
        "US",
        {
            "name": "Mary Jones",
            "function": "Office Manager",
            "company": "Jones & Sons",
            "phones": ["+1 650-253-0000"],
        },
    ),
    (
        """Общество с ограниченной ответственностью "Вектор"
ИНН 7730588444 КПП 773001001
125284, город Москва, Беговая улица, дом 3 строение 1
Банк получателя: АО "ТБанк"
БИК: 044525974
Генеральный директор Сидоров А.В.
Тел./факс: (495) 777-88-99, email: vector@mail.ru""",
        "RU",
        {
            "company": 'Общество с ограниченной ответственностью "Вектор"',
            "name": "Сидоров А.В.",
            "function": "Генеральный директор",
            "phones": ["+7 495 777-88-99"],
            "bank": 'АО "ТБанк"',
            "city": "Москва",
            "street": "Беговая улица, дом 3 строение 1",
        },
    ),
    (
        """Regards,
Michael
Michael T. Brown, PhD
VP Sales & Marketing
Contoso Pharmaceuticals Corp.
o: 212.555.0143 x22
c: 917-555-0188
1 Rockefeller Plaza, New York, NY 10020""",
        "RU",
        {
            "name": "Michael T. Brown",
            "function": "VP Sales & Marketing",
            "company": "Contoso Pharmaceuticals Corp.",
            "city": "New York",
            "street": "1 Rockefeller Plaza",
            "country": "US",
        },
    ),
    (
        """Priya Raman
Account Manager
priya.raman@initech.in
M +91 98765 43210
Initech Solutions Pvt Ltd
4th Floor, Prestige Tower, MG Road, Bengaluru 560001, India""",
        "LV",
        {
            "company": "Initech Solutions Pvt Ltd",
            "street": "4th Floor, Prestige Tower, MG Road",
            "city": "Bengaluru",
            "zip": "560001",
            "country": "IN",
        },
    ),
    (
        "ivan@example.com, 8 (812) 325-00-00",
        "RU",
        {"name": "", "company": "", "emails": ["ivan@example.com"], "phones": ["+7 812 325-00-00"]},
    ),
)
VCARD = """BEGIN:VCARD
VERSION:3.0
N:Ozola;Ilze;;;
FN:Ilze Ozola
ORG:Baltic Tools SIA;Purchasing
TITLE:Purchasing Manager
TEL;TYPE=WORK,VOICE:+371 67 555 301
TEL;TYPE=CELL:+371 29 555 111
TEL;TYPE=FAX:+371 67 555 302
EMAIL;TYPE=INTERNET:Ilze@BalticTools.lv
URL:https://baltictools.lv
ADR;TYPE=WORK:;Office 5;Dzirnavu iela 10;Riga;;LV-1010;Latvia
END:VCARD
"""
VCARD_QUOTED = """BEGIN:VCARD
VERSION:2.1
FN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:=D0=98=D0=B2=D0=B0=D0=BD=20=D0=9F=D0=B5=D1=82=D1=80=D0=BE=D0=B2
TEL;CELL:+79161234567
END:VCARD
"""


@tagged("post_install", "-at_install")
class TestContactText(BaseCase):
    """Signatures, business cards and requisites as people paste them. No database."""

    def test_signatures(self):
        for text, country, expected in SIGNATURES:
            found = recognise(text, country)
            with self.subTest(text.split("\n")[1:3]):
                self.assertEqual({name: getattr(found, name) for name in expected}, expected)

    def test_of_another_country(self):
        text = "ООО «Ромашка»\nИНН 7730588444\nмоб.: 8 916 123 45 67"
        for country in ("RU", "US", "LV", ""):
            found = recognise(text, country)
            self.assertEqual((found.phones, found.country), (["+7 916 123-45-67"], "RU"), country)

    def test_wrong_numbers_are_not_taken(self):
        found = recognise(
            "ООО «Ромашка» ИНН 7707083894 КПП 77 ОГРН 1027700132196 БИК 044525225 "
            "р/с 40702810938000000003",
            "RU",
        )
        self.assertEqual((found.vat, found.kpp, found.ogrn, found.account), ("", "", "", ""))
        self.assertEqual(found.bic, "044525225")

    def test_nothing_to_recognise(self):
        for text in ("", None, "   \n ", "Спасибо!", "ok", "1 2 3"):
            self.assertFalse(recognise(text, "RU"), text)

    def test_anything_can_be_pasted(self):
        seeded = random.Random(9)
        alphabet = "abcАБВ \n\t@.,:;|/\\()+0123456789«»\"'<>&%\x00ИНН БИК р/с"
        for _attempt in range(100):
            text = "".join(seeded.choice(alphabet) for _place in range(seeded.randrange(400)))
            recognise(text, "RU")
            read_vcards(f"BEGIN:VCARD\n{text}\nEND:VCARD")

    def test_long_texts_take_no_time(self):
        for piece in ("a" * 50, "1 ", "ИНН ", "www.", "a@a.", "ул. д. ", "Анна Мария "):
            start = time.monotonic()
            recognise(piece * (20000 // len(piece)), "RU")
            self.assertLess(time.monotonic() - start, 3, piece)

    def test_vcard(self):
        self.assertTrue(is_vcard(VCARD))
        self.assertFalse(is_vcard("Ilze"))
        [card] = read_vcards(VCARD)
        self.assertEqual(
            (card.name, card.company, card.function),
            ("Ilze Ozola", "Baltic Tools SIA", "Purchasing Manager"),
        )
        self.assertEqual(card.phones, ["+371 29 555 111", "+371 67 555 301"])
        self.assertEqual(card.emails, ["ilze@baltictools.lv"])
        self.assertEqual(
            (card.street, card.city, card.zip), ("Dzirnavu iela 10, Office 5", "Riga", "LV-1010")
        )

    def test_several_and_quoted_vcards(self):
        first, second = read_vcards(VCARD + VCARD_QUOTED)
        self.assertEqual(first.name, "Ilze Ozola")
        self.assertEqual((second.name, second.phones), ("Иван Петров", ["+79161234567"]))

    def test_broken_vcard(self):
        self.assertEqual(read_vcards("BEGIN:VCARD\nFN"), [])
        self.assertEqual(
            [card.name for card in read_vcards(VCARD + "BEGIN:VCARD\nN:")], ["Ilze Ozola"]
        )
