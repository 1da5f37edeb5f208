import io
import zipfile

from odoo.tests import BaseCase, tagged

from ..tools import uploads
from .common import make_picture

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 504


def make_zip(**files):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in files.items():
            archive.writestr(name.replace("__", "/"), content)
    return stream.getvalue()


def make_ooxml(folder, *names):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        for name in (f"{folder}/document.xml", *names):
            archive.writestr(name, "x")
    return stream.getvalue()


@tagged("post_install", "-at_install")
class TestUploads(BaseCase):
    def test_accepted_types(self):
        office = "application/vnd.openxmlformats-officedocument."
        for content, mimetype in (
            (make_picture("JPEG"), "image/jpeg"),
            (make_picture("PNG"), "image/png"),
            (make_picture("GIF"), "image/gif"),
            (b"RIFF\x24\0\0\0WEBPVP8 " + b"\0" * 24, "image/webp"),
            (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "image/heic"),
            (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj", "application/pdf"),
            (make_ooxml("word"), office + "wordprocessingml.document"),
            (make_ooxml("xl"), office + "spreadsheetml.sheet"),
            (make_ooxml("ppt"), office + "presentationml.presentation"),
            (
                make_zip(mimetype="application/vnd.oasis.opendocument.text", content="x"),
                "application/vnd.oasis.opendocument.text",
            ),
            (OLE + "WordDocument".encode("utf-16-le"), "application/msword"),
            (OLE + "Workbook".encode("utf-16-le"), "application/vnd.ms-excel"),
            ("Привет, 5 < 6 & 7 > 3".encode(), "text/plain"),
            ("Привет".encode("cp1251"), "text/plain"),
            ("Привет".encode("utf-16"), "text/plain"),
        ):
            with self.subTest(mimetype=mimetype, content=content[:12]):
                self.assertEqual(uploads.sniff(content), mimetype)

    def test_refused_content(self):
        for label, content in {
            "empty": b"",
            "html": b"<!DOCTYPE html><html><body>hi",
            "html after text": b"hello\n\n  <ScRiPt>alert(1)</ScRiPt>",
            "svg": b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
            "svg with prolog": b'\xef\xbb\xbf<?xml version="1.0"?><svg/>',
            "html in utf-16": "<html><script>1</script>".encode("utf-16"),
            "program": b"MZ\x90\x00\x03\x00\x00\x00",
            "elf": b"\x7fELF\x02\x01\x01\x00",
            "plain zip": make_zip(virus="x"),
            "jar": make_zip(**{"META-INF__MANIFEST.MF": "x"}),
            "macro document": make_ooxml("word", "word/vbaProject.bin"),
            "odf with macros": make_zip(
                mimetype="application/vnd.oasis.opendocument.text", **{"Basic__script": "x"}
            ),
            "zip that lies": make_zip(mimetype="text/html"),
            "broken zip": b"PK\x03\x04 nothing",
            "broken png": b"\x89PNG\r\n\x1a\n<svg/>",
            "gif with a script": b"GIF89a=1;alert(1)//",
            "mp4": b"\0\0\0\x18ftypisom\0\0\0\0isom",
            "ole of unknown kind": OLE + b"x" * 100,
        }.items():
            with self.subTest(label):
                self.assertIsNone(uploads.sniff(content))

    def test_decompression_bomb(self):
        picture = bytearray(make_picture("PNG"))
        picture[16:24] = (50_000).to_bytes(4, "big") * 2  # width and height in the header
        self.assertIsNone(uploads.sniff(bytes(picture)))

    def test_safe_name(self):
        for name, mimetype, expected in (
            ("photo.JPG", "image/jpeg", "photo.JPG"),
            ("photo.png", "image/jpeg", "photo.png.jpg"),
            ("invoice.html", "application/pdf", "invoice.html.pdf"),
            ("../../etc/passwd", "text/plain", "passwd.txt"),
            ("C:\\fakepath\\list.csv", "text/plain", "list.csv"),
            ("", "image/png", "file.png"),
            (".htaccess", "text/plain", "htaccess.txt"),
            ("evil\u202egpj.exe\0\n.pdf", "application/pdf", "evilgpj.exe.pdf"),
            ('a<b>"c".pdf', "application/pdf", "a_b__c_.pdf"),
        ):
            with self.subTest(name):
                self.assertEqual(uploads.safe_name(name, mimetype), expected)
        self.assertLessEqual(
            len(uploads.safe_name("x" * 500 + ".pdf", "application/pdf")), uploads.MAX_NAME_LENGTH
        )
