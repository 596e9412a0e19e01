"""What can end a run before its last item, and what can be wrong with a run on disk."""

from __future__ import annotations

import errno
from pathlib import Path

from doxa.records import DoxaError


class Interrupted(DoxaError):
    """The user stopped the run; what was acknowledged is kept and the same command goes on."""

    exit_code = 130  # as of any program that Ctrl-C ended


class Stopped(DoxaError):
    """Something that concerns the whole run (a wrong key, a full disk) ended it; what was acknowledged is kept."""


class CannotWrite(DoxaError):
    """A file of the run or of the response store could not be written."""

    fatal = True


class NotOpened(DoxaError):
    """A model beside the one that is asked, such as a judge, could not be opened."""

    fatal = True


class BadStore(DoxaError):
    """The response store cannot be read."""

    fatal = True


class Damaged(DoxaError):
    """A line of a log does not match its checksum."""


class Refused(DoxaError):
    """A folder that this run may not write: another configuration, another process, another format."""


def cannot_write(error: OSError, path: Path) -> CannotWrite:
    """`error` in words, with the file it concerns."""
    full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    what = "no space is left on the disk" if full else (error.strerror or str(error))
    way_out = "Free some space" if full else "Make the folder writable"
    return CannotWrite(f"{path} could not be written: {what}. {way_out}, then run the same command again.")
