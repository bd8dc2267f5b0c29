"""What a content owner gets wrong in a YAML file or a setting, and is told."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from ragbots.config import check_bots, load_bot, load_bots, load_settings
from ragbots.errors import ConfigurationError

SOUND = "id: travel\nname: 여비 규정\nsources:\n  - folder: ../corpora/travel\n"


def written(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode(encoding))
    return path


def refusal(path: Path) -> ConfigurationError:
    with pytest.raises(ConfigurationError) as caught:
        load_bot(path)
    assert str(path) in caught.value.message
    assert caught.value.exit_code == 2
    return caught.value


def test_three_keys_make_a_bot(tmp_path: Path) -> None:
    bot = load_bot(written(tmp_path / "bots" / "a.yaml", SOUND))
    assert (bot.id, bot.name, bot.public, bot.grade) == ("travel", "여비 규정", False, "internal")
    assert bot.folders == ((tmp_path / "corpora" / "travel").resolve(),)


def test_the_optional_keys(tmp_path: Path) -> None:
    more = (
        "description: 출장\nsample_questions: ['일비는?']\nglossary: {일비: 출장 수당, 숙박비: [방값, 호텔비]}\n"
        "contact: 총무부\nrefusal: 없습니다\nquestions: [q.jsonl]\naccess: {ask: [staff]}\npublic: true\ngrade: open\n"
    )
    bot = load_bot(written(tmp_path / "a.yaml", SOUND + more))
    assert bot.glossary == {"일비": ("출장 수당",), "숙박비": ("방값", "호텔비")}
    assert bot.access.ask == ("staff",)
    assert bot.resolve(bot.questions[0]) == tmp_path / "q.jsonl"


def test_a_file_saved_with_a_byte_order_mark(tmp_path: Path) -> None:
    assert load_bot(written(tmp_path / "a.yaml", SOUND, "utf-8-sig")).id == "travel"


@pytest.mark.parametrize(
    ("key", "meant"),
    [("descripton", "description"), ("sampl_questions", "sample_questions"), ("contacts", "contact")],
)
def test_a_misspelt_key_is_named_with_the_one_meant(tmp_path: Path, key: str, meant: str) -> None:
    error = refusal(written(tmp_path / "a.yaml", f"{SOUND}{key}: 값\n"))
    assert f"`{key}`" in error.message
    assert error.hint == f"did you mean `{meant}`?"


def test_a_key_like_no_other_is_answered_with_those_there_are(tmp_path: Path) -> None:
    error = refusal(written(tmp_path / "a.yaml", f"{SOUND}zzz: 1\n"))
    assert "`zzz`" in error.message
    assert "sources" in error.hint
    assert "path" not in error.hint  # is the program's own


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("id: a\nname: b\nsources:\n  - foldr: x\n", ("sources.0.foldr", "did you mean `folder`?")),
        ("id: a\nname: b\nsources:\n  - doray_wiki: {wiki: 1}\n", ("sources.0.doray_wiki", "`dooray_wiki`?")),
        (
            "id: a\nname: b\nsources:\n  - dooray_wiki: {wiki: 1, undr: 2}\n",
            ("sources.0.dooray_wiki.undr", "did you mean `under`?"),
        ),
        (SOUND + "access:\n  asks: [staff]\n", ("access.asks", "did you mean `ask`?")),
    ],
)
def test_a_misspelt_key_further_in(tmp_path: Path, text: str, parts: tuple[str, ...]) -> None:
    message = str(refusal(written(tmp_path / "a.yaml", text)))
    assert all(part in message for part in parts)


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("name: b\nsources: [{folder: x}]\n", "`id`"),
        ("id: a\nsources: [{folder: x}]\n", "`name`"),
        ("id: a\nname: b\n", "`sources`"),
        ("id: a\nname: b\nsources: []\n", "`sources`"),
        ("id: Ab\nname: b\nsources: [{folder: x}]\n", "`id`"),
        ("id: -a\nname: b\nsources: [{folder: x}]\n", "`id`"),
        (f"id: {'a' * 64}\nname: b\nsources: [{{folder: x}}]\n", "`id`"),
        ("id: a\nname: '  '\nsources: [{folder: x}]\n", "`name`"),
        (SOUND + "grade: secret\n", "`grade`"),
        (SOUND + "path: /etc\n", "`path`"),
    ],
)
def test_a_wrong_value_is_named_by_its_field(tmp_path: Path, text: str, field: str) -> None:
    assert field in refusal(written(tmp_path / "a.yaml", text)).message


def test_sources_of_both_kinds_in_any_order(tmp_path: Path) -> None:
    text = (
        "id: a\nname: b\nsources:\n  - dooray_wiki: {wiki: 1234567890123456789, under: '0234567890123456789'}\n"
        "  - folder: docs\n  - dooray_wiki:\n      wiki: 42\n"
    )
    bot = load_bot(written(tmp_path / "a.yaml", text))
    assert bot.folders == (tmp_path / "docs",)
    # As text: a number would lose its last digits wherever it passes through JavaScript.
    assert [(place.wiki, place.under) for place in bot.wikis] == [
        ("1234567890123456789", "0234567890123456789"),
        ("42", None),
    ]


@pytest.mark.parametrize(
    "entry",
    ["wiki: 12", "x: 1", "folder: a\n    dooray_wiki: {wiki: 1}", "{}", "[folder]", "corpora/travel"],
)
def test_a_source_of_no_known_form_is_told_both(tmp_path: Path, entry: str) -> None:
    message = refusal(written(tmp_path / "a.yaml", f"id: a\nname: b\nsources:\n  - {entry}\n")).message
    assert "`sources.0`" in message
    assert "`folder: PATH`" in message
    assert "`dooray_wiki: {wiki: ID, under: ID}`" in message
    assert "at least" not in message  # the entry is wrong, not absent


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("{wiki: abc}", "`sources.0.dooray_wiki.wiki`: is an id of up to 20 digits"),
        ("{wiki: true}", "`sources.0.dooray_wiki.wiki`: is an id of up to 20 digits"),
        ("{wiki: 1.2e+18}", "`sources.0.dooray_wiki.wiki`: is an id of up to 20 digits"),
        ("{wiki: 1, under: ../x}", "`sources.0.dooray_wiki.under`: is an id of up to 20 digits"),
        ("{under: 1}", "`sources.0.dooray_wiki.wiki`: Field required"),
        ("1234567890123456789", "`sources.0.dooray_wiki`: is a mapping, such as {wiki: "),
        ("", "`sources.0.dooray_wiki`: is a mapping, such as {wiki: "),
    ],
)
def test_a_wiki_that_is_not_named_as_it_should_be(tmp_path: Path, value: str, told: str) -> None:
    text = f"id: a\nname: b\nsources:\n  - dooray_wiki: {value}\n"
    message = refusal(written(tmp_path / "a.yaml", text)).message
    assert told in message
    assert "folder" not in message  # it is clear which form was meant


def test_a_file_that_is_no_mapping_or_no_yaml_or_no_utf8(tmp_path: Path) -> None:
    assert "mapping" in refusal(written(tmp_path / "a.yaml", "- a\n- b\n")).message
    assert "mapping" in refusal(written(tmp_path / "b.yaml", "")).message
    assert "not valid YAML" in refusal(written(tmp_path / "c.yaml", "id: [a\n")).message
    assert "UTF-8" in refusal(written(tmp_path / "d.yaml", SOUND, "cp949")).hint
    assert "no such file" in refusal(tmp_path / "none.yaml").message


def test_of_two_bots_with_one_id_neither_is_taken_and_the_rest_is(tmp_path: Path) -> None:
    written(tmp_path / "a.yaml", SOUND)
    written(tmp_path / "b.yml", SOUND)
    written(tmp_path / "c.yaml", SOUND.replace("travel", "leave"))
    bots, mistakes = check_bots(tmp_path)
    assert list(bots) == ["leave"]
    (mistake,) = mistakes
    assert "`travel`" in mistake.message
    assert str(tmp_path / "a.yaml") in mistake.message
    assert str(tmp_path / "b.yml") in mistake.message
    assert mistake.hint
    with pytest.raises(ConfigurationError, match="two bots"):
        load_bots(tmp_path)


def test_one_bad_file_does_not_stop_the_others(tmp_path: Path) -> None:
    written(tmp_path / "a.yaml", SOUND + "nmae: x\n")
    (tmp_path / "b.yaml").mkdir()  # cannot be read as a file
    written(tmp_path / "c.yaml", SOUND.replace("travel", "leave"))
    bots, mistakes = check_bots(tmp_path)
    assert list(bots) == ["leave"]
    assert ["a.yaml" in mistakes[0].message, "b.yaml" in mistakes[1].message] == [True, True]


def test_bots_come_in_the_order_of_their_ids(tmp_path: Path) -> None:
    for file, bot in (("1.yaml", "zoo"), ("2.yaml", "attic")):
        written(tmp_path / file, SOUND.replace("id: travel", f"id: {bot}"))
    assert list(load_bots(tmp_path)) == ["attic", "zoo"]


def test_a_folder_without_bots(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no bot files") as caught:
        load_bots(tmp_path)
    assert "bots new" in caught.value.hint
    with pytest.raises(ConfigurationError, match="no such folder"):
        load_bots(tmp_path / "none")


class TestSettings:
    @pytest.fixture
    def toml(self, tmp_path: Path) -> Path:
        return written(
            tmp_path / "ragbots.toml", f'bots_dir = "{tmp_path}/t"\ndata_dir = "{tmp_path}/t"\nport = 1111\n'
        )

    def test_options_win_over_the_environment_and_that_over_the_file(self, toml: Path, tmp_path: Path) -> None:
        environ = {"RAGBOTS_CONFIG": str(toml), "RAGBOTS_DATA_DIR": f"{tmp_path}/e", "RAGBOTS_PORT": "2222"}
        settings = load_settings(environ, port=3333, host=None)
        assert settings.bots_dir == tmp_path / "t"  # only in the file
        assert settings.data_dir == tmp_path / "e"  # environment before file
        assert settings.port == 3333  # option before both
        assert settings.host == "127.0.0.1"  # an option that was not given changes nothing

    def test_defaults(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        settings = load_settings({"HOME": "/root"})
        assert settings.bots_dir == tmp_path / "bots"
        assert settings.state_url == f"sqlite:///{tmp_path}/var/state.sqlite3"
        assert settings.today is None

    def test_ragbots_toml_here_is_read_unasked(self, toml: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(toml.parent)
        assert load_settings({}).port == 1111

    def test_the_clock_can_be_set(self) -> None:
        assert load_settings({"RAGBOTS_TODAY": "2026-11-23"}).today == date(2026, 11, 23)

    @pytest.mark.parametrize(
        ("environ", "told"),
        [
            ({"RAGBOTS_DATADIR": "x"}, "did you mean `data_dir`"),
            ({"RAGBOTS_PORT": "99999"}, "`port`"),
            ({"RAGBOTS_PORT": "http"}, "`port`"),
            ({"RAGBOTS_STORE": "faiss"}, "`chroma` or `exact`"),
            ({"RAGBOTS_TODAY": "tomorrow"}, "`today`"),
            ({"RAGBOTS_CONFIG": "/no/such.toml"}, "/no/such.toml"),
            ({"RAGBOTS_DOORAY_DOMIAN": "x"}, "`dooray.domian`: unknown key, did you mean `domain`?"),
            ({"RAGBOTS_DOORAY_DOMAIN": "https://company.dooray.com/"}, "`dooray.domain`: is a host name"),
            ({"RAGBOTS_DOORAY_DOMAIN": "dooray.com"}, "at least three parts"),
            ({"RAGBOTS_DOORAY_API_URL": "http://api.dooray.com"}, "begins with https://"),
            ({"RAGBOTS_DOORAY_API_URL": "https://me:secret@api.dooray.com"}, "without user name"),
            ({"RAGBOTS_DOORAY_TOKEN_ENV": "abc:def"}, "`dooray.token_env`"),
            ({"RAGBOTS_DOORAY_RESPONSE_HOSTS": "https://x.example.com"}, "holds host names such as"),
            ({"RAGBOTS_SLACK_API_URL": "http://slack.example.com/api"}, "begins with https://"),
            ({"RAGBOTS_SLACK_BOT_TOKEN_ENV": "xoxb-1"}, "`slack.bot_token_env`"),
            ({"RAGBOTS_SLACK_BOT_TOKEN": "x"}, "`slack.bot_token`: unknown key, did you mean"),
            ({"RAGBOTS_PUBLIC_URL": "rules.example.com"}, "`public_url`"),
        ],
    )
    def test_a_wrong_variable_is_named(self, environ: dict[str, str], told: str) -> None:
        with pytest.raises(ConfigurationError) as caught:
            load_settings(environ)
        assert told in str(caught.value)

    @pytest.mark.parametrize(
        ("domain", "api"),
        [
            ("company.dooray.com", "https://api.dooray.com"),
            ("Company.Gov-Dooray.com", "https://api.gov-dooray.com"),
            ("a.dev.dooray.co.kr", "https://api.dev.dooray.co.kr"),
        ],
    )
    def test_the_address_of_the_dooray_api_follows_from_the_domain(self, domain: str, api: str) -> None:
        assert load_settings({"RAGBOTS_DOORAY_DOMAIN": domain}).dooray.api == api

    def test_the_dooray_table_and_its_variables(self, tmp_path: Path) -> None:
        text = '[dooray]\ndomain = "company.dooray.com"\ntoken_env = "OUR_TOKEN"\n'
        path = written(tmp_path / "r.toml", text)
        environ = {"RAGBOTS_CONFIG": str(path), "RAGBOTS_DOORAY_API_URL": "http://127.0.0.1:8000/"}
        dooray = load_settings(environ).dooray
        assert dooray.domain == "company.dooray.com"
        assert dooray.token_env == "OUR_TOKEN"
        assert dooray.api == "http://127.0.0.1:8000"  # a variable before the file, which keeps its other keys

    def test_without_a_domain_there_is_no_dooray(self) -> None:
        dooray = load_settings({}).dooray
        assert (dooray.domain, dooray.api, dooray.token_env) == (None, None, "DOORAY_API_TOKEN")

    def test_a_dooray_that_is_no_table(self, tmp_path: Path) -> None:
        path = written(tmp_path / "r.toml", 'dooray = "company.dooray.com"\n')
        with pytest.raises(ConfigurationError, match="`dooray`"):
            load_settings({"RAGBOTS_CONFIG": str(path), "RAGBOTS_DOORAY_DOMAIN": "company.dooray.com"})

    def test_a_wrong_file_is_named(self, tmp_path: Path) -> None:
        for text, told in (("prot = 1\n", "did you mean `port`"), ("port = \n", "not valid TOML")):
            path = written(tmp_path / "r.toml", text)
            with pytest.raises(ConfigurationError) as caught:
                load_settings({"RAGBOTS_CONFIG": str(path)})
            assert str(path) in caught.value.message
            assert told in str(caught.value)


def test_origins_of_the_widget_come_as_a_list_or_with_commas() -> None:
    named = ("https://groupware.example", "http://127.0.0.1:8080")
    assert load_settings({}, widget_origins=named).widget_origins == named
    read = load_settings({"RAGBOTS_WIDGET_ORIGINS": " https://Groupware.example, http://127.0.0.1:8080"})
    assert read.widget_origins == named
    assert load_settings({}).widget_origins == ()


@pytest.mark.parametrize(
    "origin",
    ["*", "https://*.example", "groupware.example", "https://groupware.example/", "https://a@b.example", "https://a;b"],
)
def test_what_is_no_single_origin_is_refused(origin: str) -> None:
    with pytest.raises(ConfigurationError, match="origin"):
        load_settings({}, widget_origins=[origin])


def test_limits_and_proxies_come_from_file_and_environment(tmp_path: Path) -> None:
    path = tmp_path / "ragbots.toml"
    path.write_text('trusted_proxies = ["10.0.0.1/8"]\n[limits]\nper_user = "5/second; 60/minute"\n', "utf-8")
    variables = {"RAGBOTS_CONFIG": str(path), "RAGBOTS_LIMITS_REDIS_URL": "redis://:pw@r/0"}
    settings = load_settings(variables)
    assert settings.trusted_proxies == ("10.0.0.0/8",)
    assert settings.limits.per_user == "5/second; 60/minute"
    assert settings.limits.redis_url is not None
    assert "pw" not in repr(settings)
    for wrong in ({"RAGBOTS_LIMITS_PER_USER": "many"}, {"RAGBOTS_TRUSTED_PROXIES": "proxy"}):
        with pytest.raises(ConfigurationError, match="such as"):
            load_settings({**variables, **wrong})
    with pytest.raises(ConfigurationError) as refused:
        load_settings({**variables, "RAGBOTS_LIMITS_REDIS_URL": "http://:pw@r/0"})
    assert "pw" not in str(refused.value)
