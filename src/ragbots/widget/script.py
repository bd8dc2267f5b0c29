"""One script out of the modules in `static`: each becomes a function that gives what it exports, in order of need."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

STATIC = Path(__file__).parent / "static"
ENTRY = "embed"
STYLE = "style"  # the one module without a file: the style sheet as text

_IMPORT = re.compile(r'^import \{([^}]*)\} from "\./([a-z]+)\.js";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async )?(?:function\*?|const|class) (\w+))", re.MULTILINE)
_OTHER = re.compile(r"^(?:import|export)\b.*", re.MULTILINE)


def bundle(folder: Path = STATIC) -> str:
    """The script, for a browser as it is. Raises ValueError naming a module that imports or exports in other ways
    than `import { a, b } from "./name.js";` and `export` before a declaration, or that needs itself."""
    parts = [_wrapped(name, source) for name, source in _in_order(folder, ENTRY, (), {})]
    return '"use strict";\n(() => {\n' + "\n".join(parts) + "\n})();\n"


def _in_order(folder: Path, name: str, above: tuple[str, ...], done: dict[str, str]) -> Iterator[tuple[str, str]]:
    if name in above:
        raise ValueError(f"{name}.js needs itself: {' → '.join((*above, name))}")
    if name in done:
        return
    done[name] = source = _source(folder, name)
    for _, needed in _IMPORT.findall(source):
        yield from _in_order(folder, needed, (*above, name), done)
    yield name, source


def _source(folder: Path, name: str) -> str:
    if name == STYLE:
        return f"export const CSS = {json.dumps((folder / 'chat.css').read_text('utf-8'), ensure_ascii=False)};\n"
    return (folder / f"{name}.js").read_text("utf-8")


def _wrapped(name: str, source: str) -> str:
    body = _IMPORT.sub(lambda found: f"const {{{found[1]}}} = ${found[2]};\n", source)
    exported = _EXPORT.findall(body)
    body = _EXPORT.sub("", body)
    if other := _OTHER.search(body):
        raise ValueError(f"{name}.js: `{other[0]}` is no form of import or export that the script can be made from")
    return f"const ${name} = (() => {{\n{body}return {{ {', '.join(exported)} }};\n}})();"
