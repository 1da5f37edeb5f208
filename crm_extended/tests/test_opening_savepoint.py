from odoo.tests import TransactionCase, tagged
from odoo.tools import SQL, mute_logger
from psycopg2 import Error

from ..tools.opening_savepoint import OpeningSavepoint


@tagged("post_install", "-at_install")
class TestOpeningSavepoint(TransactionCase):
    """What a failed block has done is undone; what was pending before is not."""

    def setUp(self):
        super().setUp()
        self.tag, self.other = self.env["crm.tag"].create(
            [{"name": "Savepoint A", "color": 1}, {"name": "Savepoint B", "color": 1}]
        )
        self.env.flush_all()

    def _fail(self, *statements, pending=None):
        with (
            mute_logger("odoo.sql_db"),
            self.assertRaises(Error),
            OpeningSavepoint(self.env.cr) as savepoint,
        ):
            for statement in statements:
                self.env.execute_query(savepoint.open_with(SQL(statement)))
            if pending:
                self.tag.write(pending)

    def test_result_comes_back(self):
        before = self.cr.sql_log_count
        with OpeningSavepoint(self.env.cr) as savepoint:
            rows = self.env.execute_query(savepoint.open_with(SQL("SELECT %s", 7)))
            self.tag.color = 5
        self.assertEqual(rows, [(7,)])
        self.assertEqual(self.tag.color, 5)
        # the query, the write, the end of the savepoint
        self.assertLessEqual(self.cr.sql_log_count - before, 3)

    def test_first_statement_fails(self):
        self.tag.color = 6
        self._fail("SELECT 1 / 0")
        self.assertEqual(self.tag.color, 6)

    def test_later_statement_fails(self):
        self._fail(
            "UPDATE crm_tag SET color = 9 WHERE name->>'en_US' = 'Savepoint A'", "SELECT 1 / 0"
        )
        self.assertEqual(self.tag.color, 1)

    def test_fails_before_any_statement(self):
        self.tag.color = 7
        with self.assertRaises(ValueError), OpeningSavepoint(self.env.cr):
            raise ValueError
        self.assertEqual(self.tag.color, 7)

    def test_fails_when_it_is_left(self):
        """What was written in the cache only is flushed on the way out."""
        self._fail("SELECT 1", pending={"name": "Savepoint B", "color": 8})
        self.assertEqual((self.tag.name, self.tag.color), ("Savepoint A", 1))
