"""Reads damaged documents of every format and counts what becomes of them.

    python tools/fuzz.py [--mutations 5000] [--seed 1] [--formats hwp pdf …] [--samples FOLDER] [--keep FOLDER]

The regulation of `formats.py` in every format, and the files of `--samples`, are damaged by flipped
bits, by cutting off, by splicing in pieces of other documents, and (archives) by damage to the text
inside them; the same seed gives the same files. Each is read in a worker as a build reads it, and
what was read is parsed and cut. Ends with 1 where anything but a document or a failure that names
its file came of it, or where a process was left.
"""

from __future__ import annotations

import argparse
import io
import random
import sys
import tempfile
import threading
import time
import traceback
import warnings
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import formats
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from ragbots.errors import RagbotsError, UnreadableDocument
from ragbots.loaders import built_in_loaders
from ragbots.loaders.worker import ReadLimits, WorkerReader
from ragbots.ports import SourceFile
from ragbots.types import Document

LIMITS = ReadLimits(seconds=20)
WORKERS = 2
SLOW_SECONDS = 20.0  # for parsing and cutting, which no deadline guards
LARGEST_SEED = 300_000  # bytes
_ARCHIVE = b"PK\x03\x04"

Seeds = Mapping[str, Sequence[bytes]]


def seeds(samples: Path | None) -> dict[str, list[bytes]]:
    """Whole documents by format."""
    found: dict[str, list[bytes]] = {}
    for file in formats.written():
        found.setdefault(file.form, []).append(file.content)
    for path in sorted(samples.rglob("*")) if samples else ():
        if path.is_file() and path.suffix[1:] in found and 0 < path.stat().st_size <= LARGEST_SEED:
            found[path.suffix[1:]].append(path.read_bytes())
    return found


def mutated(form: str, number: int, seed: int, whole: Seeds) -> bytes:
    """The damaged document of that number; the same for the same seed."""
    draw = random.Random(f"{seed}/{form}/{number}")
    data = draw.choice(whole[form])
    damages: list[Callable[[random.Random, bytes], bytes]] = [_flipped, _cut, lambda d, b: _spliced(d, b, whole)]
    if data.startswith(_ARCHIVE):
        damages += [lambda d, b: _inside(d, b, whole)] * 3
    for _ in range(draw.choice((1, 1, 1, 2, 3))):
        data = draw.choice(damages)(draw, data)
    return data


def _flipped(draw: random.Random, data: bytes) -> bytes:
    made = bytearray(data)
    for _ in range(min(len(made), draw.choice((1, 2, 8, 64)))):
        made[draw.randrange(len(made))] ^= 1 << draw.randrange(8)
    return bytes(made)


def _cut(draw: random.Random, data: bytes) -> bytes:
    """Without its end, its beginning, or a piece from its middle."""
    start, end = sorted((draw.randrange(len(data) + 1), draw.randrange(len(data) + 1)))
    return draw.choice((data[:end], data[start:], data[:start] + data[end:]))


def _spliced(draw: random.Random, data: bytes, whole: Seeds) -> bytes:
    """With a piece of another document, of any format, in place of a piece or between."""
    other = draw.choice(whole[draw.choice(sorted(whole))])
    start = draw.randrange(len(other))
    piece = other[start : start + draw.randrange(1, 1 << draw.randrange(3, 14))] * draw.choice((1, 1, 1, 20))
    at = draw.randrange(len(data) + 1)
    return data[:at] + piece + data[at + draw.choice((0, len(piece))) :]


def _inside(draw: random.Random, data: bytes, whole: Seeds) -> bytes:
    """An archive whose checksums are right, with one of its parts damaged."""
    buffer = io.BytesIO()
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as new:
            chosen = draw.choice(old.namelist())
            for name in old.namelist():
                part = old.read(name)
                if name == chosen and part:
                    part = draw.choice((_flipped, _cut, lambda d, b: _spliced(d, b, whole)))(draw, part)
                new.writestr(name, part)
    except Exception:  # noqa: BLE001 -- damaged before, and zipfile raises what it likes
        return _cut(draw, data)
    return buffer.getvalue()


@dataclass
class Tally:
    """What became of the documents of one format."""

    tried: int = 0
    read: int = 0
    named: int = 0
    died: int = 0  # of them: the worker died, or took too much
    hung: int = 0  # of them: the deadline fired
    seconds: float = 0.0
    faults: list[str] = field(default_factory=list)


class Fuzz:
    """Reads damaged documents by several workers; the tallies by format."""

    def __init__(self, whole: Seeds, seed: int, keep: Path | None) -> None:
        self._whole = whole
        self._seed = seed
        self._keep = keep
        self._own = threading.local()
        self._lock = threading.Lock()
        self.readers: list[WorkerReader] = []
        self.pids: set[int] = set()
        self.tallies = {form: Tally() for form in whole}

    def run(self, mutations: int, done: Callable[[], None]) -> None:
        with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(WORKERS) as pool:
            jobs = [
                pool.submit(self._one, form, number, Path(folder)) for form, number in _jobs(self._whole, mutations)
            ]
            for job in jobs:
                job.result()
                done()
        for reader in self.readers:
            reader.close()

    @property
    def left(self) -> list[int]:
        """Processes that should be gone."""
        return [pid for pid in self.pids if Path(f"/proc/{pid}").exists()]

    @property
    def restarts(self) -> int:
        return sum(reader.started for reader in self.readers) - len(self.readers)

    def _reader(self) -> WorkerReader:
        if not hasattr(self._own, "reader"):
            self._own.reader = WorkerReader(built_in_loaders, LIMITS)
            self.readers.append(self._own.reader)
        return self._own.reader  # type: ignore[no-any-return]

    def _one(self, form: str, number: int, folder: Path) -> None:
        path = folder / f"{number:05}.{form}"
        path.write_bytes(mutated(form, number, self._seed, self._whole))
        reader, began = self._reader(), time.perf_counter()
        outcome, fault = _outcome(reader, path)
        seconds = time.perf_counter() - began
        if fault and self._keep:
            self._keep.mkdir(parents=True, exist_ok=True)
            (self._keep / path.name).write_bytes(path.read_bytes())
        path.unlink()
        with self._lock:
            if reader.pid:
                self.pids.add(reader.pid)
            _count(self.tallies[form], outcome, fault and f"{path.name}: {fault}", seconds)


def _jobs(whole: Seeds, mutations: int) -> Iterator[tuple[str, int]]:
    """As many of each format, in turns."""
    forms = sorted(whole)
    return ((forms[number % len(forms)], number) for number in range(mutations))


def _outcome(reader: WorkerReader, path: Path) -> tuple[str, str]:
    """What came of a file (read, named, died, hung), and what must not be."""
    source = f"손상/{path.name}"
    try:
        document = reader.read(SourceFile(path, source, ""))
    except UnreadableDocument as error:
        said = error.message
        kind = "hung" if "not read within" in said else "died" if " died (" in said or "of memory" in said else "named"
        return kind, "" if said.startswith(f"{source}: ") and error.hint else f"not named: {said}"
    except Exception as error:  # noqa: BLE001 -- this is what is looked for
        return "named", f"the build would have crashed: {error!r}"
    return "read", _used(document)


def _used(document: Document) -> str:
    """What a build does with a document once it is read."""
    began = time.perf_counter()
    try:
        for chunk in formats.chunks_of(document):
            chunk.passage.encode("utf-8")
    except RagbotsError:
        return ""
    except Exception:  # noqa: BLE001 -- this is what is looked for
        return f"the build would have crashed: {traceback.format_exc(limit=-2)}"
    seconds = time.perf_counter() - began
    return f"parsing and cutting took {seconds:.0f} s" if seconds > SLOW_SECONDS else ""


def _count(tally: Tally, outcome: str, fault: str, seconds: float) -> None:
    tally.tried += 1
    tally.seconds += seconds
    tally.read += outcome == "read"
    tally.named += outcome != "read"
    tally.died += outcome == "died"
    tally.hung += outcome == "hung"
    if fault:
        tally.faults.append(fault)


def show(fuzz: Fuzz, seconds: float, console: Console) -> None:
    names = ("format", "tried", "read", "failures named", "worker died", "deadline fired", "faults", "files/s")
    table = Table(*names, title="Damaged documents", title_justify="left", box=None, header_style="dim", pad_edge=False)
    for form, one in fuzz.tallies.items():
        numbers = (one.tried, one.read, one.named, one.died, one.hung, len(one.faults))
        table.add_row(form, *map(str, numbers), f"{one.tried / one.seconds:.0f}" if one.seconds else "–")
    console.print(table)
    tried = sum(one.tried for one in fuzz.tallies.values())
    console.print(
        f"{tried:,} files in {seconds:.0f} s by {WORKERS} workers; {fuzz.restarts} started anew, {len(fuzz.left)} left"
    )
    for fault in (fault for one in fuzz.tallies.values() for fault in one.faults):
        console.print(fault, style="red", highlight=False, markup=False)


def main() -> int:
    options = _options()
    warnings.simplefilter("ignore")  # zipfile's, for entries that mutations name twice
    whole = {form: found for form, found in seeds(options.samples).items() if form in (options.formats or (form,))}
    fuzz, began = Fuzz(whole, options.seed, options.keep), time.perf_counter()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("damaged documents", total=options.mutations)
        fuzz.run(options.mutations, lambda: progress.advance(task))
    show(fuzz, time.perf_counter() - began, Console(width=110))
    return 1 if fuzz.left or any(one.faults for one in fuzz.tallies.values()) else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mutations", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--formats", nargs="*", help="only these: hwp, pdf …")
    parser.add_argument("--samples", type=Path, help="a folder with more documents to damage")
    parser.add_argument("--keep", type=Path, help="a folder for the files that something was wrong with")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
