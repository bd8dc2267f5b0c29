"""The tables, as the newest migration leaves them."""

from __future__ import annotations

from sqlalchemy import JSON, Boolean, DateTime, ForeignKey, Integer, MetaData, String, Text
from sqlalchemy import Column as C
from sqlalchemy import Table as T

metadata = MetaData()

versions = T(
    "versions",
    metadata,
    C("bot", String(63), primary_key=True),
    C("version", String(63), primary_key=True),
    C("created_at", DateTime(timezone=True), nullable=False),
    C("chunks", Integer, nullable=False),
    C("documents", Integer, nullable=False),
    C("omissions", Integer, nullable=False),
)

verdicts = T(
    "verdicts",
    metadata,
    C("id", Integer, primary_key=True, autoincrement=True),
    C("bot", String(63), nullable=False, index=True),
    C("version", String(63), nullable=False),
    C("at", DateTime(timezone=True), nullable=False),
    C("passed", Boolean, nullable=False),
    C("report", JSON, nullable=False),
)

active = T(
    "active",
    metadata,
    C("bot", String(63), primary_key=True),
    C("version", String(63), nullable=False),
    C("at", DateTime(timezone=True), nullable=False),
)

releases = T(
    "releases",
    metadata,
    C("id", Integer, primary_key=True, autoincrement=True),
    C("bot", String(63), nullable=False, index=True),
    C("version", String(63), nullable=False),
    C("previous", String(63)),
    C("at", DateTime(timezone=True), nullable=False),
    C("by", String(255), nullable=False),
    C("action", String(16), nullable=False),
    C("forced_because", Text),
)

conversations = T(
    "conversations",
    metadata,
    C("id", String(43), primary_key=True),
    C("user_id", String(255), nullable=False, index=True),
    C("channel", String(32), nullable=False),
    C("created_at", DateTime(timezone=True), nullable=False),
)

turns = T(
    "turns",
    metadata,
    C("id", Integer, primary_key=True, autoincrement=True),
    C("conversation_id", String(43), ForeignKey("conversations.id", ondelete="CASCADE"), nullable=False, index=True),
    C("at", DateTime(timezone=True), nullable=False),
    C("question", Text, nullable=False),
    C("answer", JSON, nullable=False),
)
