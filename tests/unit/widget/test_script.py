"""The script that is made of the modules."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest

from ragbots.widget.script import STATIC, bundle


def written(folder: Path, **modules: str) -> Path:
    (folder / "chat.css").write_text("", "utf-8")
    for name, source in modules.items():
        (folder / f"{name}.js").write_text(source, "utf-8")
    return folder


def test_what_a_module_needs_stands_before_it_and_once(tmp_path: Path) -> None:
    folder = written(
        tmp_path,
        embed='import { one } from "./left.js";\nimport { two } from "./right.js";\none(two);\n',
        left='import { base } from "./base.js";\nexport function one() { return base; }\n',
        right='import { base } from "./base.js";\nexport const two = base + 1;\n',
        base="export const base = 1;\n",
    )
    script = bundle(folder)
    assert re.findall(r"const \$(\w+) = ", script) == ["base", "left", "right", "embed"]
    assert "return { one };" in script
    assert not re.search(r"^(import|export)\b", script, re.MULTILINE)


@pytest.mark.parametrize(
    "line",
    ['import * as all from "./base.js";', "export default 1;", "export { a };", 'import { a } from "../base.js";'],
)
def test_other_forms_are_refused_by_name(tmp_path: Path, line: str) -> None:
    with pytest.raises(ValueError, match=r"embed\.js") as caught:
        bundle(written(tmp_path, embed=f"{line}\n"))
    assert line in str(caught.value)


def test_modules_that_need_each_other_are_refused(tmp_path: Path) -> None:
    circle = {"embed": 'import { a } from "./other.js";\n', "other": 'import { b } from "./embed.js";\n'}
    with pytest.raises(ValueError, match="embed → other → embed"):
        bundle(written(tmp_path, **circle))


def test_the_script_is_small_and_has_every_module() -> None:
    script = bundle()
    assert len(gzip.compress(script.encode())) < 40_000
    parts = set(re.findall(r"^const \$(\w+) = ", script, re.MULTILINE))
    modules = {path.stem for path in STATIC.glob("*.js")} - {"theme"}  # which the page runs by itself
    assert parts == modules | {"style"}


def test_nothing_in_it_needs_more_than_a_strict_policy_allows() -> None:
    script = bundle()
    for word in ("innerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function", 'setAttribute("style"'):
        assert word not in script
