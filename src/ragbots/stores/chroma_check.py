"""`python -m ragbots.stores.chroma_check DIRECTORY VECTORS.npy`: prints the rows that are not well found, as JSON.

Run as a process of its own by `stores.chroma`, whose caller holds the directory's lock.
"""

from __future__ import annotations

import json
import sys
from contextlib import closing
from pathlib import Path

import numpy as np

from ragbots.stores.chroma import Collection, lonely_rows, missing_rows


def main(directory: str, vectors_file: str) -> None:
    vectors = np.load(vectors_file)
    with closing(Collection(Path(directory))) as collection:
        rows = missing_rows(collection, vectors, range(len(vectors))) or lonely_rows(collection, vectors)
    sys.stdout.write(json.dumps(rows))


if __name__ == "__main__":
    main(*sys.argv[1:])
