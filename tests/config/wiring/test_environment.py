"""Every reader of a variable: what it takes, and the one sentence with which it refuses."""

import ipaddress
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from config.wiring import environment

HOW = "make one"


def test_a_missing_secret_says_how_to_make_one(monkeypatch):
    monkeypatch.delenv("A_SECRET", raising=False)

    with pytest.raises(ImproperlyConfigured) as refusal:
        environment.required_secret("A_SECRET", HOW)

    assert str(refusal.value) == (
        "A_SECRET is not set. Set A_SECRET (or A_SECRET_FILE), for example to the output of: "
        "make one"
    )


@pytest.mark.parametrize("empty", ["", " ", "\n"])
def test_a_secret_that_is_set_but_empty_is_missing(monkeypatch, empty):
    monkeypatch.setenv("A_SECRET", empty)

    with pytest.raises(ImproperlyConfigured, match="A_SECRET is not set"):
        environment.required_secret("A_SECRET", HOW)


@pytest.mark.parametrize("path", ["no-such-file", ".", "binary"])
def test_an_unreadable_file_is_refused_by_its_variables_name(monkeypatch, tmp_path, path):
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00secret")
    monkeypatch.setenv("A_SECRET_FILE", str(tmp_path / path))

    with pytest.raises(ImproperlyConfigured) as refusal:
        environment.text("A_SECRET")

    assert str(refusal.value) == (
        "A_SECRET_FILE must be the path of a text file that this user may read."
    )


@pytest.mark.parametrize("secret", ["$HOME", "$A_SECRET", "$$", "a$b", "\\$HOME"])
def test_a_dollar_sign_is_part_of_the_secret(monkeypatch, secret):
    monkeypatch.setenv("A_SECRET", secret)

    assert environment.required_secret("A_SECRET", HOW) == secret


def test_a_dollar_sign_in_a_file_is_part_of_the_secret(monkeypatch, tmp_path):
    monkeypatch.setenv("A_SECRET_FILE", str(_file(tmp_path, "$HOME\n")))

    assert environment.required_secret("A_SECRET", HOW) == "$HOME"


def test_a_file_wins_over_the_variable(monkeypatch, tmp_path):
    monkeypatch.setenv("A_SECRET", "from the variable")
    monkeypatch.setenv("A_SECRET_FILE", str(_file(tmp_path, " from the file \n")))

    assert environment.text("A_SECRET") == "from the file"


def test_an_empty_file_name_counts_as_not_set(monkeypatch):
    monkeypatch.setenv("A_SECRET", "from the variable")
    monkeypatch.setenv("A_SECRET_FILE", "")

    assert environment.text("A_SECRET") == "from the variable"


@pytest.mark.parametrize("value", ["maybe", "2", "onn", "o n"])
def test_a_switch_that_is_neither_on_nor_off_is_refused(monkeypatch, value):
    monkeypatch.setenv("A_SWITCH", value)

    with pytest.raises(
        ImproperlyConfigured, match=r"^A_SWITCH is neither on nor off. Set it to on or off.$"
    ):
        environment.switch("A_SWITCH", default=False)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        *[(word, True) for word in ("on", "ON", "true", "True", "yes", "1", " on ")],
        *[(word, False) for word in ("off", "false", "No", "0")],
    ],
)
def test_a_switch_knows_the_usual_words(monkeypatch, value, expected):
    monkeypatch.setenv("A_SWITCH", value)

    assert environment.switch("A_SWITCH", default=not expected) is expected


@pytest.mark.parametrize("default", [True, False])
def test_an_empty_switch_is_as_its_default(monkeypatch, default):
    monkeypatch.setenv("A_SWITCH", "")

    assert environment.switch("A_SWITCH", default=default) is default


@pytest.mark.parametrize("value", ["0", "-1", "five", "nan", "inf", "1e999", "5s", "0x10"])
def test_a_number_that_is_none_or_not_above_zero_is_refused(monkeypatch, value):
    monkeypatch.setenv("A_NUMBER", value)

    with pytest.raises(
        ImproperlyConfigured, match=r"^A_NUMBER must be a number above 0, such as 5.$"
    ):
        environment.positive_number("A_NUMBER", 5)


@pytest.mark.parametrize(("value", "expected"), [("", 5), ("2.5", 2.5), (" 10 ", 10)])
def test_a_number_may_have_a_fraction(monkeypatch, value, expected):
    monkeypatch.setenv("A_NUMBER", value)

    assert environment.positive_number("A_NUMBER", 5) == expected


@pytest.mark.parametrize("value", ["0.5", "1.5", "0", "two"])
def test_a_count_that_is_no_whole_number_is_refused(monkeypatch, value):
    monkeypatch.setenv("A_COUNT", value)

    with pytest.raises(ImproperlyConfigured, match=r"^A_COUNT must be a "):
        environment.positive_integer("A_COUNT", 2)


def test_an_empty_count_is_its_default(monkeypatch):
    monkeypatch.setenv("A_COUNT", "")

    assert environment.positive_integer("A_COUNT", 2) == 2


@pytest.mark.parametrize(
    ("value", "expected"),
    [("a.example", ["a.example"]), (" a , ,b,", ["a", "b"]), ("", ["default"]), (",", ["default"])],
)
def test_a_list_has_no_empty_entries(monkeypatch, value, expected):
    monkeypatch.setenv("A_LIST", value)

    assert environment.words("A_LIST", ["default"]) == expected


@pytest.mark.parametrize("value", ["10.0.0.1/8", "10.0.0.0/33", "proxy", "10.0.0.0/8 10.0.0.1"])
def test_what_is_no_network_is_refused(monkeypatch, value):
    monkeypatch.setenv("NETWORKS", value)

    with pytest.raises(ImproperlyConfigured, match=r"^NETWORKS is a comma-separated list of netw"):
        environment.networks("NETWORKS")


def test_networks_of_both_kinds_and_lone_addresses_are_taken(monkeypatch):
    monkeypatch.setenv("NETWORKS", "10.0.0.0/8, 192.0.2.1,2001:db8::/32")

    assert environment.networks("NETWORKS") == [
        ipaddress.ip_network("10.0.0.0/8"),
        ipaddress.ip_network("192.0.2.1/32"),
        ipaddress.ip_network("2001:db8::/32"),
    ]


@pytest.mark.parametrize("value", ["60", "0/min", "-1/min", "60/week", "60 / min", "a/min", "/min"])
def test_what_is_no_rate_is_refused(monkeypatch, value):
    monkeypatch.setenv("A_RATE", value)

    with pytest.raises(
        ImproperlyConfigured,
        match=r"^A_RATE must be a number and a period, such as 60/min, or empty for no limit.$",
    ):
        environment.rate("A_RATE", "60/min")


@pytest.mark.parametrize(("value", "expected"), [("5/s", "5/s"), ("", ""), (" ", "")])
def test_an_empty_rate_switches_the_limit_off(monkeypatch, value, expected):
    monkeypatch.setenv("A_RATE", value)

    assert environment.rate("A_RATE", "60/min") == expected


def test_a_rate_that_is_not_set_is_its_default(monkeypatch):
    monkeypatch.delenv("A_RATE", raising=False)

    assert environment.rate("A_RATE", "60/min") == "60/min"


@pytest.mark.parametrize(
    "value", ["8000", ":8000", "127.0.0.1", "127.0.0.1:", "::1:8000", "host:70000", "a b:80", "h:x"]
)
def test_what_is_no_host_and_port_is_refused(monkeypatch, value):
    monkeypatch.setenv("BIND", value)

    with pytest.raises(
        ImproperlyConfigured, match=r"^BIND must be a host and a port, such as 127.0.0.1:8000.$"
    ):
        environment.address("BIND", "127.0.0.1:8000")


@pytest.mark.parametrize("value", ["0.0.0.0:80", "[::1]:8000", "[::]:65535", "node-1.internal:1"])
def test_a_host_and_a_port_are_taken(monkeypatch, value):
    monkeypatch.setenv("BIND", value)

    assert environment.address("BIND", "127.0.0.1:8000") == value


@pytest.mark.parametrize(
    "host",
    [
        "0.0.0.0",  # noqa: S104
        "::",
        "10.0.0.1",
        "example.com",
        "localhost.example.com",
        "notlocalhost",
        "",
        "1",
    ],
)
def test_these_hosts_are_not_this_machine_alone(host):
    assert not environment.is_loopback(host)


@pytest.mark.parametrize("host", ["localhost", "pool.localhost", "127.0.0.1", "127.9.9.9", "::1"])
def test_these_hosts_are_this_machine(host):
    assert environment.is_loopback(host)


@pytest.mark.parametrize(
    "value",
    [
        "login.example.com",
        "ftp://login.example.com",
        "https://",
        "https:///path",
        "https://login.example.com?a=b",
        "https://login.example.com#top",
        "http://[::1",
        "https://login.example.com:port",
        "https://login.example.com:70000",
        "https://login\n.example.com",
        "https://登录.example.com",
        "javascript:alert(1)",
    ],
)
def test_what_is_no_base_url_is_refused(monkeypatch, value):
    monkeypatch.setenv("A_URL", value)

    with pytest.raises(
        ImproperlyConfigured, match=r"^A_URL must be a URL such as https://login.example.com.$"
    ):
        environment.base_url("A_URL", "http://127.0.0.1:8000")


@pytest.mark.parametrize(
    "address", ["login.example.com:80", "10.0.0.1:80", "0.0.0.0:80", "[2001:db8::1]:80"]
)
def test_http_is_refused_where_the_host_is_not_this_machine(monkeypatch, address):
    monkeypatch.setenv("A_URL", f"http://{address}")

    with pytest.raises(ImproperlyConfigured, match=r"^A_URL must begin with https://, since "):
        environment.base_url("A_URL", "http://127.0.0.1:8000")


@pytest.mark.parametrize("user", ["operator:s3cret-pass", ":s3cret-pass", "s3cret-pass", "", ":"])
def test_a_user_name_or_password_in_a_base_url_is_refused_and_not_quoted(monkeypatch, user):
    monkeypatch.setenv("A_URL", f"https://{user}@login.example.com")

    with pytest.raises(ImproperlyConfigured) as refusal:
        environment.base_url("A_URL", "http://127.0.0.1:8000")

    assert str(refusal.value) == "A_URL must not hold a user name or password."


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("https://login.example.com", "https://login.example.com"),
        ("https://login.example.com:8443//", "https://login.example.com:8443"),
        ("http://localhost:8000/", "http://localhost:8000"),
        ("http://[::1]:8000", "http://[::1]:8000"),
        ("", "http://127.0.0.1:8000"),
    ],
)
def test_a_base_url_has_no_trailing_slash(monkeypatch, value, expected):
    monkeypatch.setenv("A_URL", value)

    assert environment.base_url("A_URL", "http://127.0.0.1:8000") == expected


@pytest.mark.parametrize(
    "value",
    [
        "mysql://operator:s3cret-pass@host/name",
        "//operator:s3cret-pass@host/name",
        "s3cret-pass",
        "postgres://operator:s3cret-pass@host:port/name",
        "postgres://operator:s3cret-pass@[::1/name",
        "sqlite://s3cret-pass.sqlite3",
    ],
)
def test_a_database_that_is_none_of_ours_is_refused_and_not_quoted(monkeypatch, value):
    monkeypatch.setenv("DATABASE_URL", value)

    with pytest.raises(ImproperlyConfigured, match=r"^DATABASE_URL ") as refusal:
        environment.database()

    assert "s3cret-pass" not in str(refusal.value)
    # A traceback would show what came before.
    assert refusal.value.__cause__ is None
    assert refusal.value.__suppress_context__ or refusal.value.__context__ is None


@pytest.mark.parametrize("value", ["", " "])
def test_without_a_database_url_there_is_a_file_of_sqlite(monkeypatch, value):
    monkeypatch.setenv("DATABASE_URL", value)

    assert environment.database() == _database(
        ENGINE="django.db.backends.sqlite3",
        NAME="unionpass.sqlite3",
        OPTIONS={
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
        },
    )


TUNED = {
    "pool": {"min_size": 1, "max_size": 16, "timeout": 10},
    "server_side_binding": True,
    "prepare_threshold": 3,
}


@pytest.mark.parametrize("scheme", ["postgres", "postgresql"])
def test_a_postgresql_database_has_a_pool_of_connections(monkeypatch, scheme):
    monkeypatch.setenv(
        "DATABASE_URL", f"{scheme}://operator:p%40ss@db:5433/unionpass?sslmode=require"
    )

    assert environment.database() == _database(
        ENGINE="config.kernel.postgresql",
        NAME="unionpass",
        USER="operator",
        PASSWORD="p@ss",
        HOST="db",
        PORT=5433,
        OPTIONS=TUNED | {"sslmode": "require"},
    )


def test_prepared_statements_can_be_switched_off_for_an_older_pgbouncer(monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgres://db/unionpass?prepare_threshold=None")

    assert environment.database()["OPTIONS"] == TUNED | {"prepare_threshold": None}


def test_the_database_may_be_given_in_a_file(monkeypatch, tmp_path):
    monkeypatch.setenv("DATABASE_URL", "postgres://db/unionpass")
    monkeypatch.setenv("DATABASE_URL_FILE", str(_file(tmp_path, "sqlite:////data/x.sqlite3\n")))

    assert environment.database()["NAME"] == "/data/x.sqlite3"


def _file(folder: Path, content: str) -> Path:
    path = folder / "value"
    path.write_text(content)
    return path


def _database(**fields: object) -> dict[str, object]:
    return {"USER": "", "PASSWORD": "", "HOST": "", "PORT": ""} | fields
