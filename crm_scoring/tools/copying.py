"""Whole numbers out of PostgreSQL into numpy without a Python object per value."""

import numpy as np

_HEADER = 19  # bytes before the first row, with an empty extension
_CHUNK = 1 << 20


class _Collector:
    """Takes the stream of a binary COPY and keeps the values of its columns of type integer."""

    def __init__(self, columns):
        self.record = np.dtype(
            [("fields", ">i2")]
            + [part for i in range(columns) for part in ((f"n{i}", ">i4"), (f"v{i}", ">i4"))]
        )
        self.columns = columns
        self.skip = _HEADER
        self.rest = b""
        self.parts = [[] for _column in range(columns)]

    def write(self, data):
        size = len(data)
        data = self.rest + bytes(data)
        if self.skip:
            if len(data) < self.skip:
                self.rest = data
                return size
            data, self.skip = data[self.skip :], 0
        if len(data) < _CHUNK:
            self.rest = data
            return size
        self._take(data)
        return size

    def _take(self, data):
        rows = len(data) // self.record.itemsize
        values = np.frombuffer(data, self.record, rows)
        for column, part in enumerate(self.parts):
            part.append(values[f"v{column}"].astype(np.int32))
        self.rest = data[rows * self.record.itemsize :]

    def close(self):
        self._take(self.rest)  # what is left over is the two bytes that end the stream
        return [np.concatenate(part) if part else np.zeros(0, np.int32) for part in self.parts]


def copy_integers(cr, query, columns):
    """Return the columns of a query as arrays.

    :param cr: cursor
    :param str query: complete SELECT whose columns are integers (``int4``) and never NULL
    :param int columns: their number
    :return: list of numpy arrays of int32
    """
    collector = _Collector(columns)
    cr.copy_expert(f"COPY ({query}) TO STDOUT WITH (FORMAT binary)", collector)
    return collector.close()
