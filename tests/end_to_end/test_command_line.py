"""Exit codes, shapes and options that scripts rely on."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from tests.end_to_end.installation import PLANTS, VISITORS, WATER, Installation

CITATION = {"id", "source", "document", "article", "address", "quote", "link", "page", "marks"}
ANSWER = {
    "id", "conversation_id", "status", "answer", "bot", "candidates", "confidence", "as_of", "index_version",
    "citations", "related", "warnings", "model", "prompt", "verification",
}  # fmt: skip


class TestShapes:
    def test_ask(self, built: Installation) -> None:
        answer = built.cli("ask", "--json", WATER).json
        assert set(answer) == ANSWER
        assert (answer["status"], answer["bot"], answer["as_of"]) == ("answered", "office", "2026-11-23")
        assert answer["index_version"] in built.versions()
        assert 0 <= answer["confidence"] <= 1
        assert [set(one) for one in answer["candidates"]] == [{"id", "name", "score"}]
        assert answer["citations"]
        assert answer["related"]
        for citation in (*answer["citations"], *answer["related"]):
            assert set(citation) == CITATION
        first = answer["citations"][0]
        assert (first["source"], first["document"], first["article"]) == ("화분관리규정.md", "화분관리규정", "제2조")

    def test_a_refusal_has_the_same_shape_and_is_no_failure(self, built: Installation) -> None:
        done = built.cli("ask", "--json", "은하의 나이와 달까지의 거리는 얼마인가요?")
        assert done.code == 0
        assert set(done.json) == ANSWER
        assert (done.json["status"], done.json["citations"], done.json["model"]) == ("refused", [], None)

    def test_rules_not_yet_in_force_are_warned_of(self, built: Installation) -> None:
        answer = built.cli("ask", "--json", "--as-of", "2025-06-01", WATER).json
        assert answer["as_of"] == "2025-06-01"
        (warning,) = answer["warnings"]
        assert set(warning) == {"kind", "effective_date", "text"}
        assert warning["effective_date"] == "2026-01-01"

    def test_search(self, built: Installation) -> None:
        found = built.cli("search", "--bot", "office", "--k", "3", "--json", WATER).json
        assert set(found) == {"bot", "index_version", "hits"}
        assert found["bot"] == "office"
        assert [hit["rank"] for hit in found["hits"]] == [1, 2, 3]
        assert all(set(hit) == {"rank", "source", "article", "address", "score", "text"} for hit in found["hits"])
        assert found["hits"][0]["source"] == "화분관리규정.md"
        assert found["hits"][0]["article"] == "제2조"
        scores = [hit["score"] for hit in found["hits"]]
        assert scores == sorted(scores, reverse=True)
        assert built.cli("search", "--bot", "office", "--json", "지침").json["hits"][0]["source"].startswith("지침/")

    def test_two_close_bots_are_named_instead_of_guessed(self, built: Installation) -> None:
        built.add("twin", {"화분관리규정.md": PLANTS, "방문객주차지침.md": VISITORS})
        built.build("twin")
        answer = built.cli("ask", "--json", WATER).json
        assert (answer["status"], answer["bot"], answer["citations"]) == ("clarify", None, [])
        assert {candidate["id"] for candidate in answer["candidates"]} == {"office", "twin"}
        assert "office 봇" in answer["answer"]
        shown = built.cli("ask", WATER)
        assert "--bot twin" in shown.out
        assert built.cli("ask", "--json", "--bot", "twin", WATER).json["bot"] == "twin"


class TestOptions:
    def test_before_or_after_the_subcommand(self, built: Installation) -> None:
        bots, data = ("--bots-dir", str(built.bots)), ("--data-dir", str(built.data))
        elsewhere = {"RAGBOTS_BOTS_DIR": "/none", "RAGBOTS_DATA_DIR": "/proc/none"}
        before = built.cli(*bots, *data, "--json", "bots", "list", **elsewhere)
        after = built.cli("bots", "list", *bots, *data, "--json", **elsewhere)
        mixed = built.cli(*bots, "bots", "list", "--json", *data, **elsewhere)
        assert before.code == after.code == mixed.code == 0
        assert before.json == after.json == mixed.json
        assert before.json["bots"][0]["released"] == built.versions()[0]
        assert built.cli("--json", "ask", WATER).json["status"] == "answered"
        assert built.cli("ask", WATER, "--bot", "office", "--json").json["status"] == "answered"

    def test_after_wins_over_before_and_before_over_the_environment(self, built: Installation) -> None:
        done = built.cli("--bots-dir", "/none", "bots", "list", "--bots-dir", str(built.bots), "--json")
        assert done.code == 0
        lost = built.cli("--bots-dir", "/none", "bots", "list", "--json")
        assert lost.code == 2
        assert "/none" in lost.err


class TestExitCodes:
    """0 done, 1 failed, 2 usage or configuration, 3 checks not passed, 4 locked by another (test_versions)."""

    @pytest.mark.parametrize(
        ("command", "code"),
        [
            (("bots", "list"), 0),
            (("bots", "check"), 0),
            (("index", "status"), 0),
            (("index", "verify", "office"), 0),
            (("ask", WATER), 0),
            (("--help",), 0),
            (("ask",), 2),
            (("asks", WATER), 2),
            (("ask", "--bots", "x", WATER), 2),
            (("ask", "--as-of", "어제", WATER), 2),
            (("search", "--bot", "office", "--k", "0", WATER), 2),
            (("index", "build"), 2),
            (("index", "release", "office", "20200101-000000-aaaaaa"), 2),
            (("index", "verify", "office", "--version", "none"), 2),
            (("eval",), 2),
        ],
    )
    def test_of_commands(self, built: Installation, command: tuple[str, ...], code: int) -> None:
        done = built.cli(*command)
        assert done.code == code, done.out + done.err
        assert (code == 0) == (not done.err)

    def test_the_real_command(self, built: Installation) -> None:
        wrong = built.process("ask", "--bot", "none", WATER)
        assert (wrong.code, wrong.out) == (2, "")
        assert "error: no bot `none`" in wrong.err
        right = built.process("ask", "--json", WATER)
        assert right.code == 0, right.err
        assert right.json["status"] == "answered"
        assert right.err == ""

    def test_a_setting_that_is_wrong(self, built: Installation) -> None:
        done = built.cli("bots", "list", RAGBOTS_PROT="1")
        assert done.code == 2
        assert "did you mean `port`" in done.err
        assert built.cli("bots", "list", RAGBOTS_DATABASE_URL="nonsense").code == 2


class TestBotFiles:
    def test_a_misspelt_key_and_a_double_id_stop_nobody_else(self, built: Installation) -> None:
        source = "sources: [{folder: ../documents/office}]\n"
        (built.bots / "misspelt.yaml").write_text(f"id: misspelt\nname: x\n{source}contat: y\n")
        for name in ("a", "b"):
            (built.bots / f"{name}.yaml").write_text(f"id: double\nname: x\n{source}")
        assert built.cli("ask", "--json", WATER).json["status"] == "answered"
        done = built.cli("index", "build", "--all", "--json")
        assert done.code == 2
        assert [result["bot"] for result in done.json["bots"]] == ["office"]
        for check in (built.cli("bots", "check"), built.cli("bots", "check", "--json")):
            assert check.code == 2
            text = check.out
            assert "misspelt.yaml" in text
            assert "did you mean `contact`" in text
            assert "two bots with id `double`" in text
            assert "a.yaml" in text
            assert "b.yaml" in text
        assert built.cli("ask", "--bot", "misspelt", WATER).code == 2
        for bot in ("misspelt", "double"):
            refused = built.cli("index", "build", bot)
            assert refused.code == 2
            assert "bots check" in refused.err

    def test_new_makes_a_sound_file_and_never_harms_a_bot(self, built: Installation) -> None:
        made = built.cli("bots", "new", "travel", "--name", "여비")
        assert made.code == 0
        assert Path(made.out.strip()) == built.bots / "travel.yaml"
        (built.root / "corpora" / "travel").mkdir(parents=True)
        (built.root / "corpora" / "travel" / "규정.md").write_text(VISITORS, "utf-8")
        assert built.cli("bots", "check").code == 0
        (built.bots / "office.yaml").rename(built.bots / "renamed.yaml")
        for taken in ("travel", "office", "Wrong", "../x"):
            before = sorted(built.root.rglob("*.yaml"))
            refused = built.cli("bots", "new", taken)
            assert refused.code == 2, taken
            assert sorted(built.root.rglob("*.yaml")) == before

    def test_names_with_brackets_are_shown_whole(self, built: Installation) -> None:
        built.add("plain", {"[red]규정[/red].md": VISITORS, "[draft].md": b""}, name="[bold]여비[/bold] :smile:")
        done = built.cli("index", "build", "plain", "--release")
        assert "[draft].md" in done.err
        assert "[bold]여비[/bold] :smile:" in built.cli("bots", "list").out
        assert "[red]규정[/red].md" in built.cli("search", "--bot", "plain", "주차 요금").out
        assert "[red]규정[/red].md" in built.cli("index", "status", "plain").out
        built.add("lost", {}, sources=[{"folder": "[blue]none"}])
        assert "[blue]none" in built.cli("bots", "check").out
        assert "[blue]none" in built.cli("index", "build", "lost").err


class TestServe:
    def test_a_port_in_use(self, built: Installation) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = str(taken.getsockname()[1])
            for done in (built.cli("serve", "--port", port), built.cli("serve", RAGBOTS_PORT=port)):
                assert done.code == 2
                assert f"port {port} on 127.0.0.1 is in use" in done.err
                assert "--port" in done.err

    @pytest.mark.parametrize("host", ["0.0.0.0", "::", ""])
    def test_another_address_while_nobody_signs_in(self, built: Installation, host: str) -> None:
        done = built.cli("serve", "--host", host, "--port", "18643")
        assert done.code == 2
        assert "RAGBOTS_ALLOW_ANONYMOUS_NETWORK" in done.err
        assert "--host 127.0.0.1" in done.err

    def test_no_bots_no_server(self, empty: Installation) -> None:
        empty.bots.mkdir(parents=True)
        done = empty.cli("serve")
        assert done.code == 2
        assert "bots new" in done.err
