from pathlib import Path

import numpy as np
import pytest
import torch

from ragbots.reading import LONGEST, Reader, answered, bundled

TOOLS = Path(__file__).resolve().parents[2] / "tools"


def tokens(count: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(-127, 128, (count, 96)).astype(np.int8)


def units(values: np.ndarray) -> np.ndarray:
    rows = values.astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@pytest.fixture(scope="module")
def reader() -> Reader:
    return bundled()


def test_the_reader_computes_what_was_trained(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(TOOLS))
    model = __import__("train_reader").Model().eval()
    with torch.no_grad():
        for name, value in model.named_parameters():
            value.copy_(torch.from_numpy(reader.parameters[name]))
        passages = [tokens(7, 2), tokens(31, 3), tokens(12, 4)]
        question = tokens(9, 1)
        trained = model([units(question)] * 3, [units(one) for one in passages]).numpy()
    assert reader.scores(question, passages) == pytest.approx(trained, abs=1e-3)


def test_a_passage_is_read_by_itself(reader: Reader) -> None:
    question, one, other = tokens(8, 1), tokens(20, 2), tokens(30, 3)
    together = reader.scores(question, [one, other])
    assert together == pytest.approx([*reader.scores(question, [one]), *reader.scores(question, [other])], abs=1e-5)


def test_the_length_of_a_vector_says_nothing(reader: Reader) -> None:
    question, passage = tokens(8, 1), tokens(20, 2)
    assert reader.scores(question, [passage // 2 * 2]) == pytest.approx(
        reader.scores(question, [passage // 2]), abs=1e-5
    )


def test_a_long_passage_is_read_to_a_limit(reader: Reader) -> None:
    question, passage = tokens(8, 1), tokens(LONGEST + 50, 2)
    assert reader.scores(question, [passage]) == pytest.approx(reader.scores(question, [passage[:LONGEST]]))


def test_several_passages_answer_at_least_as_well_as_the_best_of_them() -> None:
    assert answered(np.array([1.0, -3.0], np.float32)) > 1.0
    assert answered(np.array([-3.0], np.float32)) == pytest.approx(-3.0)


def test_tokens_of_another_width_are_not_read(reader: Reader) -> None:
    assert reader.reads(tokens(3, 1))
    assert not reader.reads(tokens(3, 1)[:, :64])
    assert not reader.reads(tokens(0, 1))
