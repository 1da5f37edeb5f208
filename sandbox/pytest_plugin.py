"""Loaded into the pytest of ``sandbox test``: leaves out what Odoo's own runner leaves out.

Odoo runs a test only if it carries the tag ``standard`` (every test does unless it says
``-standard``, like those that need the internet). Pytest knows nothing of these tags.
"""


def pytest_collection_modifyitems(config, items):
    """Deselect tests that took the tag ``standard`` off."""
    kept, left_out = [], []
    for item in items:
        tags = getattr(getattr(item, "cls", None), "test_tags", None)
        (left_out if tags is not None and "standard" not in tags else kept).append(item)
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = kept
