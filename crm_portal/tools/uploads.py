"""Decide from its bytes whether a file sent by a stranger may be kept.

Nothing the sender says about a file is believed: neither its name nor the type announced by the
browser. The content alone tells the type, the type alone tells the extension, and whatever is not
on the short list of photographs, PDF, office documents and plain text is refused. Documents that a
browser could run (SVG, HTML, XML) are never accepted, whatever they call themselves, and neither
are office documents that carry macros.
"""

import io
import re
import unicodedata
import zipfile

from PIL import Image

#: accepted media type -> file name extensions that may stand for it, the usual one first
ALLOWED_TYPES = {
    "image/jpeg": ("jpg", "jpeg", "jpe", "jfif"),
    "image/png": ("png",),
    "image/gif": ("gif",),
    "image/webp": ("webp",),
    "image/heic": ("heic", "heif"),
    "application/pdf": ("pdf",),
    "application/msword": ("doc",),
    "application/vnd.ms-excel": ("xls",),
    "application/vnd.ms-powerpoint": ("ppt",),
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": ("docx",),
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ("xlsx",),
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": ("pptx",),
    "application/vnd.oasis.opendocument.text": ("odt",),
    "application/vnd.oasis.opendocument.spreadsheet": ("ods",),
    "application/vnd.oasis.opendocument.presentation": ("odp",),
    "text/plain": ("txt", "csv", "log"),
}

#: an image of more pixels is a decompression bomb rather than a photograph
MAX_IMAGE_PIXELS = 100_000_000
MAX_NAME_LENGTH = 120

_PIL_TYPES = {
    "JPEG": "image/jpeg",
    "MPO": "image/jpeg",  # several pictures in one JPEG, as some phones write them
    "PNG": "image/png",
    "GIF": "image/gif",
}
_IMAGE_SIGNATURES = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF87a", b"GIF89a")
_HEIF_BRANDS = {b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1"}
_OLE_SIGNATURE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_OLE_STREAMS = (  # names of the main stream, as the directory of the file spells them
    ("WordDocument".encode("utf-16-le"), "application/msword"),
    ("Workbook".encode("utf-16-le"), "application/vnd.ms-excel"),
    ("PowerPoint Document".encode("utf-16-le"), "application/vnd.ms-powerpoint"),
)
_OOXML_FOLDERS = {
    "word/": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xl/": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "ppt/": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
}
_MARKUP = re.compile(
    r"<\s*(?:!doctype|\?xml|html|head|body|script|svg|iframe|object|embed|style|meta|link|math)\b",
    re.IGNORECASE,
)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f]")


def sniff(data):
    """Tell the media type of a file from its content.

    :param bytes data: the whole file
    :return: a key of :data:`ALLOWED_TYPES`, or ``None`` when the content is of no accepted type
        (unknown, runnable in a browser, macros inside, broken or absurdly large picture)
    :rtype: str | None
    """
    if not data:
        return None
    if data.startswith(_IMAGE_SIGNATURES):
        return _sniff_image(data)
    if data[:4] == b"RIFF":  # WebP is told by its header: the server does not open it either
        return "image/webp" if data[8:15] == b"WEBPVP8" else None
    if data[4:8] == b"ftyp":
        return "image/heic" if data[8:12] in _HEIF_BRANDS else None
    if data.startswith(b"%PDF-"):
        return "application/pdf"
    if data.startswith(_OLE_SIGNATURE):
        return next((mimetype for name, mimetype in _OLE_STREAMS if name in data), None)
    if data.startswith(b"PK\x03\x04"):
        return _sniff_archive(data)
    return _sniff_text(data)


def _sniff_image(data):
    """Only what an image library can open counts as an image; nothing is decoded here."""
    try:
        with Image.open(io.BytesIO(data)) as image:
            width, height = image.size
            mimetype = _PIL_TYPES.get(image.format)
    except Exception:  # the library raises many kinds of errors on broken files
        return None
    return mimetype if 0 < width * height <= MAX_IMAGE_PIXELS else None


def _sniff_archive(data):
    """Zip containers: office documents without macros; the archive is listed, never unpacked."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = archive.namelist()
            if "[Content_Types].xml" in names:
                if any(name.lower().endswith("vbaproject.bin") for name in names):
                    return None
                return next(
                    (
                        mimetype
                        for folder, mimetype in _OOXML_FOLDERS.items()
                        if any(name.startswith(folder) for name in names)
                    ),
                    None,
                )
            if "mimetype" in names and archive.getinfo("mimetype").file_size <= MAX_NAME_LENGTH:
                if any(name.startswith(("Basic/", "Scripts/")) for name in names):
                    return None
                mimetype = archive.read("mimetype").decode("ascii", "replace").strip()
                return mimetype if mimetype in ALLOWED_TYPES else None
    except Exception:  # a damaged archive raises many kinds of errors
        return None
    return None


def _sniff_text(data):
    """Text is what decodes, holds no control characters and does not look like markup."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings = ("utf-16",)
    else:
        encodings = ("utf-8-sig", "cp1251", "cp1252")
    for encoding in encodings:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if _CONTROL.search(text) or _MARKUP.search(text):
            return None
        return "text/plain"
    return None


def safe_name(name, mimetype):
    """Make a file name harmless and true to the content.

    Folders, control and direction-changing characters are dropped, the length is limited, and the
    extension is that of the sniffed type: ``invoice.html`` with a JPEG inside becomes
    ``invoice.html.jpg``.

    :param str name: name given by the sender, may be empty
    :param str mimetype: key of :data:`ALLOWED_TYPES`
    :rtype: str
    """
    name = re.split(r"[\\/]", name or "")[-1]
    name = "".join(char for char in name if unicodedata.category(char)[0] != "C")
    name = re.sub(r'[<>:"|?*]', "_", name).strip(" .") or "file"
    extensions = ALLOWED_TYPES[mimetype]
    stem, dot, extension = name.rpartition(".")
    if not dot or extension.lower() not in extensions:
        stem, extension = name, extensions[0]
    return f"{stem[: MAX_NAME_LENGTH - len(extension) - 1]}.{extension}"
