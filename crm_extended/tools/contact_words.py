# ruff: noqa: E501, RUF001 lists of words, Cyrillic is meant
"""Words by which pieces of a signature are recognised, in English, Russian and nearby languages."""

import re

FAREWELL = re.compile(
    r"^(?:(?:best|kind|warm|with (?:best|kind)|many)?\s*(?:regards|wishes)|(?:yours )?(?:sincerely|truly|"
    r"faithfully)|thanks(?: (?:and|&) regards)?|thank you|many thanks|cheers|sent from my .*|get outlook .*|"
    r"с (?:глубоким |искренним )?уважением|с наилучшими пожеланиями|спасибо|благодарю|всего доброго|"
    r"отправлено (?:с|из) .*|mit freundlichen gr(?:ü|ue)ßen|cordialement|"
    r"this (?:e-?mail|message) .*|confidentiality notice.*|please consider the environment.*)[,.!\s]*$",
    re.I,
)
LEGAL_FORM = re.compile(
    r"(?<![\w.])(?:ООО|ОАО|ЗАО|ПАО|НАО|АО|ИП|ФГУП|ГУП|МУП|ФГБУ|ГБУ|МБУ|АНО|НКО|ТОО|ЧП|ЧУП|ОДО|СП|КФХ|ТСЖ|"
    r"ТОВ|ФОП|ПрАТ|(?i:общество с ограниченной ответственностью|(?:публичное |закрытое |открытое )?акционерное общество|"
    r"индивидуальный предприниматель|группа компаний|ГК|компания|завод|фабрика|холдинг|корпорация|университет)|"
    r"LLC|L\.L\.C\.|Ltd|Limited|Inc|Incorporated|Corp|Corporation|PLC|LLP|L\.P\.|GmbH|AG|KG|OHG|e\.K\.|"
    r"S\.A\.S?|SAS|SARL|S\.?à r\.?l\.?|S\.p\.A\.|SpA|S\.?r\.?l\.?|B\.V\.|BV|N\.V\.|NV|SIA|OÜ|UAB|AB|Oy|Oyj|A/S|"
    r"ApS|AS|SE|s\.r\.o\.|a\.s\.|Sp\. z o\.o\.|Kft|Zrt|S\.L\.|Pty|Co|Company|Group|Holding|University)"
    r"(?![\w]|\.\w)",
)
BANK = re.compile(r"банк|\bbank\b|сбер|втб", re.I)
FUNCTION = re.compile(
    r"(?<!\w)(?:директор\w*|руководител\w*|начальник\w*|менеджер\w*|специалист\w*|инженер\w*|бухгалтер\w*|"
    r"юрист\w*|юрисконсульт\w*|президент\w*|заместител\w*|зам\.|председател\w*|учредител\w*|владелец|"
    r"основатель|консультант\w*|аналитик\w*|секретар\w*|ассистент\w*|помощник\w*|снабженец|закупщик\w*|"
    r"технолог\w*|мастер|прораб|логист\w*|маркетолог\w*|экономист\w*|координатор\w*|администратор\w*|эксперт|"
    r"продавец|товаровед|главный|ведущий|старший|"
    r"director|manager|head of|chief|officer|president|vice[- ]president|vp|ceo|cto|cfo|coo|cmo|founder|"
    r"co-founder|owner|partner|engineer|developer|consultant|specialist|assistant|secretary|accountant|"
    r"lawyer|attorney|counsel|analyst|coordinator|representative|executive|buyer|purchaser|procurement|"
    r"supervisor|administrator|advisor|architect|designer|sales|lead|gesch(?:ä|ae)ftsf(?:ü|ue)hrer(?:in)?|"
    r"leiter(?:in)?)(?!\w)",
    re.I,
)
STREET = re.compile(
    r"(?<!\w)(?:ул|улица|пр|пр-т|просп|проспект|пер|переулок|ш|шоссе|наб|набережная|пл|площадь|б-р|бульвар|"
    r"проезд|линия|мкр|микрорайон|кв-л|тракт|аллея|тупик|д|дом|корп|корпус|стр|строение|оф|офис|эт|этаж|пом|"
    r"кв|литера?|street|st|avenue|ave|road|rd|boulevard|blvd|lane|ln|drive|dr|square|sq|court|ct|place|pl|"
    r"way|highway|hwy|parkway|suite|ste|floor|building|bldg|unit|apt|p\.?o\.? box|iela|gatve|rue|via|calle|"
    r"platz|weg|allee)(?!\w)\.?(?=\s*[\w№,.]|$)|\w{1,40}(?:stra(?:ß|ss)e|str\.|gasse|laan|straat)(?!\w)",
    re.I,
)
CITY = re.compile(r"^(?:(?:г|гор|пос|п|с|дер)\.\s*|(?:г|город|city of|рп|пгт)\s+)(.+)$", re.I)
REGION = re.compile(
    r"(?<!\w)(?:обл|область|край|респ|республика|р-н|район|АО|округ|county)\.?(?!\w)", re.I
)
# where people write in Cyrillic letters
CYRILLIC = frozenset("RU BY KZ UA KG TJ UZ TM AM AZ GE MD BG RS MK MN ME BA".split())
COUNTRIES = {
    "россия": "RU",
    "российская федерация": "RU",
    "рф": "RU",
    "russia": "RU",
    "russian federation": "RU",
    "беларусь": "BY",
    "belarus": "BY",
    "казахстан": "KZ",
    "kazakhstan": "KZ",
    "украина": "UA",
    "ukraine": "UA",
    "армения": "AM",
    "armenia": "AM",
    "грузия": "GE",
    "georgia": "GE",
    "узбекистан": "UZ",
    "uzbekistan": "UZ",
    "usa": "US",
    "u.s.a": "US",
    "united states": "US",
    "сша": "US",
    "uk": "GB",
    "united kingdom": "GB",
    "england": "GB",
    "germany": "DE",
    "deutschland": "DE",
    "германия": "DE",
    "austria": "AT",
    "österreich": "AT",
    "switzerland": "CH",
    "france": "FR",
    "italy": "IT",
    "italia": "IT",
    "spain": "ES",
    "españa": "ES",
    "poland": "PL",
    "polska": "PL",
    "netherlands": "NL",
    "belgium": "BE",
    "latvia": "LV",
    "latvija": "LV",
    "латвия": "LV",
    "estonia": "EE",
    "eesti": "EE",
    "lithuania": "LT",
    "lietuva": "LT",
    "finland": "FI",
    "sweden": "SE",
    "denmark": "DK",
    "norway": "NO",
    "czech republic": "CZ",
    "turkey": "TR",
    "türkiye": "TR",
    "турция": "TR",
    "china": "CN",
    "китай": "CN",
    "india": "IN",
    "canada": "CA",
}


def get_country(text):
    """Two letters of a country whose name is the whole text; empty if it is something else."""
    return COUNTRIES.get(text.strip(" .,;").lower(), "")
