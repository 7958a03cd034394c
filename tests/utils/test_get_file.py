"""Downloads, of local files."""

from __future__ import annotations

import hashlib
import pathlib
import tarfile
import zipfile

import pytest

from portanet.utils import get_file

pytest.importorskip("pooch")


@pytest.fixture
def origin(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    monkeypatch.setenv("PORTANET_HOME", str(tmp_path / "home"))
    folder = tmp_path / "network"
    folder.mkdir()
    (folder / "a.txt").write_text("one")
    return folder


def test_a_file(origin: pathlib.Path, tmp_path: pathlib.Path) -> None:
    url = (origin / "a.txt").as_uri()
    path = get_file(origin=url)
    assert (path, pathlib.Path(path).read_text()) == (str(tmp_path / "home" / "datasets" / "a.txt"), "one")
    (origin / "a.txt").write_text("two")
    assert pathlib.Path(get_file(origin=url)).read_text() == "one"
    assert pathlib.Path(get_file(origin=url, force_download=True)).read_text() == "two"
    (origin / "a.txt").write_text("three")
    digest = hashlib.md5(b"three").hexdigest()
    assert pathlib.Path(get_file(origin=url, file_hash=digest)).read_text() == "three"
    assert get_file("b", url, cache_dir=tmp_path, cache_subdir="more") == str(tmp_path / "more" / "b")
    with pytest.raises(OSError, match="hash"):
        get_file(origin=url, file_hash="0" * 64)


def test_archives(origin: pathlib.Path, tmp_path: pathlib.Path) -> None:
    with tarfile.open(origin / "data.tar.gz", "w:gz") as archive:
        archive.add(origin / "a.txt", "inner/a.txt")
    with zipfile.ZipFile(origin / "data.zip", "w") as file:
        file.write(origin / "a.txt", "inner/a.txt")
    tar = (origin / "data.tar.gz").as_uri()
    for path in (
        get_file(origin=(origin / "data.zip").as_uri(), extract=True),
        get_file("folder", tar, untar=True),
        get_file("named.tar.gz", tar, extract=True),
        get_file("named.tar.gz", tar, extract=True),
    ):
        assert (pathlib.Path(path) / "inner" / "a.txt").read_text() == "one"
    names = {p.name for p in (tmp_path / "home" / "datasets").iterdir()}
    assert names == {"data.zip", "data.zip_archive", "folder", "folder_archive", "named.tar.gz", "named_extracted"}
    with pytest.raises(ValueError, match="no tar or zip archive"):
        get_file(origin=(origin / "a.txt").as_uri(), extract=True)


@pytest.mark.parametrize("kind", ["tar", "zip"])
def test_archives_that_write_elsewhere(kind: str, origin: pathlib.Path, tmp_path: pathlib.Path) -> None:
    if kind == "tar":
        with tarfile.open(origin / "x", "w") as archive:
            archive.add(origin / "a.txt", "../escaped")
    else:
        with zipfile.ZipFile(origin / "x", "w") as file:
            file.write(origin / "a.txt", "../escaped")
    with pytest.raises(ValueError, match=r"outside|cannot be extracted"):
        get_file(origin=(origin / "x").as_uri(), extract=True)
    assert not list(tmp_path.rglob("escaped"))


def test_archives_with_links_are_refused(origin: pathlib.Path, tmp_path: pathlib.Path) -> None:
    with tarfile.open(origin / "x", "w") as archive:
        link = tarfile.TarInfo("link")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc"
        archive.addfile(link)
    with pytest.raises(ValueError, match="cannot be extracted: it has entries other than files and folders"):
        get_file(origin=(origin / "x").as_uri(), extract=True)
    assert not list(tmp_path.rglob("link"))


@pytest.mark.parametrize("name", ["a/b", "..", ""])
def test_names_with_folders_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="`fname` of get_file must be a name without folders"):
        get_file(name, "file:///x")
