"""Folders of the user's own, for what is believed when it is read again: machine code, what was verified."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from takt.errors import TaktError


def private_folder(folder: Path) -> Path:
    """Make the folder, for its owner only (0700), or close it to others. TaktError if others could have written in it:
    what is there might be theirs. Not on Windows, where a user's folders are the user's already."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = os.lstat(folder)
        if not stat.S_ISDIR(found.st_mode):
            raise TaktError(
                f"{folder} is a link; it must be a folder of your own, for what is in it is run or believed"
            )
        if os.name == "posix":
            if found.st_uid != os.geteuid() or found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
                raise TaktError(
                    f"others can write in {folder}, and what is in it is run or believed; remove it, or set "
                    "XDG_CACHE_HOME and XDG_STATE_HOME to folders of your own"
                )
            if stat.S_IMODE(found.st_mode) != 0o700:
                folder.chmod(0o700)
    except OSError as error:
        raise TaktError(f"cannot keep anything in {folder}: {error.strerror or error}") from error
    return folder
