"""The comment on a pull or merge request: made once, updated in place, and never the reason a run fails."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from msgspec.structs import replace

from reconciler.cli.platform import Api
from reconciler.cli.runner import platform_of
from reconciler.core.errors import Unavailable
from reconciler.core.plan import Run
from reconciler.render import PLAN, REPORT, Options
from tests.cli.place import Ran, run
from tests.render import makers
from tests.workflows.hosts import TOKEN, Host, serving

MARK = "<!-- reconciler:plan:reconciler.yaml -->"


@pytest.fixture(params=["github", "gitlab"])
def host(request: pytest.FixtureRequest) -> Iterator[Host]:
    with serving(Host(kind=request.param)) as made:
        yield made


@pytest.fixture
def github() -> Iterator[Host]:
    with serving(Host(kind="github")) as made:
        yield made


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    return saved(tmp_path, makers.run(makers.acme()))


def saved(folder: Path, value: Run) -> Path:
    file = folder / "plan.json"
    file.write_text(PLAN["json"](value, Options()), encoding="utf-8")
    return file


def comment(folder: Path, host: Host, line: str = "--plan plan.json", **more: str) -> Ran:
    return run(folder, f"comment {line}", {**host.env, **more})


def warned(done: Ran, host: Host) -> str:
    """The one line of the warning."""
    said = done.out if host.kind == "github" else done.err
    opening = "::warning title=No comment::" if host.kind == "github" else "warning: No comment: "
    assert done.code == 0, done.err
    assert said.startswith(opening), done
    assert len(said.splitlines()) == 1
    return said.removeprefix(opening)


def test_a_second_plan_takes_the_place_of_the_first(plan: Path, host: Host) -> None:
    first = comment(plan.parent, host)
    saved(plan.parent, makers.run(makers.beta()))
    second = comment(plan.parent, host)

    assert (first.code, second.code) == (0, 0), first.err + second.err
    assert ("created" in first.out, "updated" in second.out) == (True, True)
    [body] = host.bodies()
    assert body.startswith(f"{MARK}\n## Licence plan\n")
    assert "`beta`" in body
    assert "`acme`" not in body
    assert "`0123456789ab`" in body
    assert "/99" in body


def test_our_comment_is_found_behind_a_hundred_others(plan: Path, host: Host) -> None:
    for number in range(130):
        host.say(f"remark {number}")
    comment(plan.parent, host)
    comment(plan.parent, host)

    assert len(host.remarks) == 131


def test_a_person_who_quotes_the_marker_is_not_overwritten(plan: Path, host: Host) -> None:
    host.say(f"{MARK} see above")
    host.say(f"see below {MARK}", ours=True)

    comment(plan.parent, host)

    assert host.bodies()[:2] == [f"{MARK} see above", f"see below {MARK}"]
    assert len(host.remarks) == 3


def test_each_workspace_and_each_kind_has_its_own_comment(plan: Path, host: Host) -> None:
    (plan.parent / "report.json").write_text(REPORT["json"](makers.report(), Options()), encoding="utf-8")
    for _ in range(2):
        comment(plan.parent, host)
        comment(plan.parent, host, "--plan plan.json --workspace eu/reconciler.yaml")
        comment(plan.parent, host, "--plan plan.json", RECONCILER_WORKSPACE="a--><b>.yaml")
        comment(plan.parent, host, "--report report.json")

    assert [body.partition("\n")[0] for body in host.bodies()] == [
        MARK,
        "<!-- reconciler:plan:eu/reconciler.yaml -->",
        "<!-- reconciler:plan:a-%2D%3E%3Cb%3E.yaml -->",
        "<!-- reconciler:report:reconciler.yaml -->",
    ]


@cache
def two_thousand() -> Run:
    """Tenants with twenty actions each, and ten whose licences end."""
    acme = makers.acme()
    plans = [replace(acme, tenant=f"t{number:04}", actions=(acme.actions[1],) * 20) for number in range(2000)]
    plans += [replace(acme, tenant=f"ends-{number}", actions=(acme.actions[-1],)) for number in range(10)]
    return makers.run(*plans)


@pytest.mark.unmeasured
def test_two_thousand_tenants_fit_and_every_end_is_seen(plan: Path, host: Host) -> None:
    saved(plan.parent, two_thousand())
    host.limit = 65_536 if host.kind == "github" else 1_000_000

    comment(plan.parent, host)

    [body] = host.bodies()
    assert len(body) <= host.limit
    assert "**Cost: +839685.00 EUR/month.**" in body
    assert all(f"**cancel** `ends-{number}`" in body for number in range(10))
    assert "did not fit here" in body
    assert body.count("<details>") == body.count("</details>")
    assert "Digest `sha256:" in body
    assert body.rstrip().endswith("</sub>")


def test_one_that_the_platform_finds_too_long_is_cut_more(plan: Path, host: Host) -> None:
    saved(plan.parent, makers.run(*(replace(makers.acme(), tenant=f"t{one}") for one in range(400))))
    host.limit = 9_000

    comment(plan.parent, host)

    [body] = host.bodies()
    assert len(body) <= 9_000
    assert body.startswith(MARK)


def test_names_made_to_fill_a_page_do_not_keep_it_from_fitting(plan: Path, github: Host) -> None:
    long = "&" * 300
    notes = tuple(f"{number}{long}" for number in range(40))
    actions = tuple(
        replace(makers.acme().actions[-1], address=f"group/{number}{long}", reason=long, summary=long)
        for number in range(60)
    )
    saved(plan.parent, makers.run(replace(makers.acme(), tenant=long, actions=actions), notes=notes))

    comment(plan.parent, github)

    [body] = github.bodies()
    assert len(body) <= 65_536
    assert body.startswith(MARK)


def test_a_plan_that_was_not_made_is_said(tmp_path: Path, host: Host) -> None:
    assert comment(tmp_path, host, "--plan nowhere.json").code == 0
    assert comment(tmp_path, host, "--report nowhere.json").code == 0

    assert "No plan could be made" in host.bodies()[0]
    assert "No report was written" in host.bodies()[1]


def test_a_file_that_is_not_ours_is_refused_before_anything_is_sent(plan: Path, host: Host) -> None:
    text = plan.read_text(encoding="utf-8")
    hostile = ("[" * 200_000, '{"kind": "plan"}', "\x00", "{}", text.replace('"seats": 12', '"seats": 99'))
    for content in hostile:
        plan.write_text(content, encoding="utf-8")

        done = comment(plan.parent, host)

        assert done.code == 1
        assert "bug" not in done.err
    assert host.seen == []


def test_the_report_of_an_apply_goes_to_the_request_whose_merge_it_was(tmp_path: Path, host: Host) -> None:
    (tmp_path / "report.json").write_text(REPORT["json"](makers.report(), Options()), encoding="utf-8")

    done = run(tmp_path, "comment --report report.json", host.pushed)

    assert "created" in done.out, done
    assert host.bodies()[0].startswith("<!-- reconciler:report:reconciler.yaml -->\n## Licence report")


def test_a_commit_that_came_without_a_request_has_no_comment(plan: Path, host: Host) -> None:
    host.merged = None

    done = run(plan.parent, "comment --plan plan.json", host.pushed)

    assert (done.code, host.remarks) == (0, [])
    assert "no pull request to comment on" in done.out


def test_the_commit_is_the_branch_s_own_and_not_the_merge_that_nobody_made(plan: Path, github: Host) -> None:
    event = plan.parent / "event.json"
    event.write_text('{"pull_request": {"head": {"sha": "fedcba9876543210"}}}', encoding="utf-8")

    comment(plan.parent, github, GITHUB_EVENT_PATH=str(event))

    assert "`fedcba987654`" in github.bodies()[0]


def test_a_failure_to_comment_is_a_warning(plan: Path, host: Host) -> None:
    url, token, number = (
        ("GITHUB_API_URL", "GH_TOKEN", "GITHUB_REPOSITORY")
        if host.kind == "github"
        else ("CI_API_V4_URL", "GITLAB_TOKEN", "CI_PROJECT_ID")
    )
    refused = comment(plan.parent, host, **{token: "another"})
    unreachable = comment(plan.parent, host, "--plan plan.json -q", **{url: "http://127.0.0.1:1"})
    unset = comment(plan.parent, host, **{token: ""})
    elsewhere = comment(plan.parent, host, **{number: "404"})

    assert "401 Bad credentials" in warned(refused, host)
    assert "ConnectError" in warned(unreachable, host)
    assert f"{token}" in warned(unset, host)
    assert "404" in warned(elsewhere, host)
    for done in (refused, unreachable, unset, elsewhere):
        assert "another" not in done.out + done.err
        assert TOKEN not in done.out + done.err


@pytest.mark.parametrize(
    ("code", "answer"),
    [
        (403, {"message": "Resource not accessible"}),
        (422, {"message": "locked"}),
        (200, b"<html>"),
        (200, {}),
    ],
)
def test_what_the_platform_answers_is_said_and_never_a_crash(
    plan: Path, host: Host, code: int, answer: object
) -> None:
    host.moods = [("GET", (code, answer, {}))] * 9

    said = warned(comment(plan.parent, host), host)

    assert str(code) in said or "no list" in said or "not JSON" in said
    assert host.remarks == []


def test_who_is_asked_to_wait_waits_and_then_goes_on(plan: Path, host: Host) -> None:
    write = "POST"
    host.moods = [
        ("GET", (429, {"message": "slow down"}, {"Retry-After": "0"})),
        ("GET", (502, {}, {"Retry-After": "0"})),
        (write, (403, {"message": "secondary rate limit"}, {"Retry-After": "0"})),
    ]

    done = comment(plan.parent, host)

    assert "created" in done.out, done
    assert (len(host.remarks), host.moods) == (1, [])


def test_it_waits_as_long_as_it_was_asked_and_not_for_ever(github: Host) -> None:
    waited: list[float] = []
    api = Api(root=github.url, headers={"Authorization": f"Bearer {TOKEN}"}, token=TOKEN, sleep=waited.append)
    github.moods = [("GET", (429, {}, {"Retry-After": seconds})) for seconds in ("7", "99999", "1")]

    with pytest.raises(Unavailable, match="429"):
        api.get("/user")

    assert waited == [7.0, 60.0]


def test_a_comment_whose_answer_was_lost_is_not_sent_again(plan: Path, host: Host) -> None:
    host.moods = [("POST", (502, {}, {})), ("POST", (201, {}, {}))]

    assert "502" in warned(comment(plan.parent, host), host)
    assert len(host.moods) == 1


def test_one_that_somebody_deleted_meanwhile_is_made_again(plan: Path, host: Host) -> None:
    comment(plan.parent, host)
    host.remarks[0]["gone"] = True

    done = comment(plan.parent, host)

    assert "created" in done.out, done
    assert len(host.remarks) == 2


def test_the_token_goes_to_no_other_address(plan: Path, host: Host) -> None:
    name = "GITHUB_API_URL" if host.kind == "github" else "CI_API_V4_URL"
    plain = comment(plan.parent, host, **{name: "http://github.example"})
    with serving(Host(kind=host.kind)) as other:
        host.moods = [("GET", (302, {}, {"Location": f"{other.url}/repos/o/r/issues/7/comments"}))]
        redirected = comment(plan.parent, host)

        assert other.seen == []
    assert "not an address for a token" in warned(plain, host)
    assert "302" in warned(redirected, host)


def test_outside_of_ci_it_says_so_and_can_be_looked_at(plan: Path) -> None:
    bare = run(plan.parent, "comment --plan plan.json")
    shown = run(plan.parent, "comment --plan plan.json --dry-run")
    both = run(plan.parent, "comment --plan plan.json --report plan.json")

    assert "neither GitHub Actions nor GitLab CI" in bare.err
    assert shown.out.startswith(MARK)
    assert both.code == 64


def test_it_is_known_by_a_person_s_own_token_too(plan: Path, github: Host) -> None:
    github.say(f"{MARK} mine")
    github.moods = []
    me = {"GET /user": (200, {"login": "ada"})}
    usual = github.answer

    def answer(method: str, path: str, sent: dict[str, object]) -> tuple[int, object, dict[str, str]]:
        known = me.get(f"{method} {path}")
        return (*known, {}) if known else usual(method, path, sent)

    github.answer = answer  # type: ignore[method-assign] # a server with another answer to one question

    assert "updated" in comment(plan.parent, github).out


def test_a_platform_is_told_by_its_own_variable(github: Host) -> None:
    assert platform_of(github.env).name == "GitHub"
    assert platform_of(Host(kind="gitlab", url="https://gitlab.example/api/v4").env).name == "GitLab"
