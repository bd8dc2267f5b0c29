"""`python -m tests.privacy_figures [FOLDER OF STATUTES]`: what is masked that should be, and should not."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from random import Random

from tests.personal_data import LABELS, LAWS, digits_of, sentence, written

from ragbots.privacy import find, mask

SEED = 20261128
PER_KIND = 10_000


@dataclass(frozen=True)
class Recall:
    """`missed` are the texts in which something of the number still stands."""

    made: int
    missed: tuple[str, ...]

    @property
    def share(self) -> float:
        return 1 - len(self.missed) / self.made


@dataclass(frozen=True)
class Precision:
    lines: int
    characters: int
    false: tuple[str, ...]
    planted: int
    right: int

    @property
    def share(self) -> float:
        return self.right / (self.right + len(self.false))


def recall(kind: str, count: int, seed: int = SEED) -> Recall:
    """Numbers of a kind in sentences. One is missed where a label is lacking or any digit of it is left."""
    random = Random(f"{seed}-{kind}")
    make, labels = LABELS[kind]
    missed = []
    for _ in range(count):
        groups, label = make(random), random.choice(labels)
        state = random.getstate()
        text = sentence(random, label, written(random, groups))
        random.setstate(state)
        number = written(random, groups)
        rest = digits_of(text).replace(digits_of(number), "", 1)
        if digits_of(mask(text)) != rest:
            missed.append(text)
    return Recall(count, tuple(missed))


def precision(folder: Path, seed: int = SEED) -> Precision:
    """Of all masks on the lines of statutes, in every 50th of which a number is planted, those that are right."""
    random = Random(seed)
    lines = [line for path in sorted(folder.glob("*/*.md")) for line in path.read_text("utf-8").splitlines() if line]
    false = [f"{line[one.start : one.end]} ({one.kind}): {line}" for line in lines for one in find(line)]
    planted = right = 0
    for line in lines[::50]:
        make, labels = LABELS[random.choice(list(LABELS))]
        text = f"{line} {random.choice(labels)} {'-'.join(make(random))}"
        planted += 1
        right += digits_of(mask(text)) == digits_of(line)
    return Precision(len(lines), sum(map(len, lines)), tuple(false), planted, right)


def main() -> None:
    for kind in LABELS:
        found = recall(kind, PER_KIND)
        sys.stdout.write(f"{kind}: recall {found.share:.4f} ({len(found.missed)} of {found.made} missed)\n")
        sys.stdout.writelines(f"  {text!r}\n" for text in found.missed[:10])
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else LAWS
    if not folder.is_dir():
        sys.stdout.write("precision: the statutes are not beside the project\n")
        return
    shown = precision(folder)
    sys.stdout.write(
        f"statutes: {shown.lines} lines, {shown.characters} characters, {len(shown.false)} false masks; "
        f"{shown.right} of {shown.planted} planted numbers masked; precision {shown.share:.4f}\n"
    )
    sys.stdout.writelines(f"  {text}\n" for text in shown.false[:20])


if __name__ == "__main__":
    main()
