import logging

from psycopg2 import OperationalError

_logger = logging.getLogger(__name__)


def run_apart(records, method, what, env=None):
    """Do something to all of ``records``; one that fails does not stop the others.

    The batch is done at once. When that fails, it is taken back and done in halves, down to the
    single record that fails, which is logged. Conflicts with other transactions are raised: the
    whole job is repeated then.

    :param records: recordset, or list, of what is to be done
    :param method: called with some of them, in a savepoint
    :param str what: what is done, for the log
    :param env: the environment, for a list of something else than records
    :return: list of ``(record, exception)`` of those that failed
    """
    if not records:
        return []
    try:
        with (env or records[0].env).cr.savepoint():
            method(records)
        return []
    except OperationalError:
        raise
    except Exception as error:
        if len(records) == 1:
            _logger.exception("%s: %s failed and was left out", what, records[0])
            return [(records[0], error)]
    half = len(records) // 2
    return run_apart(records[:half], method, what, env) + run_apart(
        records[half:], method, what, env
    )
