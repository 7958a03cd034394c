"""Files are written atomically."""

from __future__ import annotations

import errno
import os
import pathlib
import stat
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


@pytest.mark.skipif(os.name != "posix", reason="permissions are POSIX's")
def test_an_existing_file_keeps_its_permissions(tmp_path):
    path = tmp_path / "file"
    for mode in (0o600, 0o664, 0o755):
        path.touch()
        path.chmod(mode)
        with write_atomically(path) as file:
            file.write(b"new")
        assert path.stat().st_mode & 0o777 == mode


def test_errors_name_the_file_of_the_caller(tmp_path):
    resource = pytest.importorskip("resource")
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def write(target):
        with write_atomically(target) as file:
            file.write(b"x" * 10**6)

    for target, kind in ((tmp_path / "none" / "file", FileNotFoundError), (tmp_path, OSError)):
        with pytest.raises(kind) as caught:
            write(target)
        assert (caught.value.filename, caught.value.filename2) == (str(target), None)
        assert ".part" not in str(caught.value)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10**5, hard))  # no space for more
    try:
        with pytest.raises(OSError, match="too large") as caught:
            write(path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert caught.value.filename == str(path)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_errors_of_the_caller_stay_as_they_are(tmp_path):
    other = tmp_path / "other"

    def write():
        with write_atomically(tmp_path / "file"):
            other.read_bytes()

    with pytest.raises(FileNotFoundError) as caught:
        write()
    assert caught.value.filename == str(other)


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="open files are counted on Linux")
def test_nothing_stays_open(tmp_path):
    path = tmp_path / "file"

    def write(error=None):
        with write_atomically(path) as file:
            file.write(b"123")
            if error is not None:
                raise error

    write()
    before = os.listdir("/proc/self/fd")
    write()
    with pytest.raises(KeyError):
        write(KeyError())
    assert len(os.listdir("/proc/self/fd")) == len(before)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes with names are of POSIX")
def test_what_is_no_regular_file_is_not_replaced(tmp_path):
    pipe, folder, one, two = (tmp_path / name for name in ("pipe", "folder", "one", "two"))
    os.mkfifo(pipe)
    folder.mkdir()
    one.symlink_to(two)
    two.symlink_to(one)
    link = tmp_path / "link"
    link.symlink_to(pipe)
    for path, code in ((pipe, errno.EINVAL), (link, errno.EINVAL), (folder, errno.EISDIR), (one, errno.ELOOP)):
        with pytest.raises(OSError, match=r"regular file|directory|links") as caught:
            write_atomically(path).__enter__()
        assert (caught.value.errno, caught.value.filename) == (code, str(path))
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    assert one.is_symlink()
    assert len(os.listdir(tmp_path)) == 5
    with pytest.raises(IsADirectoryError):
        write_atomically("/").__enter__()
