"""What the tests of the loaders share: a small regulation, the renderer, and a way to load bytes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ragbots.loaders import built_in_loaders, load_file
from ragbots.ports import Loader
from ragbots.types import Document, ElementKind

REGULATION = """\
---
제목: 당직규정
소관부서: 총무부
제정일: 2015-03-02
개정일: 2025-12-18
시행일: 2026-01-01
---
# 당직규정

## 제1장 총칙

### 제1조(목적)

이 규정은 연합회 청사의 안전과 비상연락 체계를 지키기 위하여 당직 근무의 순서와 시간, \
임무와 대가에 필요한 사항을 정하는 것을 목적으로 한다.

### 제2조(정의)

① 이 규정에서 사용하는 용어의 뜻은 다음과 같다. <개정 2023. 5. 4.>

1. "일직"이란 공휴일의 낮 시간에 청사를 지키는 근무를 말하며, 근무 시간은 \
오전 9시부터 오후 6시까지로 하되 지역본부의 사정에 따라 달리 정할 수 있다.
2. "숙직"이란 다음 각 목의 근무를 말한다.
   가. 평일 오후 6시부터 다음 날 오전 9시까지 청사를 지키는 근무
   나. 공휴일 오후 6시부터 다음 날 오전 9시까지 청사를 지키는 근무로서 \
제10조제2항에 따라 총무부장이 따로 명하는 것

② 제1항에도 불구하고 임신 중인 직원과 출산 후 1년이 \
지나지 아니한 직원은 당직에서 제외한다. 다만, \
본인이 원하는 경우에는 제7조제1항에 따른 일직에 한하여 \
그러하지 아니하다. <신설 2020. 6. 30.>

### 제2조의2(당직의 교대)

당직을 바꾸려는 사람은 근무일 3일 전까지 총무부장에게 신청하여야 한다.

### 제3조 삭제 <2020. 6. 30.>

## 별표 1 당직비 지급 기준(제8조제1항 관련)

| 구분 | 평일 | 공휴일 |
|---|---|---|
| 일직 | - | 50,000원 |
| 숙직 | 40,000원 | 60,000원 |

비고: 공휴일에 숙직을 한 사람에게는 하루의 대체휴무를 준다.

## 부칙 <2025. 12. 18.>

제1조(시행일) 이 규정은 2026년 1월 1일부터 시행한다.
"""


@pytest.fixture(scope="session")
def regulation() -> str:
    return REGULATION


@pytest.fixture(scope="session")
def loaders() -> tuple[Loader, ...]:
    return built_in_loaders()


@pytest.fixture
def load(tmp_path: Path, loaders: tuple[Loader, ...]) -> Callable[..., Document]:
    """Loads content under a name: `load("규정.md", "# 규정")`."""

    def loaded(name: str, content: str | bytes) -> Document:
        path = tmp_path / name
        path.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
        return load_file(path, name, loaders)

    return loaded


@pytest.fixture
def lines() -> Callable[[Document], list[str]]:
    """A document's logical lines: one for an element, one for a table row; runs of white space as one."""

    def of(document: Document) -> list[str]:
        found: list[str] = []
        for element in document.elements:
            if element.kind is ElementKind.PICTURE:
                continue
            rows = [" | ".join(row) for row in element.rows]
            found += rows if element.kind is ElementKind.TABLE else [element.text]
        return [" ".join(line.split()) for line in found]

    return of
