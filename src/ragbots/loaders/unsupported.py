"""Files that no loader reads: what they are, and what to do about it."""

from __future__ import annotations

from ragbots.errors import UnreadableDocument
from ragbots.loaders.plain_text import is_web_archive
from ragbots.loaders.probing import is_html, is_ole, is_plain_archive, is_zip, plain_head, suffix
from ragbots.ports import Probe

_AS_TEXT = "write its text as .md, .docx or PDF, or run text recognition (OCR)"
_PICTURE = ("a picture", _AS_TEXT)
_STARTS = (
    (b"\x89PNG", *_PICTURE),
    (b"\xff\xd8\xff", *_PICTURE),
    (b"GIF8", *_PICTURE),
    (b"II*\x00", *_PICTURE),
    (b"MM\x00*", *_PICTURE),
    (b"RIFF", "a picture, a sound or a film", _AS_TEXT),
    (b"{\\rtf", "rich text (RTF)", "open it in Word or Hangul and save it as .docx or .hwpx"),
    (b"HWP Document File", "an HWP file from before 2000", "open it in Hangul and save it as .hwpx"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", "unpack it, or pack it as .zip"),
    (b"Rar!", "a RAR archive", "unpack it, or pack it as .zip"),
    (b"<", "HTML or XML that is no document of its own", "save it as .html, .docx, .md or PDF"),
)
# What an OLE file holds says what it is; the first that is there.
_STREAMS = (
    ("EncryptedPackage", "an Office file with a password", "save it without a password"),
    ("WordDocument", "a Word file of the old form (.doc)", "open it in Word and save it as .docx"),
    ("Workbook", "an Excel file of the old form (.xls)", "open it in Excel and save it as .xlsx"),
    ("Book", "an Excel file of the old form (.xls)", "open it in Excel and save it as .xlsx"),
    ("PowerPoint Document", "a PowerPoint file of the old form (.ppt)", "open it in PowerPoint and save it as .pptx"),
    ("FileHeader", "an HWP file", "open it in Hangul and save it as .hwpx"),
    ("__properties_version1.0", "a mail of Outlook (.msg)", "save its text as .html or PDF, its files one by one"),
)


def refusal(probe: Probe, source: str) -> UnreadableDocument:
    """The error for a file that no loader accepts."""
    what, hint = _what(probe)
    if what:
        return UnreadableDocument(f"{source}: this is {what}, which no loader here reads", hint=hint)
    if suffix(probe) and b"\x00" not in probe.head:
        return UnreadableDocument(
            f"{source}: the name says {suffix(probe)}, the content does not", hint="save or download it again"
        )
    return UnreadableDocument(f"{source}: unknown binary content", hint="save it as PDF, .docx, .md or .txt")


def _what(probe: Probe) -> tuple[str, str]:
    if is_html(probe):
        return f"HTML under the name of a {suffix(probe)} file (a login page?)", "download the file itself again"
    if is_web_archive(probe):
        return "a web page saved with its pictures (MHT), or a mail", "save the page as .html or PDF"
    if is_ole(probe):
        return _ole(probe)
    if is_zip(probe):
        return _zip(probe)
    start = plain_head(probe).lstrip()
    return next(((what, hint) for mark, what, hint in _STARTS if start.startswith(mark)), ("", ""))


def _ole(probe: Probe) -> tuple[str, str]:
    found = ((what, hint) for name, what, hint in _STREAMS if name in probe.members)
    return next(found, ("a damaged HWP or old Office file", "copy or save it again, if possible as .hwpx or .docx"))


def _zip(probe: Probe) -> tuple[str, str]:
    if is_plain_archive(probe):
        return "a ZIP archive of files", "unpack it and add its files to the source folder"
    if probe.members:
        return "a ZIP package of another program (OpenDocument, EPUB …)", "save it as .docx, .xlsx, .pptx or PDF"
    return "a ZIP package that is damaged or cut off (.docx, .xlsx, .hwpx …)", "copy or save the file again"
