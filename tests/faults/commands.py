"""`python -m tests.faults.commands`: runs commands in forks of a process in which everything is imported.

A line of JSON asks for one: `arguments`, `environment`, `output` (a file) and `step`, at which it kills itself.
Answers the process id, and when the command has ended its exit code. The models are stand-ins and files are read
in the process itself, so that hundreds of builds take minutes.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import wraps
from typing import Any

from sqlalchemy import Engine, event
from tests.fakes import HashingEmbedder

from ragbots import runtime
from ragbots.cli.main import main
from ragbots.confidence import MODEL
from ragbots.lexical import Morphemes, morphemes
from ragbots.lexical.morphemes import prepare
from ragbots.loaders import built_in_loaders, load_file
from ragbots.runtime import Runtime
from ragbots.types import Document

# Each step of build, verify, release and prune: what is called there, and whether before or after it the end comes.
STEPS = {
    "build: looking at the sources": ("ragbots.indexing:look", "before"),
    "build: reading": ("ragbots.indexing:_read_all", "before"),
    "build: cutting": ("ragbots.indexing:_piece", "after"),
    "build: keeping embeddings": ("ragbots.embedders.cache:_insert", "before"),
    "build: embedded": ("ragbots.indexing:_contents", "before"),
    "build: writing": ("ragbots.stores.versions:_write_postings", "after"),
    "build: written": ("ragbots.stores.versions:_write_contents", "after"),
    "build: flushing": ("ragbots.stores.versions:_flush", "before"),
    "build: renamed": ("ragbots.releases:register", "before"),
    "build: registered": ("ragbots.releases:register", "after"),
    "verify: opening": ("ragbots.releases:open_version", "before"),
    "verify: counting": ("ragbots.releases:_wrong_counts", "before"),
    "verify: checking vectors": ("ragbots.stores.exact:ExactStoreFactory.check", "after"),
    "verify: verdict": ("ragbots.state.database:Database.add_verdict", "before"),
    "release: judged": ("ragbots.state.database:Database.add_verdict", "after"),
    "release: moving": ("ragbots.state.database:Database.release", "before"),
    "release: within the transaction": ("INSERT INTO releases", "sql"),
    "release: moved": ("ragbots.state.database:Database.release", "after"),
    "prune: choosing": ("ragbots.releases:prune", "before"),
    "prune: deleting from the store": ("ragbots.stores.exact:ExactStoreFactory.delete", "after"),
    "prune: deleting": ("ragbots.stores.versions:delete_version", "before"),
    "prune: half deleted": ("shutil:rmtree", "before"),
    "prune: forgetting": ("ragbots.state.database:Database.forget_version", "before"),
    "prune: forgotten": ("ragbots.state.database:Database.forget_version", "after"),
}
# And of filling and deleting a store of Chroma.
STORE_STEPS = {
    "fill: half written": ("ragbots.stores.chroma:_client", "after"),
    "fill: written": ("ragbots.stores.chroma:_write", "after"),
    "fill: not checked": ("ragbots.stores.chroma:_check_in_fresh_process", "before"),
    "fill: being checked": ("subprocess:run", "before"),
    "fill: not marked": ("ragbots.stores.chroma:_facts", "after"),
    "prune: half deleted from the store": ("ragbots.stores.chroma:ChromaStoreFactory._remove_scratch", "before"),
    "prune: deleted from the store": ("ragbots.stores.versions:delete_version", "before"),
}

# Hashed words are nearer or further than the model's vectors: here whatever is found is answered from.
SURE = replace(MODEL, intercept=30.0, weights=dict.fromkeys(MODEL.weights, 0.0))


class Reader:
    """Reads in this process."""

    id = "here"

    def read(self, file: Any) -> Document:
        return load_file(file.path, file.source, built_in_loaders())

    def unpack(self, *_: Any) -> None:
        raise NotImplementedError

    def close(self) -> None:
        return None


class OneByOne(Morphemes):
    """Kiwi reads a list in threads, and a fork has none of them."""

    def terms_of_many(self, texts: Sequence[str]) -> list[list[str]]:
        return [_terms_of(self._kiwi.tokenize(prepare(text))) for text in texts]


def _terms_of(tokens: Sequence[Any]) -> list[str]:
    return [term for token in tokens for term in morphemes._terms(token)]


def install() -> None:
    """Puts the stand-ins in place. What a server swaps out it closes soon, so that each swap opens a version."""
    Runtime._embedder = HashingEmbedder()
    Runtime.reader = Reader()
    runtime.MODEL = SURE
    runtime.SWAP_GRACE_SECONDS = 0.5


def die(*_: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def arrange(step: str) -> None:
    target, when = (STEPS | STORE_STEPS)[step]
    if when == "sql":

        def look(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
            if statement.startswith(target):
                die()

        event.listen(Engine, "after_cursor_execute", look)
        return
    module, _, path = target.partition(":")
    *owners, name = path.split(".")
    owner: Any = importlib.import_module(module)
    for one in owners:
        owner = getattr(owner, one)
    real = getattr(owner, name)
    replaced = _dying(real, when)
    ours = [module for name, module in sys.modules.items() if name.startswith("ragbots")]
    for holder in (owner, *ours):  # wherever it was imported to
        if getattr(holder, name, None) is real:
            setattr(holder, name, replaced)


def _dying(real: Callable[..., Any], when: str) -> Callable[..., Any]:
    @wraps(real)
    def dying(*args: Any, **kwargs: Any) -> Any:
        if when == "after":
            real(*args, **kwargs)
        die()

    return dying


def run(asked: dict[str, Any]) -> None:
    os.environ.clear()
    os.environ.update(asked["environment"])
    output = os.open(asked["output"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for stream in (1, 2):
        os.dup2(output, stream)
    if asked["step"]:
        arrange(asked["step"])
    sys.argv = ["ragbots", *asked["arguments"]]
    main()


def serve() -> None:
    install()
    Runtime._morphemes = OneByOne()
    Runtime._morphemes.terms("화분")
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    for line in sys.stdin:
        asked = json.loads(line)
        if asked["environment"]["RAGBOTS_STORE"] == "chroma":
            importlib.import_module("chromadb")  # once, and not in each fork
        child = os.fork()
        if child == 0:
            code = 99  # a crash is an exit code to whoever asked
            try:
                run(asked)
                code = 0
            except SystemExit as ended:
                code = int(ended.code or 0)
            except BaseException:  # noqa: BLE001
                traceback.print_exc()
            finally:
                with suppress(OSError):
                    sys.stdout.flush()
                os._exit(code)
        sys.stdout.write(f"{child}\n")
        sys.stdout.flush()
        sys.stdout.write(f"{os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    serve()
