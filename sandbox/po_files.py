"""Reading, merging, checking and writing translation files, so that a diff shows only terms.

Runs inside the virtual environment (it needs polib); :mod:`sandbox.i18n` calls it there:
``python -m sandbox.po_files merge|check FOLDER ADDON...``. Nothing here needs a database.
"""

import re
import sys
import tempfile
from pathlib import Path

import polib

ROOT = Path(__file__).resolve().parent.parent
LANGUAGE = "ru"
SHOWN = 10  # problems printed for each add-on
PLACEHOLDER = re.compile(
    r"%\(\w+\)[#0\- +]?\d*(?:\.\d+)?[a-zA-Z]"  # %(name)s
    r"|%[sdfr]"
    r"|\{\{.*?\}\}"  # inline template of a mail
    r"|\{\w*[^{}]*\}"  # {name}
)
WORD = re.compile(r"(\b(?:and|or)\s+)'[^']*'")
PLURALS = "nplurals=3; plural=(n%10==1 && n%100!=11 ? 0 : n%10>=2 && n%10<=4 && " + (
    "(n%100<10 || n%100>=20) ? 1 : 2);"
)


def header(addon, language=""):
    """Header of a file; without dates, which would change with every export."""
    lines = {
        "Project-Id-Version": f"{addon} 19.0",
        "Language": language,
        "MIME-Version": "1.0",
        "Content-Type": "text/plain; charset=UTF-8",
        "Content-Transfer-Encoding": "8bit",
        "Plural-Forms": PLURALS if language else "",
    }
    return {name: value for name, value in lines.items() if value}


def render(entries, metadata):
    """Text of a file: entries by term, places by name, each on a line of its own."""
    blocks = ['msgid ""\nmsgstr ""\n' + "".join(f'"{n}: {v}\\n"\n' for n, v in metadata.items())]
    for entry in sorted(entries, key=lambda entry: (entry.msgid, entry.msgctxt or "")):
        lines = [f"#. {line}" for line in entry.comment.splitlines()]
        places = {f"{path}:{line}" if line else path for path, line in entry.occurrences}
        lines += [f"#: {place}" for place in sorted(places)]
        flags = [flag for flag in entry.flags if flag != "fuzzy"]
        lines += [f"#, {', '.join(flags)}"] if flags else []
        lines += quoted("msgid", entry.msgid) + quoted("msgstr", entry.msgstr)
        blocks.append("\n".join(lines) + "\n")
    return "\n".join(blocks)


def quoted(keyword, text):
    """A keyword and its text; a text of several lines starts on the next line."""
    parts = [f'"{polib.escape(part)}"' for part in text.splitlines(keepends=True)] or ['""']
    return [f"{keyword} {parts[0]}"] if len(parts) == 1 else [f'{keyword} ""', *parts]


def merge(template, translated):
    """Entries of ``template`` with the translations that ``translated`` has for their terms.

    New terms stay empty, terms that are gone are dropped.
    """
    known = {
        entry.msgid: entry.msgstr
        for entry in translated
        if not entry.obsolete and "fuzzy" not in entry.flags
    }
    merged = []
    for entry in template:
        merged.append(
            polib.POEntry(
                msgid=entry.msgid,
                msgstr=known.get(entry.msgid, ""),
                comment=entry.comment,
                occurrences=entry.occurrences,
            )
        )
    return merged


def placeholders(text):
    """The placeholders of a term, to be found again in its translation.

    Words that an expression of a mail chooses between (``{{ x and 'Done' or 'Not done' }}``) are
    translated; what it compares with is not.
    """
    return sorted(WORD.sub(r"\1''", found[0]) for found in PLACEHOLDER.finditer(text))


def translation_problems(entries, name):
    """What is wrong with a translation file, as lines to print."""
    problems = []
    for entry in entries:
        term = entry.msgid if len(entry.msgid) < 70 else f"{entry.msgid[:67]}..."
        if entry.obsolete:
            problems.append(f"{name}: obsolete: {term!r}")
        elif "fuzzy" in entry.flags:
            problems.append(f"{name}: fuzzy: {term!r}")
        elif not entry.msgstr:
            problems.append(f"{name}: not translated: {term!r}")
        elif placeholders(entry.msgid) != placeholders(entry.msgstr):
            problems.append(f"{name}: other placeholders in the translation: {term!r}")
    return problems


def check_addon(addon):
    """Problems of an add-on's translation and of its agreement with the template."""
    folder = ROOT / addon / "i18n"
    template, translated = folder / f"{addon}.pot", folder / f"{LANGUAGE}.po"
    missing = [path for path in (template, translated) if not path.exists()]
    if missing:
        return [f"{path.relative_to(ROOT)} is missing" for path in missing]
    name = translated.relative_to(ROOT)
    entries = polib.pofile(str(translated))
    problems = translation_problems(entries, name)
    terms = {entry.msgid for entry in polib.pofile(str(template))}
    have = {entry.msgid for entry in entries}
    problems += [f"{name}: term of the template is missing: {t!r}" for t in sorted(terms - have)]
    problems += [f"{name}: term is not in the template: {t!r}" for t in sorted(have - terms)]
    return problems


def merge_addon(addon, exported, check=False):
    """Write an add-on's files from Odoo's fresh export; with ``check`` only compare the template.

    Translators' programs lay a translation out in their own way: of it, ``check_addon`` compares
    the terms and not the lines.

    :return: problems, as lines to print
    """
    folder = ROOT / addon / "i18n"
    template = polib.pofile(str(exported)) if exported.exists() else []
    path = folder / f"{LANGUAGE}.po"
    translated = polib.pofile(str(path)) if path.exists() else []
    texts = {
        folder / f"{addon}.pot": render(template, header(addon)),
        path: render(merge(template, translated), header(addon, LANGUAGE)),
    }
    problems = []
    for path, text in texts.items():
        current = path.read_text(encoding="utf-8") if path.exists() else None
        if current == text or (check and path.suffix == ".po"):
            continue
        if check:
            problems.append(f"{path.relative_to(ROOT)} is stale: python3 -m sandbox i18n")
        else:
            folder.mkdir(exist_ok=True)
            with tempfile.NamedTemporaryFile("w", dir=folder, delete=False) as handle:
                handle.write(text)
            Path(handle.name).chmod(0o644)
            Path(handle.name).replace(path)
            print(f"wrote {path.relative_to(ROOT)}")
    return problems


def main(arguments):
    command, exported, *addons = arguments
    failed = False
    for addon in addons:
        fresh = Path(exported) / f"{addon}.pot"
        problems = merge_addon(addon, fresh, check=command == "check") + check_addon(addon)
        failed |= bool(problems)
        for problem in problems[:SHOWN]:
            print(problem)
        if len(problems) > SHOWN:
            print(f"{addon}: {len(problems) - SHOWN} more like these")
    return 1 if failed and command == "check" else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
