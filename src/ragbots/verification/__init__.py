"""What a language model wrote, checked sentence by sentence against the passages it was given.

A sentence may be shown when the passages it marks (`[1]`) hold its quotations, figures, references to articles
and enough of its words. `Checker` reads the text as it comes and gives back what is verified, in order; `verify`
is the same over a whole text. Nothing that comes out can be rendered as a link, a picture or an element.

Decided here: greetings and closing remarks without content are dropped and count as no loss; items of a list
without markers take those of the sentence that leads into the list. A text that is rejected is shown not at all.
"""

from ragbots.verification.checker import Checker, verify
from ragbots.verification.values import Outcome, Removed, Source, Verified, Why

__all__ = ["Checker", "Outcome", "Removed", "Source", "Verified", "Why", "verify"]
