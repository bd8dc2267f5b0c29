"""Clients as people use them, against an installation served over real HTTP."""

from __future__ import annotations

from collections.abc import Iterator

import openai
import pytest
from langchain_openai import ChatOpenAI
from pydantic import SecretStr
from tests.end_to_end.installation import OUTSIDE, WATER, Installation, here
from tests.end_to_end.serving import served

from ragbots.errors import InvalidQuestion, NotFound


@pytest.fixture
def url(built: Installation) -> Iterator[str]:
    with built.open() as runtime, served(runtime) as url:
        yield f"{url}/v1"


def test_openai(url: str) -> None:
    with openai.OpenAI(base_url=url, api_key="none", timeout=120) as client:
        assert [model.id for model in client.models.list()] == ["auto", "office"]
        assert client.models.retrieve("office").id == "office"
        answered = client.chat.completions.create(model="office", messages=[{"role": "user", "content": WATER}])
        assert "주 2회" in (answered.choices[0].message.content or "")
        refused = client.chat.completions.create(model="auto", messages=[{"role": "user", "content": OUTSIDE}])
        assert refused.choices[0].message.content
        assert not refused.choices[0].message.annotations
        with pytest.raises(openai.NotFoundError) as caught:
            client.chat.completions.create(model="none", messages=[{"role": "user", "content": WATER}])
        assert caught.value.code == "model_not_found"
        with pytest.raises(openai.BadRequestError):
            client.chat.completions.create(model="office", messages=[{"role": "user", "content": " "}])


def test_langchain(url: str) -> None:
    model = ChatOpenAI(model="office", base_url=url, api_key=SecretStr("none"), timeout=120)
    answered = str(model.invoke(WATER).content)
    assert "주 2회" in answered
    assert "/c/office~" in answered
    assert "".join(str(piece.content) for piece in model.stream(WATER)) == answered


def test_an_article_is_read_by_its_address(built: Installation) -> None:
    with built.open() as runtime:

        def read(address: str, document: str | None = None) -> tuple[str, str, str]:
            passage = runtime.article("office", address, document, here(runtime))
            return passage.document, passage.address, passage.quote

        assert read("제4조") == ("화분관리규정", "제4조", "")
        assert read("2조 2항", "화분관리규정")[1:] == (
            "제2조 제2항",
            "② 여름철인 7월과 8월에는 화분에 물을 주 3회 준다.",
        )
        assert read("제2조", "지침/방문객주차지침.md")[0] == "방문객주차지침"
        with pytest.raises(NotFound, match="2 documents"):
            read("제2조")
        for address, document in (("제9조", None), ("제4조", "방문객주차지침"), ("제2조 제9항", "화분관리규정")):
            with pytest.raises(NotFound):
                read(address, document)
        with pytest.raises(InvalidQuestion):
            read("화분")


def test_feedback_and_expiry_at_the_command_line(built: Installation) -> None:
    answer = built.cli("ask", "--json", WATER).json
    given = built.cli("feedback", "give", answer["id"], "--down", "--reason", "틀림", "--json").json
    assert (given["question"], given["rating"], given["channel"]) == (WATER, "down", "cli")
    [listed] = built.cli("feedback", "list", "--bot", "office", "--json").json["feedback"]
    assert listed == given
    assert built.cli("feedback", "list", "--bot", "none").code == 2
    assert built.cli("feedback", "give", "none", "--up").code == 2
    assert built.cli("conversations", "expire", "--json").json == {"conversation_days": 365, "deleted": 0}
