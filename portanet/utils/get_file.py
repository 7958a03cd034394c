"""Files from the network."""

from __future__ import annotations

import os
import pathlib
import shutil
import tarfile
import tempfile
import urllib.parse
import zipfile

from portanet import checks
from portanet.downloads import cache_folder, fetch

FORMATS = ("auto", "tar", "zip")


def get_file(
    fname: str | None = None,
    origin: str | None = None,
    untar: bool = False,
    md5_hash: str | None = None,
    file_hash: str | None = None,
    cache_subdir: str = "datasets",
    hash_algorithm: str = "auto",
    extract: bool = False,
    archive_format: str = "auto",
    cache_dir: str | os.PathLike[str] | None = None,
    force_download: bool = False,
) -> str:
    """Download a file unless it is stored already (extra `data`); as `keras.utils.get_file`.

    Files are stored in `~/.portanet/datasets`, or in `datasets` of the folder that the environment variable
    `PORTANET_HOME` names.

    Args:
        fname: The name under which the file is stored; by default that in `origin`.
        origin: Where it is; http, https, ftp or file.
        untar: Whether it is a tar archive to be extracted; the same as `extract=True, archive_format="tar"`.
        md5_hash: Its MD5, for scripts of earlier versions of Keras; pass `file_hash`.
        file_hash: Its SHA-256 or MD5 in hexadecimal; a file that does not match is downloaded again, or an error.
        cache_subdir: The folder in the cache.
        hash_algorithm: `"sha256"`, `"md5"` or `"auto"`, by the length of `file_hash`.
        extract: Whether it is an archive to be extracted.
        archive_format: `"tar"`, `"zip"` or `"auto"`.
        cache_dir: A folder instead of `PORTANET_HOME`.
        force_download: Whether to download a file that is stored.

    Returns:
        The path of the file; of the folder with its contents if it was extracted.

    Raises:
        ImportError: The file is not stored, and pooch, which downloads, is not installed.
        OSError: The file cannot be downloaded, or is not the expected one.
        ValueError: The archive cannot be extracted, or has entries outside of its folder.

    Example:
        >>> import pathlib, tempfile
        >>> folder = pathlib.Path(tempfile.mkdtemp())
        >>> _ = (folder / "lines.txt").write_text("one line")
        >>> path = get_file(origin=(folder / "lines.txt").as_uri(), cache_dir=folder / "cache")
        >>> pathlib.Path(path).read_text()
        'one line'
    """
    of = "get_file"
    origin = checks.text("origin", origin, of)
    name = urllib.parse.unquote(urllib.parse.urlsplit(origin).path).rpartition("/")[2] if fname is None else fname
    if not isinstance(name, str) or name in ("", ".", "..") or "/" in name or os.sep in name:
        raise checks.invalid("fname", fname, "a name without folders; use `cache_dir` for these", of)
    checks.choice("hash_algorithm", hash_algorithm, ("auto", "sha256", "md5"), of)
    archive_format = "tar" if untar else checks.choice("archive_format", archive_format, FORMATS, of)
    digest = md5_hash if file_hash is None else file_hash
    if digest is not None and (not isinstance(digest, str) or len(digest) not in (32, 64)):
        raise checks.invalid("file_hash", digest, "a SHA-256 or MD5 in hexadecimal, 64 or 32 characters", of)
    folder = cache_folder(checks.text("cache_subdir", cache_subdir, of), cache_dir)
    renew = checks.boolean("force_download", force_download, of)
    if not (checks.boolean("extract", extract, of) or checks.boolean("untar", untar, of)):
        return str(fetch(origin, name, folder, digest, renew))
    if fname is not None and "." in name:
        target = folder / f"{name.partition('.')[0]}_extracted"
    else:
        target, name = folder / name, f"{name}_archive"
    _extract(fetch(origin, name, folder, digest, renew), target, archive_format)
    return str(target)


def _require_inside(path: pathlib.Path, names: list[str]) -> None:
    if any(".." in pathlib.PurePosixPath(name).parts or name.startswith("/") for name in names):
        raise ValueError(f"Archive {path} has entries outside of its folder.")


def _extract(path: pathlib.Path, target: pathlib.Path, kind: str) -> None:
    """Extract an archive to a folder, which is complete or not there."""
    if target.exists() and target.stat().st_mtime >= path.stat().st_mtime:
        return
    part = pathlib.Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    try:
        if kind != "tar" and zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                _require_inside(path, archive.namelist())
                archive.extractall(part)
        elif kind != "zip" and tarfile.is_tarfile(path):
            with tarfile.open(path) as tar:
                members = tar.getmembers()
                _require_inside(path, [member.name for member in members])
                if not all(member.isfile() or member.isdir() for member in members):
                    raise ValueError(
                        f"Archive {path} cannot be extracted: it has entries other than files and folders."
                    )
                # Python before 3.11.4 has no filters; without one, later versions warn.
                tar.extraction_filter = getattr(tarfile, "data_filter", None)
                tar.extractall(part, members)
        else:
            raise ValueError(f"File {path} is no {'tar or zip' if kind == 'auto' else kind} archive.")
        if target.is_dir():
            shutil.rmtree(target)
        os.replace(part, target)
        os.utime(target)
    except (tarfile.TarError, zipfile.BadZipFile) as error:
        raise ValueError(f"Archive {path} cannot be extracted: {error}") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
