"""Plans and reports as files: private, whole, and refused with a reason when they cannot be read."""

import json
import os
import stat
import threading
from pathlib import Path

import pytest

from reconciler.core.errors import WorkspaceError
from reconciler.store.documents import read_document, write_private

PLAN = {"format_version": "1.0", "kind": "plan", "tenants": []}


def saved(path: Path, content: object) -> Path:
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def test_what_is_written_is_its_owners_alone(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        write_private(tmp_path / "plan.json", "žali\n")
    finally:
        os.umask(old)

    assert (tmp_path / "plan.json").read_text(encoding="utf-8") == "žali\n"
    assert stat.S_IMODE((tmp_path / "plan.json").stat().st_mode) == 0o600


def test_a_file_that_others_could_read_is_replaced_by_a_private_one(tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    path.write_text("old")
    path.chmod(0o644)

    write_private(path, "new")

    assert path.read_text() == "new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "link.json").symlink_to(tmp_path / "plan.json")

    write_private(tmp_path / "link.json", "new")

    assert (tmp_path / "link.json").is_symlink()
    assert (tmp_path / "plan.json").read_text() == "new"


def test_a_pipe_is_written_to(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append((tmp_path / "pipe").read_text()))
    reader.start()

    write_private(tmp_path / "pipe", "through")

    reader.join()
    assert read == ["through"]


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(WorkspaceError, match=r"file/plan\.json: cannot be written \((Not a dir|File exists)"):
        write_private(tmp_path / "file" / "plan.json", "x")
    with pytest.raises(WorkspaceError, match="cannot be written"):
        write_private(tmp_path, "x")
    assert list(tmp_path.iterdir()) == [tmp_path / "file"]


def test_a_folder_is_made_for_what_is_saved(tmp_path: Path) -> None:
    write_private(tmp_path / "out" / "of" / "plan.json", "x")

    assert (tmp_path / "out" / "of" / "plan.json").read_text() == "x"


def test_a_plan_is_read_back_with_fields_of_later_versions(tmp_path: Path) -> None:
    later = PLAN | {"format_version": "1.7", "mood": "good"}

    assert read_document(saved(tmp_path / "plan.json", later), "plan") == later
    assert read_document(saved(tmp_path / "plan.json", later), "report", "plan") == later


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (PLAN | {"format_version": "2.0"}, r"format 2\.0, this version reads 1\.x"),
        (PLAN | {"format_version": "10.0"}, r"format 10\.0"),
        (PLAN | {"kind": "report"}, "a report, not a plan"),
        ({"kind": "plan"}, "not a plan of reconciler"),
        (PLAN | {"format_version": 1.0}, "not a plan of reconciler"),
        ([PLAN], "not a plan of reconciler"),
        (None, "not a plan of reconciler"),
    ],
)
def test_what_is_no_plan_is_refused(tmp_path: Path, content: object, why: str) -> None:
    with pytest.raises(WorkspaceError, match=why) as refused:
        read_document(saved(tmp_path / "plan.json", content), "plan")

    assert refused.value.hint


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", r"plan\.json:1:1: not JSON"),
        (b'{"kind":\n "plan",}', r"plan\.json:2:9: not JSON"),
        (b"\xff\xfe\x00", "not UTF-8"),
        (b"[" * 200_000, "nests too deep"),
    ],
)
def test_what_is_no_json_is_refused_with_the_place(tmp_path: Path, content: bytes, why: str) -> None:
    (tmp_path / "plan.json").write_bytes(content)

    with pytest.raises(WorkspaceError, match=why):
        read_document(tmp_path / "plan.json", "plan")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(WorkspaceError, match=r"plan\.json: cannot be read \(No such file") as refused:
        read_document(tmp_path / "plan.json", "plan")

    assert "reconciler plan --out" in refused.value.hint
