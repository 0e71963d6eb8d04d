"""`doctor --ci` looks at what no file can hold: environments, approvals, schedules, owners."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.cli.place import Place
from tests.workflows.hosts import Host, serving

ASKED: dict[str, Any] = {"type": "required_reviewers", "reviewers": [{}], "prevent_self_review": True}
CHOSEN: dict[str, Any] = {
    "deployment_branch_policy": {"custom_branch_policies": True},
    "protection_rules": [],
}
WELL: list[Any] = [
    {"protection_rules": [], "deployment_branch_policy": None},
    CHOSEN,
    {**CHOSEN, "protection_rules": [ASKED]},
    {"workflow_runs": [{"created_at": datetime.now(UTC).isoformat()}]},
]
KEPT = {"name": "licences-reviewed", "approval_rules": [{"required_approvals": 1}]}


def told(place: Place, kind: str, answers: list[Any], *, code: int) -> list[tuple[str, str]]:
    """What it says of the platform, when that answers so in turn."""
    with serving(Host(kind=kind)) as host:
        host.moods = [("GET", (404, {}, {}) if one is None else (200, one, {})) for one in answers]
        done = place.run(f"doctor --ci {kind} --format json", host.env)
        assert {method for method, _, _ in host.seen} == {"GET"}
    assert done.code == code, done.out + done.err
    name = "GitHub: " if kind == "github" else "GitLab: "
    checks = [one for one in json.loads(done.out)["checks"] if one["what"].startswith(name)]
    assert all(one["remedy"] for one in checks if one["level"] != "ok")
    return [(one["level"], one["what"].removeprefix(name)) for one in checks]


def owned(place: Place, text: str) -> None:
    place.write(".git/HEAD", "")
    place.write(".github/workflows/licences-apply.yml", "")
    place.write(".github/CODEOWNERS", text)


def test_a_repository_that_is_set_as_the_page_says_is_well(place: Place) -> None:
    owned(place, "# who may spend\n/.github/ @ada\nreconciler.yaml @ada\n")

    found = told(place, "github", WELL, code=0)

    assert {level for level, _ in found} == {"ok"}
    assert len(found) == 5


@pytest.mark.parametrize(
    ("number", "answer", "level", "said"),
    [
        (0, None, "fail", "environment licences-plan is not there"),
        (
            1,
            {**CHOSEN, "deployment_branch_policy": None},
            "fail",
            "any branch reaches environment licences-auto",
        ),
        (2, CHOSEN, "fail", "nobody has to approve for licences-reviewed"),
        (
            2,
            {**CHOSEN, "protection_rules": [{**ASKED, "prevent_self_review": False}]},
            "warn",
            "who starts a run may approve it at licences-reviewed",
        ),
        (3, {"workflow_runs": []}, "warn", "licences-resume has not run by its schedule yet"),
        (3, None, "fail", "licences-resume.yml is not there"),
    ],
)
def test_what_is_missing_on_github_is_told(
    place: Place, number: int, answer: Any, level: str, said: str
) -> None:
    owned(place, "* @ada\n")
    answers = [*WELL[:number], answer, *WELL[number + 1 :]]

    found = told(place, "github", answers, code=1 if level == "fail" else 0)

    assert [one for one in found if one[0] != "ok"] == [(level, said)]


def test_a_schedule_that_stopped_is_told(place: Place) -> None:
    owned(place, "* @ada\n")
    before = datetime.now(UTC) - timedelta(days=70)
    answers = [*WELL[:3], {"workflow_runs": [{"created_at": before.isoformat()}]}]

    [(level, said)] = [one for one in told(place, "github", answers, code=0) if one[0] != "ok"]

    assert level == "warn"
    assert said.startswith(
        f"licences-resume ran by its schedule at {before:%Y-%m-%d %H:%M} UTC, and not since"
    )


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ("docs/ @ada\n", [".github/workflows/licences-apply.yml", "reconciler.yaml"]),
        ("/.github/** @ada\n", ["reconciler.yaml"]),
        ("*.yml @ada\n*.yaml @ada\n", []),
        ("reconciler.yaml\n.github @ada\n", ["reconciler.yaml"]),  # without an owner it covers nothing
    ],
)
def test_what_codeowners_leave_out_is_told(place: Place, text: str, missing: list[str]) -> None:
    owned(place, text)

    found = told(place, "github", WELL, code=0)

    assert [said for level, said in found if level == "warn"] == [
        f"CODEOWNERS does not cover {one}" for one in missing
    ]


def test_gitlab_s_environments_and_schedules_are_looked_at(place: Place) -> None:
    place.write(".git/HEAD", "")
    schedules = [{"id": 1, "active": True}, {"id": 2, "active": True}, {"id": 3, "active": False}]
    values = [{"variables": [{"key": "LICENCES", "value": one}]} for one in ("resume", "drift")]

    well = told(place, "gitlab", [[{"name": "licences-auto"}, KEPT], schedules, *values], code=0)
    bare = told(place, "gitlab", [[], []], code=1)

    assert [level for level, _ in well] == ["ok"] * 4 + ["warn"]
    assert well[-1][1] == "no CODEOWNERS"
    assert [said for level, said in bare if level == "fail"] == [
        "environment licences-auto is not protected",
        "environment licences-reviewed is not protected",
        "no pipeline schedule has LICENCES=resume",
        "no pipeline schedule has LICENCES=drift",
    ]


@pytest.mark.parametrize("answers", [[CHOSEN, CHOSEN, {**CHOSEN, "protection_rules": None}], [[1], [1], [1]]])
def test_an_answer_that_makes_no_sense_is_told(place: Place, answers: list[Any]) -> None:
    found = told(place, "github", answers, code=1)

    assert any(said.startswith("an answer that makes no sense") for _, said in found)


def test_without_a_token_it_says_which(place: Place) -> None:
    done = place.run("doctor --ci github", {"GITHUB_REPOSITORY": "o/r"})

    assert done.code == 1
    assert "GitHub: GH_TOKEN or GITHUB_TOKEN is not set" in done.out
