"""What unit tests of several folders share."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def renderer() -> ModuleType:
    """The tool that renders corpora, with its fonts registered."""
    path = REPOSITORY / "tools" / "render_corpora.py"
    spec = importlib.util.spec_from_file_location("render_corpora", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    try:
        module.register_fonts()
    except SystemExit as missing:
        pytest.skip(str(missing))
    return module
