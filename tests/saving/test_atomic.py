"""Files are written atomically."""

from __future__ import annotations

import os
import pathlib
import time

import pytest

from portanet.saving.atomic import ABANDONED, remove_leftovers, write_atomically


def test_the_old_file_is_there_until_the_new_one_is(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    with write_atomically(path) as file:
        file.write(b"new")
        file.flush()
        assert path.read_bytes() == b"old"
        assert len(list(tmp_path.iterdir())) == 2
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


def test_an_error_leaves_the_old_file_alone(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def stopped():
        with write_atomically(path) as file:
            file.write(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stopped()
    assert list(tmp_path.iterdir()) == [path]
    assert path.read_bytes() == b"old"


def test_what_was_killed_is_removed_later_and_other_files_are_not(tmp_path):
    path = tmp_path / "file"
    old, fresh = tmp_path / ".file.0123abcd.part", tmp_path / ".file.4567abcd.part"
    others = [tmp_path / ".file2.0123abcd.part", tmp_path / "file.part", tmp_path / ".file.part"]
    for each in (old, fresh, *others):
        each.write_bytes(b"half")
    long_ago = time.time() - ABANDONED - 1
    for each in (old, *others):
        os.utime(each, (long_ago, long_ago))
    with write_atomically(path) as file:
        file.write(b"new")
    assert {*tmp_path.iterdir()} == {path, fresh, *others}
    remove_leftovers(path)
    assert {*tmp_path.iterdir()} == {path, *others}


def test_data_is_on_the_disk_before_the_name_is(tmp_path, monkeypatch):
    done = []
    fsync, replace = os.fsync, os.replace
    kinds = lambda descriptor: "folder" if pathlib.Path(os.readlink(f"/proc/self/fd/{descriptor}")).is_dir() else "file"
    monkeypatch.setattr(os, "fsync", lambda descriptor: done.append(f"fsync {kinds(descriptor)}") or fsync(descriptor))
    monkeypatch.setattr(os, "replace", lambda *paths: done.append("rename") or replace(*paths))
    with write_atomically(tmp_path / "file") as file:
        file.write(b"new")
    assert done == ["fsync file", "rename", "fsync folder"]


def test_a_link_is_written_through(tmp_path):
    (tmp_path / "there").mkdir()
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "there" / "file")
    with write_atomically(link) as file:
        file.write(b"new")
    assert link.is_symlink()
    assert (tmp_path / "there" / "file").read_bytes() == b"new"


def test_permissions_are_those_of_new_files(tmp_path):
    (tmp_path / "plain").write_bytes(b"")
    with write_atomically(tmp_path / "file"):
        pass
    assert (tmp_path / "file").stat().st_mode == (tmp_path / "plain").stat().st_mode
