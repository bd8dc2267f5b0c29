"""What a file's owner says of it in a small YAML file beside it: `여비규정.hwp.yaml`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ragbots.errors import UnreadableDocument
from ragbots.text import clean


class Sidecar(BaseModel):
    """`제목` is the regulation's name, alike in all its versions; `시행일` the day from which the file holds; `공포일`
    that on which it was made known, from which `공포 후 3개월` counts; `공포번호` names its 부칙."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str | None = Field(None, alias="제목", min_length=1)
    effective: date | None = Field(None, alias="시행일")
    promulgated: date | None = Field(None, alias="공포일")
    number: str | None = Field(None, alias="공포번호", coerce_numbers_to_str=True)

    @property
    def metadata(self) -> Mapping[str, str]:
        said = {"제목": self.title, "공포일": self.promulgated, "공포번호": self.number}
        return {key: str(value) for key, value in said.items() if value is not None}


def read_sidecar(path: Path, source: str) -> Sidecar:
    """Raises UnreadableDocument naming the file and what is wrong with it."""
    try:
        return Sidecar.model_validate(yaml.safe_load(clean(path.read_text("utf-8-sig"))) or {})
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UnreadableDocument(f"{source}: cannot be read: {error}", hint="write it as YAML in UTF-8") from error
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, one['loc'])) or 'file'}: {one['msg']}" for one in error.errors())
        hint = "known keys: 제목, 시행일, 공포일 (YYYY-MM-DD), 공포번호"
        raise UnreadableDocument(f"{source}: {wrong}", hint=hint) from error
