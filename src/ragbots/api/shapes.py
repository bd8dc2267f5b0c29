"""JSON shapes that only the HTTP door has: the list of bots and a citation's passage."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from typing_extensions import TypedDict

from ragbots.config import BotConfig

if TYPE_CHECKING:
    from ragbots.retrieval import Passage, PassageBlock, PassageLink


class BotJson(TypedDict):
    """`released` is false while the bot has no version that answers; `documents` are their titles; `llms` the
    language models that may be asked for, the first of which answers unless another is."""

    id: str
    name: str
    description: str
    sample_questions: list[str]
    contact: str
    released: bool
    documents: list[str]
    llms: list[str]


class BotsJson(TypedDict):
    organisation: str | None
    bots: list[BotJson]


class BlockJson(TypedDict):
    """`cells` pairs column and value of a table row; `marks` are ranges of quoted words, in code points."""

    kind: str
    address: str
    text: str
    cells: list[list[str]]
    quoted: bool
    marks: list[list[int]]


class LinkJson(TypedDict):
    """The article before or after; `id` is asked for like a citation's."""

    article: str | None
    heading: str
    id: str


class PassageJson(TypedDict):
    id: str
    document: str
    source: str
    link: str | None
    article: str | None
    address: str
    breadcrumb: list[str]
    quote: str
    page: int | None
    effective: str | None
    blocks: list[BlockJson]
    previous: LinkJson | None
    next: LinkJson | None


def bot_json(bot: BotConfig, released: bool, documents: Sequence[str], llms: Sequence[str]) -> BotJson:
    return {
        "id": bot.id,
        "name": bot.name,
        "description": bot.description,
        "sample_questions": list(bot.sample_questions),
        "contact": bot.contact,
        "released": released,
        "documents": list(documents),
        "llms": list(llms),
    }


def passage_json(passage: Passage) -> PassageJson:
    """A citation's words in their whole article."""
    return {
        "id": passage.id,
        "document": passage.document,
        "source": passage.source,
        "link": passage.link,
        "article": passage.article,
        "address": str(passage.address),
        "breadcrumb": list(passage.breadcrumb),
        "quote": passage.quote,
        "page": passage.page,
        "effective": passage.effective.isoformat() if passage.effective else None,
        "blocks": [_block_json(block) for block in passage.blocks],
        "previous": _link_json(passage.previous),
        "next": _link_json(passage.next),
    }


def _block_json(block: PassageBlock) -> BlockJson:
    return {
        "kind": str(block.kind),
        "address": str(block.address),
        "text": block.text,
        "cells": [list(pair) for pair in block.cells],
        "quoted": block.quoted,
        "marks": [list(span) for span in block.marks],
    }


def _link_json(link: PassageLink | None) -> LinkJson | None:
    return {"article": link.article, "heading": link.heading, "id": link.id} if link else None
