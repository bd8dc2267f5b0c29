from __future__ import annotations

from pathlib import Path

from ragbots.inventory import Named, identify, take_inventory
from ragbots.ports import Listing, SourceFile
from ragbots.text import digest


def listing(**files: str) -> Listing:
    return Listing(tuple(SourceFile(Path(name), f"{name}.md", sha) for name, sha in files.items()), ())


LEAVE, PAY = Named("휴가.md", "1", "휴가규정"), Named("보수.md", "2", "보수규정")
BEFORE = {"leave": LEAVE, "pay": PAY}


class TestInventory:
    def test_inputs_change_with_content_names_links_and_recipe(self) -> None:
        one = take_inventory("bot", [listing(a="1", b="2")], ["loader-1"]).inputs
        others = [
            take_inventory("bot", [listing(a="1", b="3")], ["loader-1"]),
            take_inventory("bot", [listing(a="1", c="2")], ["loader-1"]),
            take_inventory("bot", [listing(a="1", b="2")], ["loader-2"]),
            take_inventory("other", [listing(a="1", b="2")], ["loader-1"]),
            take_inventory("bot", [Listing((SourceFile(Path("a"), "a.md", "1", "https://wiki/1"),), ())], ["loader-1"]),
        ]
        assert one not in {other.inputs for other in others}
        assert one == take_inventory("bot", [listing(b="2"), listing(a="1")], ["loader-1"]).inputs

    def test_of_two_files_with_the_same_bytes_one_is_read_and_the_other_named(self) -> None:
        taken = take_inventory("bot", [listing(b="1", a="1", c="2")], [])
        assert [file.source for file in taken.files] == ["a.md", "c.md"]
        (copy,) = taken.omissions
        assert (copy.where, copy.why, copy.expected) == ("b.md", "the same file as a.md", True)

    def test_empty_files_are_no_copies_of_each_other(self) -> None:
        taken = take_inventory("bot", [listing(a=digest(b""), b=digest(b""))], [])
        assert [file.source for file in taken.files] == ["a.md", "b.md"]

    def test_of_one_name_in_two_sources_the_later_one_bears_its_number(self) -> None:
        taken = take_inventory("bot", [listing(a="1", b="2"), listing(a="3", b="2")], [])
        assert [(file.source, file.digest) for file in taken.files] == [
            ("a.md", "1"),
            ("b.md", "2"),
            ("출처 2/a.md", "3"),
        ]
        (copy,) = taken.omissions
        assert copy.where == "출처 2/b.md"

    def test_a_file_keeps_its_id_when_another_source_gets_one_of_its_name(self) -> None:
        before = take_inventory("bot", [listing(), listing(a="1")], []).files
        after = take_inventory("bot", [listing(a="2"), listing(a="1")], []).files
        first = identify("bot", [Named(one.source, one.digest, "휴가규정") for one in before], {})
        known = {document_id: Named(source, "1", "휴가규정") for source, document_id in first.items()}
        ids = identify("bot", [Named(one.source, one.digest, "휴가규정") for one in after], known)
        assert ids["출처 2/a.md"] == first["a.md"] != ids["a.md"]


class TestIdentity:
    def test_a_first_build_names_documents_by_their_path(self) -> None:
        first = identify("bot", [LEAVE, PAY], {})
        assert first == identify("bot", [PAY, LEAVE], {})
        assert first != identify("other", [LEAVE, PAY], {})
        assert len(set(first.values())) == 2

    def test_a_renamed_file_is_the_same_document(self) -> None:
        moved = Named("2026/휴가규정.md", "1", "휴가규정")
        assert identify("bot", [moved, PAY], BEFORE) == {moved.source: "leave", PAY.source: "pay"}

    def test_a_replaced_file_is_the_same_document(self) -> None:
        changed = Named("휴가.md", "9", "휴가규정")
        assert identify("bot", [changed, PAY], BEFORE)["휴가.md"] == "leave"

    def test_a_file_uploaded_anew_under_another_name_is_the_same_document(self) -> None:
        again = Named("휴가(최종).hwp", "9", "휴가규정")
        assert identify("bot", [again, PAY], BEFORE)["휴가(최종).hwp"] == "leave"

    def test_a_new_file_with_a_title_that_is_still_there_is_another_document(self) -> None:
        copy = Named("휴가 사본.md", "9", "휴가규정")
        ids = identify("bot", [LEAVE, copy, PAY], BEFORE)
        assert ids["휴가.md"] == "leave"
        assert ids["휴가 사본.md"] not in BEFORE

    def test_two_new_files_with_one_title_are_new(self) -> None:
        both = [Named("가.md", "8", "휴가규정"), Named("나.md", "9", "휴가규정")]
        assert set(identify("bot", both, {"leave": LEAVE}).values()).isdisjoint({"leave"})

    def test_two_files_that_changed_places(self) -> None:
        swapped = [Named("보수.md", "1", "휴가규정"), Named("휴가.md", "2", "보수규정")]
        assert identify("bot", swapped, BEFORE) == {"보수.md": "leave", "휴가.md": "pay"}

    def test_a_new_file_at_the_path_of_a_renamed_one_gets_an_id_of_its_own(self) -> None:
        first = identify("bot", [LEAVE], {})
        moved, new = Named("옛 휴가.md", "1", "휴가규정"), Named("휴가.md", "9", "새 규정")
        ids = identify("bot", [moved, new], {first["휴가.md"]: LEAVE})
        assert ids["옛 휴가.md"] == first["휴가.md"]
        assert ids["휴가.md"] != ids["옛 휴가.md"]
