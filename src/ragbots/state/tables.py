"""The tables, as the newest migration leaves them."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Float,
    ForeignKey,
    Integer,
    MetaData,
    String,
    Table,
    Text,
)

metadata = MetaData()

versions = Table(
    "versions",
    metadata,
    Column("bot", String(63), primary_key=True),
    Column("version", String(63), primary_key=True),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("chunks", Integer, nullable=False),
    Column("documents", Integer, nullable=False),
    Column("omissions", Integer, nullable=False),
)

verdicts = Table(
    "verdicts",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("bot", String(63), nullable=False, index=True),
    Column("version", String(63), nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("passed", Boolean, nullable=False),
    Column("report", JSON, nullable=False),
)

active = Table(
    "active",
    metadata,
    Column("bot", String(63), primary_key=True),
    Column("version", String(63), nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
)

releases = Table(
    "releases",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("bot", String(63), nullable=False, index=True),
    Column("version", String(63), nullable=False),
    Column("previous", String(63)),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("by", String(255), nullable=False),
    Column("action", String(16), nullable=False),
    Column("forced_because", Text),
    Column("verdict", JSON(none_as_null=True)),
)

rebuilds = Table(
    "rebuilds",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("bot", String(63), nullable=False, index=True),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("version", String(63)),
    Column("report", Text, nullable=False),
    Column("untold", Text),
)

conversations = Table(
    "conversations",
    metadata,
    Column("id", String(43), primary_key=True),
    Column("user_id", String(255), nullable=False, index=True),
    Column("channel", String(32), nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
)

turns = Table(
    "turns",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column(
        "conversation_id", String(43), ForeignKey("conversations.id", ondelete="CASCADE"), nullable=False, index=True
    ),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("question", Text, nullable=False),
    Column("answer", JSON, nullable=False),
    Column("answer_id", String(43), index=True),
)

feedback = Table(
    "feedback",
    metadata,
    Column("answer_id", String(43), primary_key=True),
    Column("user_id", String(255), primary_key=True),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("rating", String(8), nullable=False),
    Column("reason", String(100)),
    Column("comment", Text),
    Column("question", Text, nullable=False),
    Column("answer", Text, nullable=False),
    Column("status", String(16), nullable=False),
    Column("bot", String(63), index=True),
    Column("index_version", String(63)),
    Column("channel", String(32), nullable=False),
)

usage = Table(
    "usage",
    metadata,
    Column("day", Date, primary_key=True),
    Column("user_id", String(255), primary_key=True),
    Column("bot", String(63), primary_key=True),
    Column("llm", String(255), primary_key=True),
    Column("calls", Integer, nullable=False),
    Column("input_tokens", BigInteger, nullable=False),
    Column("output_tokens", BigInteger, nullable=False),
    Column("cost", Float, nullable=False),
)

# All that is hashed is text, kept as it was hashed: no database writes a number or a time in its own way.
audit = Table(
    "audit",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("at", String(32), nullable=False, index=True),
    Column("kind", String(32), nullable=False),
    Column("user_id", Text, nullable=False),
    Column("channel", String(32), nullable=False),
    Column("address", Text),
    Column("what", Text, nullable=False),
    Column("previous", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
)

audit_marks = Table(
    "audit_marks",
    metadata,
    Column("name", String(8), primary_key=True),
    Column("seq", BigInteger, nullable=False),
    Column("hash", String(64), nullable=False),
    Column("mac", String(64), nullable=False),
)

users = Table(
    "users",
    metadata,
    Column("id", String(255), primary_key=True),
    Column("name", String(255), nullable=False),
    Column("groups", JSON, nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("password", Text),
    Column("issuer", String(500)),
)

keys = Table(
    "keys",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("hash", String(64), nullable=False, unique=True, index=True),
    Column("user_id", String(255), nullable=False, index=True),
    Column("groups", JSON, nullable=False),
    Column("bots", JSON(none_as_null=True)),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    Column("revoked_at", DateTime(timezone=True)),
    Column("last_used_at", DateTime(timezone=True)),
)

sessions = Table(
    "sessions",
    metadata,
    Column("hash", String(64), primary_key=True),
    Column("user_id", String(255), nullable=False, index=True),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("last_seen_at", DateTime(timezone=True), nullable=False),
    Column("provider_session", String(255), index=True),
)

sign_ins = Table(
    "sign_ins",
    metadata,
    Column("hash", String(64), primary_key=True),
    Column("nonce", String(64), nullable=False),
    Column("verifier", String(128), nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
)

# What messengers delivered: only whether it was seen, not what it was.
events = Table(
    "events",
    metadata,
    Column("hash", String(64), primary_key=True),
    Column("at", DateTime(timezone=True), nullable=False, index=True),
)

messenger_links = Table(
    "messenger_links",
    metadata,
    Column("messenger", String(255), primary_key=True),
    Column("user_id", String(255), nullable=False, index=True),
)
