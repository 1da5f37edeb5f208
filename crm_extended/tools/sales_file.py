"""Read a table of sales out of a file from elsewhere: csv, zipped or xz/gz-packed csv, xlsx.

Pure Python, streaming, bounded. The file is hostile until proven otherwise:

- nothing is ever extracted to disk, and names inside an archive are only compared and shown;
- unpacked bytes are counted while they are read, so that a lying archive header does not help;
- a row or a cell has a limit; what exceeds it is a broken row of its own, and reading goes on with
  the next line;
- a quote that is never closed costs its own line, not the rest of the file.

``detect(stream, name)`` returns a :class:`TableFormat`; ``read_rows(stream, fmt)`` yields
``(row_no, cells)`` where ``cells`` is a list, or a :class:`BrokenRow`. ``row_no`` counts records of
the file from 1, header included, so that it is the row number a spreadsheet shows. Whatever makes
the file as a whole unusable raises :class:`TableError` with a code that the caller words.
"""

import codecs
import csv
import gzip
import io
import lzma
import re
import zipfile
from collections import Counter, deque
from dataclasses import dataclass, replace

MAX_UNPACKED = 2 * 1024**3  # bytes of the table once unpacked
MAX_RATIO = 250  # unpacked / packed; real tables of text reach 20 to 100
RATIO_FLOOR = 50 * 1024**2  # the ratio is judged from here on: small files pack well
MAX_SHARED_STRINGS = 256 * 1024**2  # bytes of xlsx strings, which are held in memory
MAX_ROW = 1024**2  # characters of one record
MAX_CELL = 128 * 1024  # characters of one cell; own limit, for the one of csv is a global setting
MAX_COLUMNS = 500
MAX_XLSX_ROWS = 1_048_576
SNIFF_BYTES = 64 * 1024**2  # bytes looked at to tell the encoding
HEADER_SEARCH = 10  # a title and a few empty lines may precede the header

DELIMITERS = (",", ";", "\t", "|")
TABLE_SUFFIXES = (".csv", ".txt", ".tsv", ".tab")
EXCERPT = 200


class TableError(Exception):
    """The file as a whole cannot be read. ``code`` says why, ``details`` fills the message."""

    def __init__(self, code, **details):
        super().__init__(code, details)
        self.code = code
        self.details = details


@dataclass(frozen=True)
class BrokenRow:
    """A record that could not be split into cells: the reason and how it starts."""

    reason: str
    excerpt: str


@dataclass(frozen=True)
class TableFormat:
    """How to read the file.

    :ivar kind: "csv" or "xlsx"
    :ivar packing: "", "zip", "xz" or "gz"
    :ivar member: name inside a zip archive
    :ivar header_row: record number of the header, 0 when there is none
    :ivar sheets: names of all sheets (xlsx)
    """

    kind: str = "csv"
    packing: str = ""
    member: str = ""
    encoding: str = ""
    delimiter: str = ""
    sheet: str = ""
    header_row: int = 0
    sheets: tuple = ()


# ------------------------------------------------------------------
# bytes
# ------------------------------------------------------------------


class _BoundedReader(io.RawIOBase):
    """Count what is unpacked and stop a bomb while it goes off."""

    def __init__(self, source, packed_size):
        self._source = source
        self._limit = MAX_UNPACKED
        self._ratio_limit = max(RATIO_FLOOR, packed_size * MAX_RATIO)
        self._count = 0

    def readable(self):
        return True

    def readinto(self, buffer):
        try:
            chunk = self._source.read(len(buffer))
        except (OSError, EOFError, lzma.LZMAError, zipfile.BadZipFile, RuntimeError) as error:
            raise TableError("broken_archive") from error
        except Exception as error:  # zlib.error has no common base with the above
            raise TableError("broken_archive") from error
        self._count += len(chunk)
        if self._count > self._limit:
            raise TableError("too_big", limit=self._limit // 1024**2)
        if self._count > self._ratio_limit:
            raise TableError("bomb", ratio=MAX_RATIO)
        buffer[: len(chunk)] = chunk
        return len(chunk)

    def close(self):
        if not self.closed:
            super().close()


def _size(stream):
    position = stream.seek(0, io.SEEK_END)
    stream.seek(0)
    return position


def _open_bytes(stream, fmt):
    """Return a buffered reader of the unpacked table."""
    size = _size(stream)
    if fmt.packing == "xz":
        source = lzma.LZMAFile(stream)  # noqa: SIM115 read after this returns
    elif fmt.packing == "gz":
        source = gzip.GzipFile(fileobj=stream)
    elif fmt.packing == "zip":
        try:
            archive = zipfile.ZipFile(stream)
            info = archive.getinfo(fmt.member)
            if info.flag_bits & 0x1:
                raise TableError("encrypted")
            source = archive.open(info)
        except (zipfile.BadZipFile, KeyError, NotImplementedError, RuntimeError) as error:
            raise TableError("broken_archive") from error
        size = max(info.compress_size, 1)
    else:
        return stream
    return io.BufferedReader(_BoundedReader(source, size), 1024**2)


# ------------------------------------------------------------------
# what is it
# ------------------------------------------------------------------


def detect(stream, name="", *, encoding="", delimiter="", sheet=""):
    """Find out what the file is and how to read it.

    :param stream: seekable binary file
    :param str name: file name, used in messages only: the content decides
    :param encoding, delimiter, sheet: what the user insists on; for a zip archive with several
        tables ``sheet`` is the name of the table
    :rtype: TableFormat
    :raise TableError: empty, old_xls, not_a_table, broken_archive, encrypted, bomb, too_big,
        no_table, several_tables, no_sheet, too_many_columns, bad_encoding_name
    """
    head = _peek(stream, 8)
    if not head.strip(b"\x00\r\n\t \xef\xbb\xbf"):
        raise TableError("empty")
    if head.startswith(b"\xd0\xcf\x11\xe0"):
        raise TableError("old_xls")
    if head.startswith((b"%PDF", b"\x89PNG", b"\xff\xd8\xff", b"Rar!", b"7z\xbc\xaf")):
        raise TableError("not_a_table")
    fmt = TableFormat()
    if head.startswith(b"PK"):
        fmt = _detect_zip(stream, sheet)
    elif head.startswith(b"\xfd7zXZ\x00"):
        fmt = TableFormat(packing="xz")
    elif head.startswith(b"\x1f\x8b"):
        fmt = TableFormat(packing="gz")
    if fmt.kind == "xlsx":
        return _with_header(stream, _detect_sheet(stream, fmt, sheet))
    fmt = replace(fmt, encoding=_check_encoding(encoding) or guess_encoding(stream, fmt))
    if fmt.encoding == "binary":
        raise TableError("not_a_table")
    fmt = replace(fmt, delimiter=delimiter or guess_delimiter(_first_lines(stream, fmt)))
    return _with_header(stream, fmt)


def _peek(stream, count):
    stream.seek(0)
    head = stream.read(count)
    stream.seek(0)
    return head


def _detect_zip(stream, wanted):
    try:
        archive = zipfile.ZipFile(stream)
        infos = archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError) as error:
        raise TableError("broken_archive") from error
    names = {info.filename for info in infos}
    if "[Content_Types].xml" in names:
        if not any(name.startswith("xl/") for name in names):
            raise TableError("not_a_table")
        _check_xlsx(archive, infos)
        return TableFormat(kind="xlsx")
    tables = [
        info
        for info in infos
        if info.filename.lower().endswith(TABLE_SUFFIXES)
        and not info.filename.startswith("__MACOSX/")
    ]
    if wanted:
        tables = [info for info in tables if info.filename == wanted] or tables
    if not tables:
        raise TableError("no_table")
    if len(tables) > 1:
        shown = ", ".join(info.filename[:60] for info in tables[:8])
        raise TableError("several_tables", count=len(tables), names=shown)
    info = tables[0]
    if info.flag_bits & 0x1:
        raise TableError("encrypted")
    if info.file_size > MAX_UNPACKED:
        raise TableError("too_big", limit=MAX_UNPACKED // 1024**2)
    if info.file_size > max(RATIO_FLOOR, info.compress_size * MAX_RATIO):
        raise TableError("bomb", ratio=MAX_RATIO)
    return TableFormat(packing="zip", member=info.filename)


def _check_xlsx(archive, infos):
    """Refuse a workbook that would blow up in memory or carries XML entities."""
    packed = max(sum(info.compress_size for info in infos), 1)
    unpacked = sum(info.file_size for info in infos)
    if unpacked > MAX_UNPACKED:
        raise TableError("too_big", limit=MAX_UNPACKED // 1024**2)
    if unpacked > max(RATIO_FLOOR, packed * MAX_RATIO):
        raise TableError("bomb", ratio=MAX_RATIO)
    for info in infos:
        if info.flag_bits & 0x1:
            raise TableError("encrypted")
        if info.filename.endswith("sharedStrings.xml") and info.file_size > MAX_SHARED_STRINGS:
            raise TableError("too_big", limit=MAX_SHARED_STRINGS // 1024**2)
        if info.filename.endswith(".xml"):
            try:
                with archive.open(info) as part:
                    start = part.read(2048)
            except Exception as error:
                raise TableError("broken_archive") from error
            if b"<!DOCTYPE" in start or b"<!ENTITY" in start:
                raise TableError("broken_xlsx")


def _detect_sheet(stream, fmt, wanted):
    workbook = _open_workbook(stream)
    try:
        names = tuple(
            sheet.title for sheet in workbook.worksheets if sheet.sheet_state == "visible"
        ) or tuple(workbook.sheetnames)
    finally:
        workbook.close()
    if wanted and wanted not in names:
        raise TableError("no_sheet", name=wanted, names=", ".join(names[:8]))
    for name in (wanted,) if wanted else names:
        candidate = replace(fmt, sheet=name, sheets=names)
        if wanted or next(_xlsx_rows(stream, candidate), None):
            return candidate
    raise TableError("empty")


def _open_workbook(stream):
    from openpyxl import load_workbook

    stream.seek(0)
    try:
        return load_workbook(stream, read_only=True, data_only=True, keep_links=False)
    except Exception as error:  # whatever the parser meets in a crafted file
        raise TableError("broken_xlsx") from error


# ------------------------------------------------------------------
# encoding, delimiter, header
# ------------------------------------------------------------------


def _check_encoding(name):
    if not name:
        return ""
    try:
        return codecs.lookup(name).name
    except LookupError as error:
        raise TableError("bad_encoding_name", name=name[:40]) from error


def guess_encoding(stream, fmt):
    """Tell the encoding from the bytes: byte order mark, UTF-8 if valid, else a code page.

    A file that is UTF-8 but for a few bytes stays UTF-8: the rows with the broken bytes are
    refused later, which is better than reading all names in a wrong alphabet.

    :return: codec name, or "binary" for something that is no text
    """
    decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
    high, broken, letters, count, nul = 0, 0, 0, 0, [0, 0]
    source = _open_bytes(stream, fmt)
    while count < SNIFF_BYTES:
        chunk = source.read(1024**2)
        if not chunk:
            break
        if not count:
            for mark, codec in (
                (codecs.BOM_UTF8, "utf-8-sig"),
                (codecs.BOM_UTF16_LE, "utf-16"),
                (codecs.BOM_UTF16_BE, "utf-16"),
            ):
                if chunk.startswith(mark):
                    return codec
        count += len(chunk)
        if chunk.isascii() and b"\x00" not in chunk:
            decoder.reset()
            continue
        nul[0] += chunk[0::2].count(0)
        nul[1] += chunk[1::2].count(0)
        text = decoder.decode(chunk)
        broken += text.count("\ufffd")
        high += sum(map(len, re.findall(r"[^\x00-\x7f\ufffd]+", text)))
        # Cyrillic in a Windows code page: runs of bytes 0xC0-0xFF; Western text has single ones
        letters += sum(map(len, re.findall(rb"[\xc0-\xff\xa8\xb8]{3,}", chunk)))
    if not count:
        raise TableError("empty")
    if nul[1] > count * 0.2 and nul[0] < nul[1] / 4:
        return "utf-16-le"
    if nul[0] > count * 0.2 and nul[1] < nul[0] / 4:
        return "utf-16-be"
    if sum(nul) > count * 0.1:
        return "binary"
    if not broken or high > broken * 4:
        return "utf-8"
    return "cp1251" if letters > broken / 2 else "cp1252"


def _open_text(stream, fmt):
    encoding = fmt.encoding or "utf-8"
    return io.TextIOWrapper(
        _Unclosable(_open_bytes(stream, fmt)), encoding=encoding, errors="replace", newline=""
    )


class _Unclosable(io.BufferedIOBase):
    """Keep the caller's file open when a text wrapper over it is garbage-collected."""

    def __init__(self, source):
        self._source = source

    def readable(self):
        return True

    def read(self, size=-1):
        return self._source.read(size)

    def read1(self, size=-1):
        return self._source.read(size if size and size > 0 else 65536)


def _first_lines(stream, fmt, count=60):
    text = _open_text(stream, fmt)
    lines = []
    while len(lines) < count:
        line = text.readline(MAX_ROW)
        if not line:
            break
        if line.strip():
            lines.append(line)
    return lines


def guess_delimiter(lines):
    """Return the delimiter that splits the lines into the most equal number of columns."""
    best, best_score = ",", 0
    for delimiter in DELIMITERS:
        counts = Counter()
        try:
            for row in csv.reader(lines, delimiter=delimiter):
                counts[len(row)] += 1
        except csv.Error:
            continue
        if not counts:
            continue
        width, times = counts.most_common(1)[0]
        score = (width - 1) and (times / sum(counts.values())) * min(width, 20) ** 0.5
        if score > best_score:
            best, best_score = delimiter, score
    return best


def _with_header(stream, fmt):
    from .sales_mapping import find_header

    rows = []
    for row_no, cells in _rows(stream, fmt):
        if isinstance(cells, BrokenRow):
            continue
        if len(cells) > MAX_COLUMNS:
            raise TableError("too_many_columns", count=len(cells), limit=MAX_COLUMNS)
        rows.append((row_no, cells))
        if len(rows) >= HEADER_SEARCH * 3:
            break
    if not rows:
        raise TableError("empty")
    return replace(fmt, header_row=find_header(rows, HEADER_SEARCH))


# ------------------------------------------------------------------
# rows
# ------------------------------------------------------------------


def read_header(stream, fmt):
    """Return the names of the columns, "" where the header has none; [] without a header."""
    if not fmt.header_row:
        return []
    for row_no, cells in _rows(stream, fmt):
        if row_no == fmt.header_row:
            return [str(cell).strip() if cell is not None else "" for cell in cells]
    return []


def read_rows(stream, fmt):
    """Yield ``(row_no, cells or BrokenRow)`` for each record below the header that is not blank.

    Cells of a csv are text; cells of a workbook are what the workbook holds (text, numbers,
    dates; the last value of a formula).
    """
    for row_no, cells in _rows(stream, fmt, width_from=fmt.header_row):
        if row_no > fmt.header_row:
            yield row_no, cells


def _rows(stream, fmt, width_from=0):
    if fmt.kind == "xlsx":
        return _xlsx_rows(stream, fmt)
    return _csv_rows(stream, fmt, width_from)


def _xlsx_rows(stream, fmt):
    workbook = _open_workbook(stream)
    try:
        sheet = workbook[fmt.sheet]
        # the declared dimension may be wrong or absurd: rows are as long as their cells
        sheet.reset_dimensions()
        for row_no, cells in enumerate(sheet.iter_rows(values_only=True), 1):
            if row_no > MAX_XLSX_ROWS:
                raise TableError("broken_xlsx")
            if any(cell is not None and cell != "" for cell in cells):
                yield row_no, list(cells)
    except TableError:
        raise
    except Exception as error:  # whatever the parser meets in a crafted file
        raise TableError("broken_xlsx") from error
    finally:
        workbook.close()


class _RowTooLong(Exception):
    pass


class _Lines:
    """Lines for a csv reader, with a limit and with the way back after a broken record."""

    def __init__(self, text):
        self._text = text
        self._pending = deque()
        self.taken = []
        self.length = 0
        self.ended = False

    def __iter__(self):
        return self

    def __next__(self):
        line = self._pending.popleft() if self._pending else self._read()
        if not line:
            self.ended = True
            raise StopIteration
        self.taken.append(line)
        self.length += len(line)
        if self.length > MAX_ROW:
            raise _RowTooLong
        return line

    def _read(self):
        line = self._text.readline(MAX_ROW)
        if len(line) == MAX_ROW and not line.endswith("\n"):
            self.taken.append(line)
            while line and not line.endswith("\n"):
                line = self._text.readline(MAX_ROW)
            raise _RowTooLong
        # a NUL is no text: mark it the way an undecodable byte is marked
        return line.replace("\x00", "\ufffd") if "\x00" in line else line

    def start(self):
        self.taken = []
        self.length = 0

    def give_back(self):
        """Offer all lines of the current record but its first one once more."""
        self._pending.extendleft(reversed(self.taken[1:]))
        self.ended = False


def _csv_rows(stream, fmt, width_from):
    lines = _Lines(_open_text(stream, fmt))
    row_no, width = 0, 0
    reader = csv.reader(lines, delimiter=fmt.delimiter)
    while True:
        lines.start()
        broken = ""
        try:
            cells = next(reader, None)
        except csv.Error:
            broken = "broken_row" if len(lines.taken) > 1 else "row_too_long"
        except _RowTooLong:
            broken = "broken_row" if len(lines.taken) > 1 else "row_too_long"
        else:
            if cells is None:
                return
            if lines.length > MAX_CELL and any(len(cell) > MAX_CELL for cell in cells):
                broken = "broken_row" if len(lines.taken) > 1 else "row_too_long"
            # A record over several lines is real when it fits the header; otherwise a stray
            # quote has swallowed its neighbours.
            elif len(lines.taken) > 1 and _is_runaway(lines, cells, width, fmt.delimiter):
                broken = "broken_row"
        row_no += 1
        if broken:
            first = lines.taken[0] if lines.taken else ""
            lines.give_back()
            reader = csv.reader(lines, delimiter=fmt.delimiter)
            yield row_no, BrokenRow(broken, first[:EXCERPT].rstrip("\r\n"))
            continue
        if row_no == width_from:
            width = len(cells)
        if any(cell and not cell.isspace() for cell in cells):
            yield row_no, cells


def _is_runaway(lines, cells, width, delimiter):
    if width and len(cells) != width:
        return True
    if not lines.ended:
        return False
    try:
        list(csv.reader(lines.taken, delimiter=delimiter, strict=True))
    except csv.Error:
        return True
    return False
