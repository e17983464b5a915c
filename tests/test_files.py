from __future__ import annotations

import errno
import os
import stat

import pytest

from pasapas import PasapasError
from pasapas.files import make_folder, write_atomically


def test_written_whole_with_usual_permissions(tmp_path):
    path = tmp_path / "file"
    write_atomically(path, "é")
    assert path.read_bytes() == "é".encode()
    write_atomically(path, b"new")
    assert path.read_bytes() == b"new"
    mask = os.umask(0)
    os.umask(mask)
    assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~mask
    assert os.listdir(tmp_path) == ["file"]


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_full_disk_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch, call):
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def full(*arguments):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, call, full)
    with pytest.raises(PasapasError, match="the disk is full"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["file"]


def test_a_folder_that_cannot_be(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(PasapasError, match=r"exists already|a file, not a folder"):
        make_folder(tmp_path / "file")
    with pytest.raises(PasapasError, match="a file, not a folder"):
        make_folder(tmp_path / "file" / "below")
    with pytest.raises(PasapasError, match="no such file or folder"):
        write_atomically(tmp_path / "nowhere" / "file", "")
