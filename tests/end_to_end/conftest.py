"""The embedding model is unpacked and one bot is built once for all; what a test changes it changes in a copy."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from tests.end_to_end.installation import PLANTS, VISITORS, Done, Installation, RunMain
from tests.fakes import RecordingProgress

from ragbots.cli.main import main
from ragbots.embedders import SentenceEmbedder, bundled, fast_dtype
from ragbots.lexical import Morphemes
from ragbots.runtime import Runtime


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="session")
def embedder(models: Path) -> SentenceEmbedder:
    return bundled(models, dtype=fast_dtype())


@pytest.fixture(scope="session")
def morphemes() -> Morphemes:
    return Morphemes()


@pytest.fixture(autouse=True)
def loaded_models(monkeypatch: pytest.MonkeyPatch, embedder: SentenceEmbedder, morphemes: Morphemes) -> None:
    """Runtimes of this process share the models."""
    monkeypatch.setattr(Runtime, "_embedder", embedder)
    monkeypatch.setattr(Runtime, "_morphemes", morphemes)


@pytest.fixture
def run_main(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> RunMain:
    def run(arguments: list[str], environment: Mapping[str, str]) -> Done:
        with monkeypatch.context() as patched:
            for key in os.environ:
                if key.startswith("RAGBOTS_"):
                    patched.delenv(key)
            for key, value in environment.items():
                patched.setenv(key, value)
            patched.setattr(sys, "argv", ["ragbots", *arguments])
            capsys.readouterr()
            with pytest.raises(SystemExit) as ended:
                main()
            out, err = capsys.readouterr()
        return Done(int(ended.value.code or 0), out, err)

    return run


@pytest.fixture
def empty(tmp_path: Path, models: Path, run_main: RunMain) -> Installation:
    """An installation without bots."""
    return Installation(tmp_path / "empty", models, run_main)


@pytest.fixture(scope="session")
def built_once(
    tmp_path_factory: pytest.TempPathFactory, models: Path, embedder: SentenceEmbedder, morphemes: Morphemes
) -> Path:
    """One bot of two documents, built and released; only to be copied."""

    def run(arguments: list[str], environment: Mapping[str, str]) -> Done:
        raise NotImplementedError

    one = Installation(tmp_path_factory.mktemp("built"), models, run)
    one.add("office", {"화분관리규정.md": PLANTS, "지침/방문객주차지침.md": VISITORS}, contact="총무부 (내선 1000)")
    with pytest.MonkeyPatch.context() as patched, one.open() as runtime:
        patched.setattr(Runtime, "_embedder", embedder)
        patched.setattr(Runtime, "_morphemes", morphemes)
        runtime.release("office", runtime.build("office", RecordingProgress()).version, by="tester")
    return one.root


@pytest.fixture
def built(built_once: Path, tmp_path: Path, models: Path, run_main: RunMain) -> Installation:
    """A copy of the built bot, the test's own."""
    shutil.copytree(built_once, tmp_path / "office")
    return Installation(tmp_path / "office", models, run_main)


@pytest.fixture
def embedded(embedder: SentenceEmbedder, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is embedded from here on."""
    seen: list[str] = []
    real = SentenceEmbedder.embed_passages_by_token

    def recording(self: SentenceEmbedder, texts: list[str]) -> object:
        seen.extend(texts)
        return real(self, texts)

    monkeypatch.setattr(SentenceEmbedder, "embed_passages_by_token", recording)
    return seen
