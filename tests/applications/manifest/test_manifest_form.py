"""What is wrong with a file by itself, or with what it names; nothing is applied."""

import pytest

from applications.models import Application
from identity_sources.models import IdentitySource
from userpools.models import UserPool

pytestmark = pytest.mark.django_db

EVERYTHING_WRONG = """\
user_pools:
  - identifier: acme
    nam: Acme
    merge: automatik
    genauth_compatible: "yes"
    identity_sources:
      - identifier: acme-mini
        type: wechat_mini_program
        display_name: 12
        app_id: 0123
        app_secret:
          env: NOT_THERE
        association: asks
      - identifier: acme-mini
        type: wechat_websit
        app_id: wx0123
        app_secret: {hunter2hunter2: 1}
        app_secret: {env: hunter2hunter2}
      - {identifier: third, app_secret:hunter2hunter2}
      - just a word
    applications:
      - client_id: acme-web
        type: web
        redirect_uris: ["http://shop.example.com", 12, "https://a.example/*"]
        login_methods: [{source: acme-mini, way: website_qr}, {way: x}]
      - client_id: acme web
        login_methods:
      - name: x
  - identifier: console
    name: Console
"""


def nothing_was_applied():
    return not (
        UserPool.objects.exists() or IdentitySource.objects.exists() or Application.objects.exists()
    )


def test_a_typo_is_named_with_its_line_and_key_and_nothing_is_applied(operator):
    problems = operator.is_refused(operator.text.replace("redirect_uris", "redirect_uri"))

    assert problems == [
        (
            "26: user_pools[0].applications[1].redirect_uri: is not known here. "
            "Did you mean redirect_uris?"
        )
    ]
    assert nothing_was_applied()


def test_every_problem_of_a_file_is_listed_at_once(operator):
    pool, source, application = "user_pools[0]", ".identity_sources", ".applications"

    problems = operator.is_refused(EVERYTHING_WRONG)

    assert [problem.partition(": ")[0::2] for problem in problems] == [
        (line, f"{path}: {reason}")
        for line, path, reason in (
            ("2", f"{pool}.name", "is required."),
            ("3", f"{pool}.nam", "is not known here. Did you mean name?"),
            (
                "4",
                f"{pool}.merge",
                "must be one of automatic, review. Did you mean automatic?",
            ),
            (
                "5",
                f"{pool}.genauth_compatible",
                "must be true or false, without quotation marks.",
            ),
            (
                "9",
                f"{pool}{source}[0].display_name",
                "must be a string: put it in quotation marks.",
            ),
            ("10", f"{pool}{source}[0].app_id", "must be a string: put it in quotation marks."),
            (
                "12",
                f"{pool}{source}[0].app_secret.env",
                "the environment variable NOT_THERE is missing or empty.",
            ),
            (
                "13",
                f"{pool}{source}[0].association",
                "must be one of none, field, ask. Did you mean ask?",
            ),
            ("14", f"{pool}{source}[1].display_name", "is required."),
            ("14", f"{pool}{source}[1].identifier", "is the same as in line 7."),
            (
                "15",
                f"{pool}{source}[1].type",
                (
                    "must be one of wechat_mini_program, wechat_website, wechat_official_account, "
                    "wechat_mobile_app. Did you mean wechat_website?"
                ),
            ),
            (
                "16",
                f"{pool}{source}[1].app_id",
                "An AppID is “wx” and 16 characters of 0-9 and a-f. Copy it again.",
            ),
            (
                "17",
                f"{pool}{source}[1].app_secret",
                "must be a string, or {env: NAME} in upper case.",
            ),
            ("18", f"{pool}{source}[1].app_secret", "stands here twice."),
            ("19", f"{pool}{source}[2].app_id", "is required."),
            ("19", f"{pool}{source}[2].app_secret", "is required."),
            (
                "19",
                f"{pool}{source}[2].app_secret…",
                "is not known here. Did you mean app_secret?",
            ),
            ("19", f"{pool}{source}[2].display_name", "is required."),
            ("19", f"{pool}{source}[2].type", "is required."),
            ("20", f"{pool}{source}[3]", "must be an object: keys with values."),
            (
                "22",
                f"{pool}{application}[0].client_secret",
                "is required: a confidential application needs a secret.",
            ),
            ("22", f"{pool}{application}[0].name", "is required."),
            (
                "24",
                f"{pool}{application}[0].redirect_uris[0]",
                "Use https; http is for localhost, 127.0.0.1 and [::1] only.",
            ),
            (
                "24",
                f"{pool}{application}[0].redirect_uris[1]",
                "must be a string: put it in quotation marks.",
            ),
            (
                "24",
                f"{pool}{application}[0].redirect_uris[2]",
                "Wildcards don't work: register each URI in full.",
            ),
            (
                "25",
                f"{pool}{application}[0].login_methods[0].way",
                "this application can use this source by mini_program_scan only.",
            ),
            ("25", f"{pool}{application}[0].login_methods[1].source", "is required."),
            (
                "25",
                f"{pool}{application}[0].login_methods[1].way",
                (
                    "must be one of mini_program, mini_program_scan, website_qr, "
                    "official_account_h5, official_account_follow, mobile_app."
                ),
            ),
            (
                "26",
                f"{pool}{application}[1].client_id",
                "Use letters, digits and . _ ~ - and begin with a letter or digit.",
            ),
            ("27", f"{pool}{application}[1].login_methods", "has no value."),
            ("28", f"{pool}{application}[2].client_id", "is required."),
            ("29", "user_pools[1].identifier", "This word is a path of the server."),
        )
    ]
    assert nothing_was_applied()


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("just words", ["1: must be an object: keys with values."]),
        ("~", ["1: must be an object: keys with values."]),
        ("{}", ["1: user_pools: is required."]),
        ("user_pools:", ["1: user_pools: has no value."]),
        ("user_pools: {}", ["1: user_pools: must be a list."]),
        ("user_pools: [~]", ["1: user_pools[0]: must be an object: keys with values."]),
    ],
)
def test_a_file_of_another_form_is_refused(operator, text, problems):
    assert operator.is_refused(text) == problems


@pytest.mark.parametrize(
    ("before", "after", "problem"),
    [
        (
            "login_methods: [acme-site, acme-mini]",
            "login_methods: [acme-sit]",
            (
                "27: user_pools[0].applications[1].login_methods[0]: "
                "the pool has no identity source of this name. Did you mean acme-site?"
            ),
        ),
        (
            "login_methods: [acme-mini]",
            "login_methods: [acme-site]",
            (
                "21: user_pools[0].applications[0].login_methods[0]: "
                "an application of type mini_program can't use a wechat_website."
            ),
        ),
        (
            "login_methods: [acme-site, acme-mini]",
            (
                "login_methods:\n          - acme-site\n"
                "          - {source: acme-site, way: website_qr, enabled: false}"
            ),
            (
                "29: user_pools[0].applications[1].login_methods[1]: "
                "stands in the list twice (acme-site:website_qr)."
            ),
        ),
        (
            "wxsandbox000000002",
            "wxsandbox000000001",
            "14: user_pools[0].identity_sources[1].app_id: is the same as in line 8.",
        ),
        (
            "client_id: acme-web",
            "client_id: acme-shop",
            "22: user_pools[0].applications[1].client_id: is the same as in line 18.",
        ),
        (
            "        client_secret: {env: WEB_SECRET}\n",
            "",
            (
                "22: user_pools[0].applications[1].client_secret: "
                "is required: a confidential application needs a secret."
            ),
        ),
        (
            "{env: WEB_SECRET}",
            "short",
            (
                "25: user_pools[0].applications[1].client_secret: "
                "Use at least 32 characters, all of them random."
            ),
        ),
        (
            "app_id: wxsandbox000000001",
            "app_id: wx0123456789abcdef",
            (
                "8: user_pools[0].identity_sources[0].app_id: "
                "A sandbox AppID is “wxsandbox” and 9 characters of 0-9 and a-f."
            ),
        ),
        (
            '["https://shop.example.com/callback"]',
            '["https://a.example/", "https://a.example/"]',
            "26: user_pools[0].applications[1].redirect_uris[1]: stands in the list twice.",
        ),
    ],
)
def test_what_does_not_fit_together_is_refused(operator, before, after, problem):
    assert operator.is_refused(operator.text.replace(before, after)) == [problem]
    assert nothing_was_applied()


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("", "the environment variable WEB_SECRET is missing or empty."),
        (
            "first-made-up-secret-of-the-web-application\n",
            (
                "must be printable ASCII without blanks or line breaks "
                "(in the environment variable WEB_SECRET)."
            ),
        ),
        (
            "first-made-up-secret-of-the-web-application-é",
            (
                "must be printable ASCII without blanks or line breaks "
                "(in the environment variable WEB_SECRET)."
            ),
        ),
    ],
)
def test_a_secret_missing_from_the_environment_refuses_the_whole_file(operator, value, reason):
    operator.set(WEB_SECRET=value)

    (problem,) = operator.is_refused()

    key = "client_secret.env" if "missing" in reason else "client_secret"
    assert problem == f"25: user_pools[0].applications[1].{key}: {reason}"
    assert nothing_was_applied()


def test_a_machine_offers_no_way_to_log_in(operator):
    text = operator.text.replace("type: web\n", "type: machine\n")

    assert operator.is_refused(text) == [
        (
            "27: user_pools[0].applications[1].login_methods[0]: "
            "an application of type machine can't use a wechat_website."
        ),
        (
            "27: user_pools[0].applications[1].login_methods[1]: "
            "an application of type machine can't use a wechat_mini_program."
        ),
    ]


def test_a_pool_called_like_a_path_is_refused_beside_the_files_other_faults(operator):
    text = operator.text.replace("identifier: acme\n", "identifier: console\n").replace(
        "    name: Acme\n", ""
    )

    assert operator.is_refused(text) == [
        "2: user_pools[0].identifier: This word is a path of the server.",
        "2: user_pools[0].name: is required.",
    ]
