"""Translation files: merged without loss, written without noise, checked for holes."""

import polib
import pytest

from sandbox import po_files


def entry(msgid, msgstr="", **options):
    return polib.POEntry(msgid=msgid, msgstr=msgstr, comment="module: crm_claims", **options)


def test_merge_keeps_translations_and_drops_what_is_gone():
    template = [entry("Claim"), entry("New term")]
    translated = [entry("Claim", "Претензия"), entry("Gone", "Нет")]
    merged = po_files.merge(template, translated)
    assert {e.msgid: e.msgstr for e in merged} == {"Claim": "Претензия", "New term": ""}


def test_merge_does_not_trust_fuzzy_translations():
    merged = po_files.merge([entry("Claim")], [entry("Claim", "Жалоба", flags=["fuzzy"])])
    assert merged[0].msgstr == ""


def test_rendering_is_stable_and_reads_back():
    places = [("model:ir.model,name:crm_claims.model_b", ""), ("code:addons/x.py", "0")]
    entries = [entry("b", "две", occurrences=places), entry('a "q"\nline', "да\n%(x)s")]
    text = po_files.render(entries, po_files.header("crm_claims", "ru"))
    assert text == po_files.render(reversed(entries), po_files.header("crm_claims", "ru"))
    assert "Date" not in text
    back = {e.msgid: e for e in polib.pofile(text)}
    assert back['a "q"\nline'].msgstr == "да\n%(x)s"
    assert set(back["b"].occurrences) == set(places)


@pytest.mark.parametrize(
    ("msgid", "msgstr", "word"),
    [
        ("Claim", "", "not translated"),
        ("Claim %(name)s", "Претензия", "placeholders"),
        ("%s of %s", "%s", "placeholders"),
        ("Dear {{ object.name }}", "Уважаемый {{ object.id }}", "placeholders"),
        ("{name}", "{имя}", "placeholders"),
    ],
)
def test_holes_are_found(msgid, msgstr, word):
    problems = po_files.translation_problems([entry(msgid, msgstr)], "ru.po")
    assert len(problems) == 1
    assert word in problems[0]


def test_placeholders_may_change_places():
    pair = entry("%(a)s of %(b)s, 100 %", "%(b)s: %(a)s, 100 %")
    assert po_files.translation_problems([pair], "ru.po") == []


def test_words_chosen_by_an_expression_are_translated():
    pair = entry("{{ a == 'x' and 'Yes' or '' }}", "{{ a == 'x' and 'Да' or '' }}")
    assert po_files.translation_problems([pair], "ru.po") == []
    pair = entry("{{ a == 'x' and 'Yes' or '' }}", "{{ a == 'икс' and 'Да' or '' }}")
    assert po_files.translation_problems([pair], "ru.po") != []


def test_check_minds_terms_and_not_line_breaks(tmp_path, monkeypatch):
    monkeypatch.setattr(po_files, "ROOT", tmp_path)
    (tmp_path / "crm_claims").mkdir()
    fresh = tmp_path / "fresh.pot"
    fresh.write_text(po_files.render([entry("A long term")], po_files.header("crm_claims")))
    po_files.merge_addon("crm_claims", fresh)
    translated = tmp_path / "crm_claims/i18n/ru.po"
    assert "not translated" in po_files.check_addon("crm_claims")[0]
    text = translated.read_text()
    translated.write_text(text.removesuffix('msgstr ""\n') + 'msgstr ""\n"Длинный "\n"термин"\n')
    assert po_files.check_addon("crm_claims") == []
    assert po_files.merge_addon("crm_claims", fresh, check=True) == []
    fresh.write_text(po_files.render([entry("Another term")], po_files.header("crm_claims")))
    problems = po_files.merge_addon("crm_claims", fresh, check=True)
    assert problems == ["crm_claims/i18n/crm_claims.pot is stale: python3 -m sandbox i18n"]
