import uuid

from odoo.tools import SQL


class OpeningSavepoint:
    """A savepoint that the first statement inside it opens: one trip to the database less.

    Like ``cr.savepoint()``: what was pending before is written first; when the block fails, what
    it has done is undone, in the database and in the cache. Of a block that fails before its first
    statement, nothing is in the database, and what was pending has been written.

        with OpeningSavepoint(cr) as savepoint:
            env.execute_query(savepoint.open_with(SQL("SELECT ...")))
    """

    def __init__(self, cr):
        self._cr = cr
        self._name = SQL.identifier(f"crm_{uuid.uuid4().hex}")
        self._is_open = False

    def __enter__(self):
        self._cr.flush()
        return self

    def open_with(self, query):
        """The same query, which opens the savepoint if it is the first one.

        :param SQL query: a statement that can be parsed; it may fail when it is run
        :rtype: SQL
        """
        if self._is_open:
            return query
        self._is_open = True
        return SQL("SAVEPOINT %s; %s", self._name, query)

    def __exit__(self, exc_type, exc, traceback):
        if exc_type is None:
            try:
                self._cr.flush()
            except Exception:
                self._close(rollback=True)
                raise
        self._close(rollback=exc_type is not None)

    def _close(self, rollback):
        if rollback:
            self._cr.clear()
        if not self._is_open:
            return
        self._is_open = False
        if rollback:
            self._cr.execute(SQL("ROLLBACK TO SAVEPOINT %s", self._name))
        self._cr.execute(SQL("RELEASE SAVEPOINT %s", self._name))
