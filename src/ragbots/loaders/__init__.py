"""Files to Documents: one loader for each format, chosen by what the file holds.

A loader reads a file whole or says why it cannot. What it leaves out (running headers, comments,
pictures) it reports as an omission; nothing vanishes.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ragbots.errors import UnreadableDocument
from ragbots.loaders.docx import DocxLoader
from ragbots.loaders.folder import FolderListing, list_files, list_folder, source_of
from ragbots.loaders.html import HtmlLoader
from ragbots.loaders.hwp import HwpLoader, HwpxLoader
from ragbots.loaders.markdown import MarkdownLoader
from ragbots.loaders.pdf import PdfLoader
from ragbots.loaders.plain_text import TextLoader
from ragbots.loaders.pptx import PptxLoader
from ragbots.loaders.probing import probe
from ragbots.loaders.unsupported import refusal
from ragbots.loaders.xlsx import XlsxLoader
from ragbots.ports import Loader, Probe
from ragbots.types import Document

__all__ = ["FolderListing", "built_in_loaders", "list_files", "list_folder", "load_file", "probe", "source_of"]


def built_in_loaders() -> tuple[Loader, ...]:
    """The loaders in the order in which they are asked."""
    packages = (DocxLoader(), XlsxLoader(), PptxLoader())
    return PdfLoader(), HwpxLoader(), HwpLoader(), *packages, HtmlLoader(), MarkdownLoader(), TextLoader()


def load_file(path: Path, source: str, loaders: Sequence[Loader]) -> Document:
    """The document in `path`, read by the first loader that accepts it.

    `source` is the path below the source folder. Raises UnreadableDocument for an empty file, for
    one that no loader accepts, and for whatever the loader cannot read whole.
    """
    probed = _probed(path, source)
    if not probed.head:
        raise UnreadableDocument(f"{source}: the file is empty (0 bytes)", hint="save or copy the file again")
    loader = next((one for one in loaders if one.accepts(probed)), None)
    if loader is None:
        raise refusal(probed, source)
    return loader.load(path, source)


def _probed(path: Path, source: str) -> Probe:
    try:
        return probe(path, source)
    except OSError as error:
        raise UnreadableDocument(
            f"{source}: cannot be opened: {error.strerror}", hint="check the file and who may read it"
        ) from error
