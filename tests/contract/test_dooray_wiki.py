"""A Dooray wiki as a source, against a server that speaks its API: whole, or as it was before."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from dooray_sdk.web.client import WebClient
from dooray_sdk.web.wiki import WikiAPI
from filelock import FileLock
from tests.dooray_server import TOKEN, WIKI, DoorayServer, dooray_server
from tests.fakes import RecordingProgress

from ragbots.config import DooraySettings, WikiPlace
from ragbots.errors import ConfigurationError, Locked, RagbotsError, SourceUnavailable
from ragbots.loaders.dooray_api import DoorayApi, Pace, Patience, dooray_access
from ragbots.loaders.dooray_wiki import DoorayWiki
from ragbots.loaders.markdown import MarkdownLoader
from ragbots.ports import Listing, Source
from ragbots.types import OmissionKind

HURRIED = Patience(attempts=5, first_wait=0.01, longest_wait=0.05, longest_asked=2.0, connect=20.0, read=20.0)


@pytest.fixture
def server() -> Iterator[DoorayServer]:
    with dooray_server() as running:
        yield running


class Reader:
    """What the installation does with the wiki."""

    def __init__(self, server: DoorayServer, folder: Path) -> None:
        self.server, self.folder = server, folder
        settings = DooraySettings(domain="company.dooray.com", api_url=server.url)
        self.access = dooray_access(settings, {"DOORAY_API_TOKEN": TOKEN})
        self.api = DoorayApi(self.access, Pace(burst=10_000, rate=10_000), HURRIED)

    def wiki(self, under: str | None = None, **more: int) -> DoorayWiki:
        return DoorayWiki(self.api, WikiPlace(wiki=WIKI, under=under), self.folder / "mirror", **more)

    def list(self, under: str | None = None, **more: int) -> Listing:
        return self.wiki(under, **more).list(RecordingProgress())

    def names(self, under: str | None = None) -> list[str]:
        return [file.source for file in self.list(under).files]

    def standing(self) -> dict[str, bytes]:
        """The files in force, read from the disk without asking anybody."""
        mirror = self.folder / "mirror"
        if not (mirror / "current").is_file():
            return {}
        files = mirror / "trees" / (mirror / "current").read_text() / "files"
        return {path.relative_to(files).as_posix(): path.read_bytes() for path in files.rglob("*") if path.is_file()}


@pytest.fixture
def reader(server: DoorayServer, tmp_path: Path) -> Reader:
    return Reader(server, tmp_path)


@pytest.fixture
def small(server: DoorayServer) -> SimpleNamespace:
    """인사 (no text) › 휴가 › 연차, with an attachment; 여비."""
    staff = server.add("인사", "")
    leave = server.add("휴가", "제1조(목적) 휴가를 정한다.", staff)
    annual = server.add("연차", "제1조(연차) 15일로 한다.", leave)
    travel = server.add("여비", "숙박비는 9만원이다.")
    form = server.attach(annual, "별지 서식.hwp", b"HWP " * 500)
    return SimpleNamespace(staff=staff, leave=leave, annual=annual, travel=travel, form=form)


EVERYTHING = ["여비.md", "인사/휴가.md", "인사/휴가/연차.md", "인사/휴가/연차/files/별지 서식.hwp"]


class TestTheWholeWiki:
    def test_is_a_source(self, reader: Reader) -> None:
        assert isinstance(reader.wiki(), Source)
        assert WIKI in reader.wiki().id

    def test_pages_and_files_are_named_by_the_way_to_them(self, reader: Reader, small: SimpleNamespace) -> None:
        listing = reader.list()
        assert [file.source for file in listing.files] == EVERYTHING
        assert listing.files[3].path.read_bytes() == b"HWP " * 500

    def test_each_file_leads_back_to_its_page(self, reader: Reader, small: SimpleNamespace) -> None:
        links = {file.source: file.link for file in reader.list().files}
        assert links["인사/휴가/연차.md"] == f"https://company.dooray.com/wiki/{WIKI}/{small.annual}"
        assert links["인사/휴가/연차/files/별지 서식.hwp"] == links["인사/휴가/연차.md"]

    def test_a_page_reads_as_a_document_with_its_subject_as_title(self, reader: Reader, small: SimpleNamespace) -> None:
        file = reader.list().files[1]
        document = MarkdownLoader().load(file.path, file.source)
        assert document.title == "휴가"
        assert document.link == file.link
        assert [element.text for element in document.elements] == ["휴가", "제1조(목적) 휴가를 정한다."]
        assert document.digest == file.digest

    def test_a_page_in_html(self, server: DoorayServer, reader: Reader) -> None:
        server.add("복무 <안내>", "<p>제1조 <b>근무</b></p>", mime_type="text/html; charset=utf-8")
        (file,) = reader.list().files
        assert file.source == "복무 _안내_.html"
        text = file.path.read_text("utf-8")
        assert "<h1>복무 &lt;안내&gt;</h1>\n<p>제1조 <b>근무</b></p>" in text

    def test_only_what_lies_under_a_page(self, reader: Reader, small: SimpleNamespace) -> None:
        assert reader.names(small.leave) == ["휴가.md", "휴가/연차.md", "휴가/연차/files/별지 서식.hwp"]

    def test_a_page_without_text_is_told_and_loses_nothing(self, reader: Reader, small: SimpleNamespace) -> None:
        (omission,) = reader.list().omissions
        assert (omission.where, omission.kind, omission.expected) == ("인사", OmissionKind.PAGE, True)

    @pytest.mark.parametrize("obeys", [True, False])
    def test_more_pages_than_one_answer_lists(self, server: DoorayServer, reader: Reader, obeys: bool) -> None:
        """Whether the server pages its lists or gives them whole."""
        server.pages_lists = obeys
        for number in range(250):
            server.add(f"규정 {number:03}")
        assert reader.names() == [f"규정 {number:03}.md" for number in range(250)]

    def test_pages_that_are_counted_and_not_listed_are_missed_aloud(
        self, server: DoorayServer, reader: Reader, small: SimpleNamespace
    ) -> None:
        server.uncounted = 2
        told = {(one.what, one.where) for one in reader.list().omissions if not one.expected}
        assert ("2 pages", "the top") in told
        assert ("2 pages", "인사 › 휴가") in told

    def test_a_page_that_is_its_own_ancestor(self, server: DoorayServer, reader: Reader) -> None:
        top = server.add("가")
        below = server.add("나", parent=top)
        server.pages[top].parent = below
        assert reader.names(top) == ["가.md", "가/나.md"]

    def test_an_empty_wiki(self, reader: Reader) -> None:
        assert reader.list() == Listing((), ())

    def test_the_sdk_reads_the_same_from_this_server(self, server: DoorayServer, small: SimpleNamespace) -> None:
        sdk = WebClient(TOKEN, base_url=server.url)
        api = WikiAPI(sdk)
        listed = api.list_pages(WIKI, parent_page_id=small.staff)["result"]
        page = api.get_page(WIKI, small.annual)["result"]
        sdk.session.close()
        assert [one["subject"] for one in listed] == ["휴가"]
        assert page["files"] == [{"id": small.form, "name": "별지 서식.hwp", "size": 2000}]


class TestTheNextTime:
    def test_nothing_changed(self, server: DoorayServer, reader: Reader, small: SimpleNamespace) -> None:
        first = reader.list()
        assert server.asked() == {"lists": 5, "pages": 4, "files": 1}
        server.forget()
        assert reader.list() == first  # the same paths too
        assert server.asked() == {"lists": 5}

    def test_one_page_changed(self, server: DoorayServer, reader: Reader, small: SimpleNamespace) -> None:
        before = {file.source: file.digest for file in reader.list().files}
        server.edit(small.annual, "제1조(연차) 20일로 한다.")
        server.forget()
        after = {file.source: file.digest for file in reader.list().files}
        assert server.asked() == {"lists": 5, "pages": 1}  # its attachment is the same
        assert {name for name in EVERYTHING if before[name] != after[name]} == {"인사/휴가/연차.md"}

    def test_a_page_moved(self, server: DoorayServer, reader: Reader, small: SimpleNamespace) -> None:
        before = {file.digest for file in reader.list().files}
        server.pages[small.leave].parent = small.travel
        server.forget()
        listing = reader.list()
        assert [file.source for file in listing.files] == [
            "여비.md", "여비/휴가.md", "여비/휴가/연차.md", "여비/휴가/연차/files/별지 서식.hwp",
        ]  # fmt: skip
        assert {file.digest for file in listing.files} == before  # the same documents in another place
        assert server.asked() == {"lists": 5}

    @pytest.mark.parametrize("bump", [0, 1])
    def test_a_page_renamed(self, server: DoorayServer, reader: Reader, small: SimpleNamespace, bump: int) -> None:
        """Whether the wiki counts a new subject as a new version or not."""
        links = {file.link for file in reader.list().files}
        server.pages[small.leave].subject = "휴가와 휴직"
        server.pages[small.leave].version += bump
        listing = reader.list()
        assert [file.source for file in listing.files][1] == "인사/휴가와 휴직.md"
        assert "# 휴가와 휴직\n" in listing.files[1].path.read_text("utf-8")
        assert {file.link for file in listing.files} == links

    def test_a_page_deleted_with_what_lies_below(
        self, server: DoorayServer, reader: Reader, small: SimpleNamespace
    ) -> None:
        reader.list()
        server.delete(small.leave)
        assert reader.names() == ["여비.md"]
        assert not list((reader.folder / "mirror" / "store").rglob(f"*{small.annual}*"))

    def test_an_attachment_replaced(self, server: DoorayServer, reader: Reader, small: SimpleNamespace) -> None:
        reader.list()
        del server.pages[small.annual].files[small.form]
        server.attach(small.annual, "별지 서식.hwp", b"NEW")
        server.forget()
        assert reader.list().files[3].path.read_bytes() == b"NEW"
        assert server.asked()["files"] == 1

    def test_lists_that_name_no_versions(self, server: DoorayServer, reader: Reader, small: SimpleNamespace) -> None:
        server.versions_in_lists = False
        reader.list()
        server.edit(small.travel, "숙박비는 10만원이다.")
        assert "10만원" in reader.list().files[0].path.read_text("utf-8")

    def test_a_mirror_that_was_tampered_with_is_made_whole(
        self, server: DoorayServer, reader: Reader, small: SimpleNamespace
    ) -> None:
        reader.list().files[0].path.unlink()
        (reader.folder / "mirror" / "store" / "pages" / f"{small.leave}.json").write_text("{")
        assert reader.names() == EVERYTHING
        shutil.rmtree(reader.folder / "mirror" / "trees")
        assert reader.names() == EVERYTHING

    def test_old_trees_do_not_pile_up(self, server: DoorayServer, reader: Reader, small: SimpleNamespace) -> None:
        for number in range(5):
            server.edit(small.travel, f"숙박비는 {number}만원이다.")
            reader.list()
        assert len(list((reader.folder / "mirror" / "trees").iterdir())) == 2


class TestWhileTheWikiChanges:
    def test_a_page_that_goes_between_list_and_page(
        self, server: DoorayServer, reader: Reader, small: SimpleNamespace
    ) -> None:
        def goes(path: str) -> None:
            if path.endswith(f"/{small.leave}"):
                server.delete(small.leave)
                server.on_request = lambda path: None

        server.on_request = goes
        assert reader.names() == ["여비.md"]

    def test_a_page_moved_from_what_is_not_read_yet_to_what_is(
        self, server: DoorayServer, reader: Reader, small: SimpleNamespace
    ) -> None:
        """It is listed neither here nor there, and is not taken for deleted."""
        late = server.add("나중", "글", small.travel)
        reader.list()

        def moves(path: str) -> None:
            if f"parentPageId={small.travel}" in path:  # the children of 인사, its neighbour, are listed by then
                server.pages[late].parent = small.staff

        server.on_request = moves
        assert "인사/나중.md" in reader.names()

    def test_a_page_in_the_dustbin_that_still_answers(
        self, server: DoorayServer, reader: Reader, small: SimpleNamespace
    ) -> None:
        reader.list()
        server.pages[small.annual].parent = "4390914232279899999"
        assert reader.names() == ["여비.md", "인사/휴가.md"]


class TestABreakOff:
    def test_nothing_is_published_and_the_next_run_goes_on(
        self, server: DoorayServer, reader: Reader, small: SimpleNamespace
    ) -> None:
        """At every request at which it can happen."""
        for answered in range(10):
            shutil.rmtree(reader.folder / "mirror", ignore_errors=True)
            server.forget()
            server.fail_after = answered
            with pytest.raises(SourceUnavailable, match=r"no answer|did not arrive") as caught:
                reader.list()
            assert "released version" in caught.value.hint
            assert reader.standing() == {}
            arrived = server.seen[:answered]
            fetched = {one.path for one in arrived if one.port == "api" and not _is_list(one.path)}
            server.fail_after = None
            server.forget()
            assert reader.names() == EVERYTHING
            again = {one.path for one in server.seen if one.port == "api"} & fetched
            assert {path for path in again if "/files/" not in path} == set()  # no page is fetched twice

    def test_the_wiki_of_before_stands(self, server: DoorayServer, reader: Reader, small: SimpleNamespace) -> None:
        reader.list()
        before = reader.standing()
        for page in list(server.pages.values()):
            page.subject += " (새)"
            server.edit(page.id, "새 글")
        for answered in (0, 2, 4):  # not more: each run gets further than the last
            server.fail_after = answered
            with pytest.raises(SourceUnavailable):
                reader.list()
            assert reader.standing() == before
        server.fail_after = None
        assert all("새" in name for name in reader.names())

    def test_a_file_cut_off_is_fetched_again(
        self, server: DoorayServer, reader: Reader, small: SimpleNamespace
    ) -> None:
        server.cut_files = 2
        assert reader.list().files[3].path.read_bytes() == b"HWP " * 500
        assert len([one for one in server.seen if one.port == "files"]) == 3

    def test_a_file_that_is_always_cut_off_is_not_half_published(
        self, server: DoorayServer, reader: Reader, small: SimpleNamespace
    ) -> None:
        server.cut_files = 1_000
        with pytest.raises(SourceUnavailable, match="did not arrive"):
            reader.list()
        assert reader.standing() == {}
        assert not list((reader.folder / "mirror" / "store" / "files").iterdir())

    def test_what_a_crash_left_of_a_tree_is_never_listed(
        self, server: DoorayServer, reader: Reader, small: SimpleNamespace
    ) -> None:
        reader.list()
        trees = reader.folder / "mirror" / "trees"
        for name in ("building", "000050"):  # half written; written and not put in force
            (trees / name / "files").mkdir(parents=True)
            (trees / name / "files" / "반쪽.md").write_text("half")
        assert reader.names() == EVERYTHING
        server.edit(small.travel, "숙박비는 10만원이다.")
        assert reader.names() == EVERYTHING
        assert sorted(reader.standing()) == EVERYTHING

    def test_two_at_once(self, reader: Reader, small: SimpleNamespace) -> None:
        reader.list()
        with FileLock(reader.folder / "mirror" / "lock"), pytest.raises(Locked):
            reader.list()

    def test_nobody_listens(self, reader: Reader) -> None:
        gone = replace(reader.access, api_url="http://127.0.0.1:9")
        reader.api = DoorayApi(gone, Pace(), replace(HURRIED, attempts=2))
        with pytest.raises(SourceUnavailable, match="ConnectionError"):
            reader.list()


class TestTheRateLimit:
    def test_a_storm_of_429_is_waited_out(self, server: DoorayServer, reader: Reader, small: SimpleNamespace) -> None:
        server.burst, server.rate = 2, 5
        server.limit_headers = lambda: {"x-ratelimit-remaining": "0", "x-ratelimit-replenish-rate": "5"}
        assert reader.names() == EVERYTHING
        assert server.refused > 0

    def test_paced_as_the_server_allows_it_is_hardly_ever_refused(
        self, server: DoorayServer, reader: Reader, small: SimpleNamespace
    ) -> None:
        server.burst, server.rate = 4, 40
        reader.api = DoorayApi(reader.access, Pace(burst=3, rate=35), HURRIED)
        assert reader.names() == EVERYTHING
        assert server.refused <= 1

    @pytest.mark.parametrize("headers", [{"Retry-After": "0.3"}, {"X-RateLimit-Reset": "0.3"}])
    def test_the_server_says_how_long(
        self, server: DoorayServer, reader: Reader, small: SimpleNamespace, headers: dict[str, str]
    ) -> None:
        server.statuses = {"/pages": [429], small.annual: [429, 429], small.form: [429]}
        server.limit_headers = lambda: headers
        waits: list[float] = []
        reader.api = DoorayApi(reader.access, Pace(10_000, 10_000), replace(HURRIED, sleep=waits.append))
        assert reader.names() == EVERYTHING
        assert waits == [0.3] * 4

    def test_a_server_that_wants_an_hour_is_not_waited_for(
        self, server: DoorayServer, reader: Reader, small: SimpleNamespace
    ) -> None:
        server.burst, server.rate = 1, 0.0001
        server.limit_headers = lambda: {"Retry-After": "3600"}
        with pytest.raises(SourceUnavailable, match="wait 3600 s"):
            reader.list()

    def test_a_server_that_never_lets_in_is_given_up(
        self, server: DoorayServer, reader: Reader, small: SimpleNamespace
    ) -> None:
        server.burst = server.rate = 0.0
        with pytest.raises(SourceUnavailable, match=r"too many requests .*5 times"):
            reader.list()
        assert len(server.seen) == HURRIED.attempts

    def test_errors_of_the_server_pass(self, server: DoorayServer, reader: Reader, small: SimpleNamespace) -> None:
        server.statuses = {"/pages": [500, 503], small.annual: [502], small.form: [504]}
        assert reader.names() == EVERYTHING


class TestRefusals:
    @pytest.mark.parametrize("where", ["/pages", "annual", "form"])
    def test_a_token_that_is_not_accepted(
        self, server: DoorayServer, reader: Reader, small: SimpleNamespace, where: str
    ) -> None:
        server.statuses[getattr(small, where, where)] = [401] * 9
        with pytest.raises(ConfigurationError, match="does not accept the token") as caught:
            reader.list()
        assert "token_env" in caught.value.hint
        assert reader.standing() == {}

    def test_no_such_wiki_and_no_such_page(self, reader: Reader, small: SimpleNamespace) -> None:
        place = WikiPlace(wiki="1")
        with pytest.raises(ConfigurationError, match="wiki 1") as caught:
            DoorayWiki(reader.api, place, reader.folder / "other").list(RecordingProgress())
        assert "`wiki`" in caught.value.hint
        with pytest.raises(ConfigurationError, match="page 77") as caught:
            reader.list("77")
        assert "`under`" in caught.value.hint

    def test_a_wiki_that_may_not_be_read(self, server: DoorayServer, reader: Reader) -> None:
        server.statuses["/pages"] = [403]
        with pytest.raises(ConfigurationError, match="may not read") as caught:
            reader.list()
        assert "token's owner" in caught.value.hint

    def test_one_page_that_may_not_be_read_is_not_left_out_in_silence(
        self, server: DoorayServer, reader: Reader, small: SimpleNamespace
    ) -> None:
        server.statuses[small.annual] = [403]
        with pytest.raises(SourceUnavailable, match=small.annual):
            reader.list()

    def test_an_answer_200_that_says_no(self, server: DoorayServer, reader: Reader) -> None:
        server.message = f"서비스 점검 중 {TOKEN}"
        with pytest.raises(SourceUnavailable, match="서비스 점검 중") as caught:
            reader.list()
        assert TOKEN not in str(caught.value)

    def test_answers_that_are_not_the_wikis(self, server: DoorayServer, reader: Reader, small: SimpleNamespace) -> None:
        server.pages[small.annual].version = "neu"  # type: ignore[assignment]
        with pytest.raises(SourceUnavailable, match="not as documented: `version`"):
            reader.list()
        server.pages = {"../../etc": replace(server.pages[small.travel], id="../../etc")}
        with pytest.raises(SourceUnavailable, match="not as documented: `id`"):
            reader.list()

    def test_a_redirect_of_the_api_is_not_followed(self, server: DoorayServer, reader: Reader) -> None:
        server.answer = lambda port, path, auth: (
            307,
            {"Location": f"http://localhost:{server.ports['stranger']}"},
            b"",
        )  # type: ignore[method-assign]
        with pytest.raises(SourceUnavailable, match="TooManyRedirects"):
            reader.list()

    def test_the_token_is_in_no_error_and_in_no_file(
        self, server: DoorayServer, reader: Reader, small: SimpleNamespace
    ) -> None:
        """The server echoes it in the bodies of its refusals."""
        told: list[str] = []
        for statuses in ({"/pages": [500] * 9}, {"/pages": [403]}, {small.leave: [418]}, {small.form: [401] * 9}, {}):
            server.statuses = statuses
            try:
                reader.list()
            except RagbotsError as error:
                told += [str(error), repr(error), error.for_people]
        assert len(told) == 12
        written = [path.read_bytes() for path in reader.folder.rglob("*") if path.is_file()]
        assert written
        assert all(TOKEN not in one for one in told)
        assert all(TOKEN.encode() not in one for one in written)
        assert TOKEN not in repr(reader.access) + repr(reader.api)


class TestAttachments:
    def test_the_token_goes_to_the_host_of_the_files(
        self, server: DoorayServer, reader: Reader, small: SimpleNamespace
    ) -> None:
        reader.list()
        assert [one.authorization for one in server.seen if one.port == "files"] == [f"dooray-api {TOKEN}"]

    def test_and_to_no_strangers(self, server: DoorayServer, reader: Reader, small: SimpleNamespace) -> None:
        server.redirect_to = "stranger"
        listing = reader.list()
        assert [file.source for file in listing.files] == EVERYTHING[:3]
        assert [one for one in server.seen if one.port == "stranger"] == []
        (left_out,) = [one for one in listing.omissions if not one.expected]
        assert left_out.what == "attachment: 별지 서식.hwp"
        assert left_out.where == "인사 › 휴가 › 연차"
        assert "localhost" in left_out.why

    def test_an_address_that_leads_in_a_circle(
        self, server: DoorayServer, reader: Reader, small: SimpleNamespace
    ) -> None:
        server.redirect_to = "api"
        original = server._api
        server._api = lambda path: original(path.removeprefix("/downloads"))  # type: ignore[method-assign]
        assert "leads on and on" in next(one for one in reader.list().omissions if not one.expected).why

    def test_too_large_ones_are_named_and_not_fetched(
        self, server: DoorayServer, reader: Reader, small: SimpleNamespace
    ) -> None:
        listing = reader.list(max_file_bytes=1_999)
        assert [file.source for file in listing.files] == EVERYTHING[:3]
        assert [one.why for one in listing.omissions if not one.expected] == ["it is larger than 0.001999 MB"]
        assert server.asked()["files"] == 0
        assert reader.names() == EVERYTHING  # and with a higher limit it comes

    def test_a_file_that_grew_since_it_was_named(
        self, server: DoorayServer, reader: Reader, small: SimpleNamespace
    ) -> None:
        detail = server._detail
        server._detail = lambda page: {**detail(page), "files": [{"id": small.form, "name": "a.hwp", "size": None}]}  # type: ignore[method-assign]
        listing = reader.list(max_file_bytes=1_000)
        assert [one.what for one in listing.omissions if "larger" in one.why] == ["attachment: a.hwp"]
        assert not [file for file in listing.files if file.source.endswith(".hwp")]

    def test_pictures_are_named_and_not_fetched(
        self, server: DoorayServer, reader: Reader, small: SimpleNamespace
    ) -> None:
        server.attach(small.travel, "별표 1.PNG", b"\x89PNG")
        listing = reader.list()
        (picture,) = [one for one in listing.omissions if one.kind is OmissionKind.PICTURE]
        assert picture.what == "attachment: 별표 1.PNG"
        assert not picture.expected
        assert [file.source for file in listing.files] == EVERYTHING

    def test_one_that_is_gone(self, server: DoorayServer, reader: Reader, small: SimpleNamespace) -> None:
        server.statuses[small.form] = [404]
        assert [one.why for one in reader.list().omissions if not one.expected] == ["it is no longer there"]

    def test_no_name_leads_out_of_the_mirror(self, server: DoorayServer, reader: Reader, tmp_path: Path) -> None:
        for name in (
            "../../../out.txt",
            "/etc/passwd",
            "..",
            "a\x00b.hwp",
            "C:\\x.txt",
            ".hidden",
            "가" * 300 + ".hwp",
        ):
            page = server.add(name)
            server.attach(page, name, b"x")
        listing = reader.list()
        root = (tmp_path / "mirror" / "trees").resolve()
        assert len(listing.files) == 14
        assert all(file.path.resolve().is_relative_to(root) for file in listing.files)
        assert not list(tmp_path.glob("out*"))
        assert any(file.source.endswith(".hwp") for file in listing.files)


def _is_list(path: str) -> bool:
    return path.partition("?")[0].endswith("/pages")
