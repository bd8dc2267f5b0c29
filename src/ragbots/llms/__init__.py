"""Composers of answers. The built-in writes nothing of its own: it quotes."""

from ragbots.llms.extractive import ExtractiveComposer, ExtractiveRules

__all__ = ["ExtractiveComposer", "ExtractiveRules"]
