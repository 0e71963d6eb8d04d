"""The journal on a git branch: what a person finds there, and what is refused."""

import json
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from msgspec.structs import replace

from reconciler.core.errors import JournalError, WorkspaceError
from reconciler.core.journal import Journal, Kind
from reconciler.store.branch.opening import FOLDER
from reconciler.store.holding import TERM
from tests.store.makers import NOW, Clock, Opener, event
from tests.store.remotes import Remote, wait_for


@pytest.fixture
def remote(tmp_path: Path) -> Remote:
    return Remote(tmp_path / "remote.git")


@pytest.fixture
def opened(opening: Opener, remote: Remote, tmp_path: Path) -> Opener:
    """Opens the journal in the clone of a name; each name is another checkout."""

    def opener(
        clone: str = "mine", *, now: Callable[[], datetime] | None = None, create: bool = True
    ) -> Journal:
        (tmp_path / clone).mkdir(exist_ok=True)
        return opening(remote.address, root=tmp_path / clone, now=now, create=create)

    return opener


def test_events_are_lines_of_json_a_file_a_tenant_and_year(opened: Opener, remote: Remote) -> None:
    journal = opened()
    journal.append(replace(event(), by="ada", address="group/office", data={"name": "Žukauskaitė"}))
    journal.append(replace(event(), at=datetime(2025, 12, 31, 23, 59, tzinfo=UTC)), event(tenant="globex"))

    names = remote.git("ls-tree", "-r", "--name-only", "journal").splitlines()
    assert [name for name in names if name.startswith("events/")] == [
        "events/acme/2025.jsonl",
        "events/acme/2026.jsonl",
        "events/globex/2026.jsonl",
    ]
    assert remote.lines("events/acme/2026.jsonl") == [
        {
            "seq": 1,
            "at": "2026-03-01T12:00:00.000000+00:00",
            "kind": "begun",
            "tenant": "acme",
            "address": "group/office",
            "by": "ada",
            "data": {"name": "Žukauskaitė"},
        }
    ]
    assert "Žukauskaitė" in remote.show("events/acme/2026.jsonl")
    assert remote.json("journal.json") == {"format": 1, "seq": 3}


def test_the_log_tells_who_did_what(opened: Opener, remote: Remote, clock: Clock) -> None:
    journal = opened(now=clock)
    lease = journal.acquire("acme", holder="ada@ci 1", about="apply")
    journal.append(replace(event(Kind.INTENDED), by="ada", address="group/office"), lease=lease)
    journal.append(event(Kind.FINISHED), event(Kind.CLOSED), lease=lease)
    journal.release(lease)

    assert remote.git("log", "--reverse", "--format=%an: %s", "journal").splitlines() == [
        "reconciler: Begin the journal",
        "ada@ci 1: lease acme: taken by ada@ci 1 (apply)",
        "ada: acme: intended group/office",
        "reconciler: acme: finished, and 1 more",
        "reconciler: lease acme: given back by ada@ci 1",
    ]
    assert remote.git("log", "-1", "--format=%cI", "journal") == "2026-03-01T12:00:00+00:00"


def test_a_user_of_any_name_can_write(opened: Opener, remote: Remote) -> None:
    opened().append(replace(event(), by="<ada>\n Love\0lace"))

    assert remote.git("log", "-1", "--format=%an <%ae>", "journal") == "ada Lovelace <reconciler@localhost>"


def test_tenants_and_leases_of_any_name_are_kept(opened: Opener) -> None:
    names = ["", ".", "..", ".git", "a/b", "ž ü", '"\\', "A", "a", "x.json", "%2E"]
    journal = opened()

    written = journal.append(*(event(tenant=name) for name in names))
    for name in names:
        journal.acquire(name, holder="ada")

    assert journal.events() == written
    assert [journal.events([name])[0] for name in names] == list(written)
    assert [lease.name for lease in journal.leases()] == sorted(names)


def test_the_copy_is_private_ignored_and_can_be_thrown_away(opened: Opener, tmp_path: Path) -> None:
    (written,) = opened().append(event())
    folder = tmp_path / "mine" / FOLDER

    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / ".gitignore").read_text() == "*\n"
    folder.rename(tmp_path / "thrown-away")

    journal = opened()
    assert not journal.fresh
    assert journal.events() == (written,)
    assert journal.append(event())[0].seq == written.seq + 1


def test_only_the_present_is_fetched_not_the_history(opened: Opener, tmp_path: Path) -> None:
    far = opened("far")
    for number in range(1, 6):
        far.append(event(number=number))

    near = opened()
    near.append(event(number=6))
    far.append(event(number=7))

    assert [one.data["number"] for one in near.events()] == [1, 2, 3, 4, 5, 6, 7]
    assert (tmp_path / "mine" / FOLDER / "shallow").read_text().count("\n") == 1


def test_reading_makes_no_branch(opened: Opener, remote: Remote) -> None:
    journal = opened(create=False)

    assert journal.fresh
    assert (journal.events(), journal.leases(), remote.head) == ((), (), "")
    with pytest.raises(JournalError, match="reading only"):
        journal.break_lease("acme")


def test_events_given_at_once_are_one_push(opened: Opener, remote: Remote) -> None:
    journal = opened()
    before = remote.commits

    journal.append(*(event(number=number) for number in range(1, 200)))

    assert remote.commits == before + 1
    assert "\n- acme: begun\n" in remote.git("log", "-1", "--format=%B", "journal")


def test_who_waits_for_a_push_goes_into_the_next_one_with_all_others(
    opened: Opener, remote: Remote, tmp_path: Path
) -> None:
    journal = opened()
    before = remote.commits
    go = tmp_path / "go"
    remote.hook("pre-receive", wait_for(go))
    threads = [threading.Thread(target=partial(journal.append, event(number=n))) for n in range(1, 9)]

    threads[0].start()
    while not (remote.folder / "was-pre-receive").exists():
        threads[0].join(0.01)
    for thread in threads[1:]:
        thread.start()
    while len(journal._queue) < 7:  # type: ignore[attr-defined]  # when all others wait
        threads[0].join(0.01)
    go.touch()
    for thread in threads:
        thread.join()

    assert remote.commits == before + 2
    assert sorted(one.data["number"] for one in journal.events()) == list(range(1, 9))


def test_a_lease_is_prolonged_no_sooner_than_half_way(opened: Opener, remote: Remote, clock: Clock) -> None:
    journal = opened(now=clock)
    lease = journal.acquire("acme", holder="ada")
    before = remote.commits

    clock.turn(TERM / 2 - timedelta(seconds=1))
    assert journal.renew(lease).until == NOW + TERM
    assert remote.commits == before
    clock.turn(timedelta(seconds=1))

    assert journal.renew(lease).until == clock.now + TERM
    assert remote.commits == before + 1


def test_any_push_prolongs_all_our_leases_that_are_half_over(
    opened: Opener, remote: Remote, clock: Clock
) -> None:
    journal = opened(now=clock)
    first = journal.acquire("acme", holder="ada")
    given_back = journal.acquire("initech", holder="ada")
    journal.release(given_back)
    clock.turn(TERM / 2)
    journal.acquire("globex", holder="ada")
    before = remote.commits

    assert journal.renew(first).until == clock.now + TERM
    assert remote.commits == before
    assert [lease.name for lease in journal.leases()] == ["acme", "globex"]
    assert remote.json("leases/acme.json")["until"] == (clock.now + TERM).isoformat()


def test_a_newer_format_is_refused(opened: Opener, remote: Remote) -> None:
    opened()
    remote.edit("journal.json", json.dumps({"format": 3, "seq": 0, "new": True}))

    for create in (True, False):
        with pytest.raises(JournalError, match=r"newer version of reconciler \(format 3; .* up to 2\)"):
            opened(create=create)


def test_a_branch_that_holds_something_else_is_not_touched(opened: Opener, remote: Remote) -> None:
    remote.edit("tenants/acme.yaml", "version: 1\n")
    before = remote.head

    with pytest.raises(JournalError, match=r"not a journal of reconciler: it has no journal\.json"):
        opened()
    assert remote.head == before


@pytest.mark.parametrize(
    ("path", "text", "told"),
    [
        ("events/acme/2026.jsonl", '{"seq":1,\n', r"events/acme/2026\.jsonl:1: not JSON"),
        ("events/acme/2026.jsonl", '{"a":1},{"b":2}\n', r"events/acme/2026\.jsonl:1: not JSON"),
        ("events/acme/2026.jsonl", "{}\n", r"events/acme/2026\.jsonl:1: not an event"),
        ("events/acme/2026.jsonl", "[]\n", r"events/acme/2026\.jsonl:1: not an event"),
        ("events/acme/2026.jsonl", "{}", r"events/acme/2026\.jsonl:1: the line is not complete"),
        ("events/acme/2026.jsonl", "\xff", r"events/acme/2026\.jsonl:1"),
        ("journal.json", "{", r"journal is damaged: journal\.json"),
        ("journal.json", '{"format": 1, "seq": "2"}', r"journal is damaged: journal\.json"),
    ],
)
def test_a_damaged_file_is_named(opened: Opener, remote: Remote, path: str, text: str, told: str) -> None:
    opened()
    remote.edit(path, text)

    with pytest.raises(JournalError, match=told) as refused:
        opened(create=False).events()

    assert "git log -p" in refused.value.hint


def test_the_line_that_is_torn_is_named_and_not_written_onto(opened: Opener, remote: Remote) -> None:
    journal = opened()
    journal.append(event(), event())
    remote.edit("events/acme/2026.jsonl", remote.show("events/acme/2026.jsonl")[:-20])

    with pytest.raises(JournalError, match=r"events/acme/2026\.jsonl:2: the line is not complete"):
        journal.events()
    with pytest.raises(JournalError, match=r"events/acme/2026\.jsonl: the last line is not complete"):
        journal.append(event())
    assert journal.append(event(tenant="globex"))


def test_a_number_given_twice_is_noticed(opened: Opener, remote: Remote) -> None:
    journal = opened()
    journal.append(event())
    line = remote.show("events/acme/2026.jsonl")
    remote.edit("events/acme/2026.jsonl", f"{line}\n{line}\n")

    with pytest.raises(JournalError, match="number 1 was given twice"):
        journal.events()


def test_an_event_of_a_kind_that_is_not_known_is_refused(opened: Opener, remote: Remote) -> None:
    journal = opened()
    journal.append(event())
    remote.edit(
        "events/acme/2026.jsonl", remote.show("events/acme/2026.jsonl").replace("begun", "new") + "\n"
    )

    with pytest.raises(JournalError, match=r"2026\.jsonl:1: the event is of a kind .* not know: new"):
        journal.events()


def test_a_damaged_lease_is_held_by_who_knows_whom(opened: Opener, remote: Remote) -> None:
    journal = opened()
    remote.edit("leases/acme.json", '{"name": "acme"}')

    for look in (journal.leases, partial(journal.acquire, "acme", holder="ada")):
        with pytest.raises(JournalError, match=r"damaged: leases/acme\.json"):
            look()


@pytest.mark.parametrize(
    "address",
    [
        "origin",
        "#journal",
        "origin#",
        "origin#-x",
        "origin#a..b",
        "origin#a b",
        "origin#a.lock",
        "-origin#journal",
        "ext::sh -c id#journal",
        "./here.git#journal",
        "/there.git#journal",
        "file://host/there.git#journal",
        "http://git.example/r.git#journal",
        "git://git.example/r.git#journal",
        "https:///r.git#journal",
        "ssh://-oProxyCommand=id/r.git#journal",
        "https://[/r.git#journal",
    ],
)
def test_an_address_that_may_not_be_used_is_refused(opening: Opener, tmp_path: Path, address: str) -> None:
    with pytest.raises(WorkspaceError) as refused:
        opening(f"git+{address}")

    assert "git+origin#reconciler-journal" in refused.value.hint
    assert not (tmp_path / FOLDER).exists()


def test_no_place_for_the_copy_is_said(opening: Opener, remote: Remote, tmp_path: Path) -> None:
    (tmp_path / ".reconciler").write_text("in the way")

    with pytest.raises(JournalError, match=r"cannot keep a copy of the journal in .*journal\.git"):
        opening(remote.address)
