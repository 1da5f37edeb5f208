"""axe-core on a page of a story. The library (MPL-2.0, with its licence) lies in ``axe/``."""

from pathlib import Path

AXE = Path(__file__).parent / "axe" / "axe.min.js"
GRAVE = ("serious", "critical")


def find_barriers(page):
    """What keeps people with keyboards, screen readers or weak eyes out of the open page.

    :return: one text for each serious or critical violation that axe-core finds anywhere on it
    :rtype: list[str]
    """
    page.evaluate(AXE.read_text(encoding="utf-8"))
    result = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{page.url}: {violation['id']} ({violation['impact']}): {node['html'][:200]}"
        for violation in result["violations"]
        if violation["impact"] in GRAVE
        for node in violation["nodes"]
    ]


def find_overflow(page):
    """Pixels by which the page is wider than its window, 0 when it fits."""
    return page.evaluate(
        "Math.max(0, document.documentElement.scrollWidth - document.documentElement.clientWidth)"
    )
