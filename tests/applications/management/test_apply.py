import io
import os
import subprocess
import sys
from io import StringIO

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import IntegrityError
from django.utils import timezone

from applications.checklist import checklist
from applications.models import Application
from applications.rules import ApplicationType
from userpools.models import UserPool

GLOBEX = b"user_pools: [{identifier: globex, name: Globex}]"


def give(monkeypatch, raw):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(raw), encoding="ascii"))


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(
        CommandError, match=r"nope\.yaml can't be read: No such file or directory\."
    ):
        call_command("apply", str(tmp_path / "nope.yaml"))


def test_a_folder_is_refused(tmp_path):
    with pytest.raises(CommandError, match=r"can't be read: Is a directory\."):
        call_command("apply", str(tmp_path))


def test_another_encoding_is_refused_with_the_line(tmp_path):
    file = tmp_path / "acme.yaml"
    file.write_bytes(b"a: 1\nb: \xff\n")

    with pytest.raises(CommandError, match=r"acme\.yaml:2: this isn't UTF-8\.$"):
        call_command("apply", str(file))


def test_a_fault_is_an_exit_code_and_lines_without_a_traceback(tmp_path):
    file = tmp_path / "acme.yaml"
    file.write_text("user_pools:\n  - identifer: acme\n")

    run = subprocess.run(
        [sys.executable, "manage.py", "apply", str(file)],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (run.returncode, run.stdout) == (1, "")
    assert run.stderr == (
        f"CommandError: {file} is refused; nothing was applied.\n"
        f"{file}:2: user_pools[0].identifer: is not known here. Did you mean identifier?\n"
        f"{file}:2: user_pools[0].identifier: is required.\n"
    )


def test_a_row_that_the_database_refuses_is_a_sentence_without_its_values(db, monkeypatch):
    def refuse(*_args, **_kwargs):
        raise IntegrityError("null value in column\nDETAIL:  Failing row contains (a secret).")

    give(monkeypatch, GLOBEX)
    monkeypatch.setattr("applications.management.commands.apply.apply_manifest", refuse)

    with pytest.raises(CommandError) as refused:
        call_command("apply", "-")

    assert "nothing was applied" in str(refused.value)
    assert "null value in column" in str(refused.value)
    assert "a secret" not in str(refused.value)
    assert refused.value.__suppress_context__


def test_a_minus_reads_standard_input_in_utf_8_with_or_without_a_mark(db, monkeypatch):
    out = StringIO()
    give(monkeypatch, b"\xef\xbb\xbf" + GLOBEX.replace(b"Globex", "极致".encode()))

    call_command("apply", "-", stdout=out)

    assert out.getvalue() == (
        'user pool globex: create\n  name: "极致"\nIn all: 1 to create.\nApplied.\n'
    )
    assert UserPool.objects.get().name == "极致"


def test_standard_input_has_a_name_in_errors(monkeypatch):
    give(monkeypatch, b"a: [")

    with pytest.raises(CommandError, match=r"\n<stdin>:1:5: this isn't YAML"):
        call_command("apply", "-")


def test_the_plan_alone_writes_nothing(db, monkeypatch):
    give(monkeypatch, GLOBEX)

    call_command("apply", "-", "--plan", stdout=StringIO())

    assert not UserPool.objects.exists()


def test_with_nothing_to_do_it_says_no_changes_and_nothing_else(db, monkeypatch):
    give(monkeypatch, GLOBEX)
    call_command("apply", "-", stdout=StringIO())

    for flags in ([], ["--plan"], ["--overwrite"]):
        out = StringIO()
        give(monkeypatch, GLOBEX)
        call_command("apply", "-", *flags, stdout=out)
        assert out.getvalue() == "No changes.\n"


def test_the_demo_is_complete_and_applied_again_changes_nothing(db, monkeypatch):
    for name in ("DEMO_WEB_SECRET", "DEMO_MACHINE_SECRET"):
        monkeypatch.setenv(name, "first-made-up-secret-of-an-application")
    demo = str(settings.BASE_DIR / "examples" / "demo.yaml")

    call_command("apply", demo, stdout=StringIO())
    again = StringIO()
    call_command("apply", demo, stdout=again)

    assert again.getvalue() == "No changes.\n"
    applications = Application.objects.filter(pool__identifier="demo")
    assert set(applications.values_list("type", flat=True)) == set(ApplicationType.values)
    lacking = {
        application.client_id: item.sentence
        for application in applications
        for item in checklist(application, now=timezone.now())
        if item.done is False and item.source is None and "https" not in item.sentence
    }
    assert lacking == {}


def test_a_database_without_its_tables_is_told_in_a_sentence(tmp_path):
    file = tmp_path / "globex.yaml"
    file.write_bytes(GLOBEX)
    url = f"sqlite:///{tmp_path / 'empty.sqlite3'}"

    for words in (["apply", str(file), "--plan"], ["export"]):
        run = subprocess.run(
            [sys.executable, "manage.py", *words],
            capture_output=True,
            text=True,
            check=False,
            env=os.environ | {"DATABASE_URL": url},
        )

        assert run.returncode == 1
        assert "Run: .venv/bin/python manage.py migrate" in run.stderr
        assert "Traceback" not in run.stderr
