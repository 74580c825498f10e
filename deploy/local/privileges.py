"""Runs PostgreSQL's programs, which refuse user 0, without making users or changing modes of folders."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from pathlib import Path

NOBODY = 65534


class CannotDropPrivileges(Exception):
    """There is no way here to run PostgreSQL as somebody else than root."""


def _works(*command: str) -> bool:
    try:
        return (
            subprocess.run([*command, "true"], capture_output=True, timeout=10, check=False).returncode == 0
        )
    except (OSError, subprocess.TimeoutExpired):
        return False


def _new_user_namespace() -> list[str] | None:
    """In a user namespace without a mapping the process sees itself as `nobody`, and files stay root's."""
    unshare = shutil.which("unshare")
    return [unshare, "--user"] if unshare and _works(unshare, "--user") else None


def _other_user() -> list[str] | None:
    """`nobody`, with the one capability that lets it through folders only root may enter (/root, often)."""
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        return None
    plain = [setpriv, f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    through = [*plain, "--inh-caps=+dac_override", "--ambient-caps=+dac_override"]
    return next((command for command in (through, plain) if _works(*command)), None)


def _has_name(user: int) -> bool:
    try:
        pwd.getpwuid(user)
    except KeyError:
        return False
    return True


def _nameless() -> list[str]:
    """A container may run as a number without a name, which PostgreSQL refuses too; `nobody` has one."""
    prefix = _new_user_namespace()
    if prefix is None:
        raise CannotDropPrivileges(
            f"PostgreSQL does not run as user {os.getuid()}, who has no name here, and `unshare --user` does not work. "
            "Start as a user with a name, or give FOCI_DATABASE_URL."
        )
    return prefix


def unprivileged(directory: Path) -> list[str]:
    """The words to put before a command that shall own `directory`, which is made when missing.

    Whoever owned the directory at the first start keeps owning it: PostgreSQL insists.
    """
    directory.parent.mkdir(parents=True, exist_ok=True)
    if os.getuid() != 0:
        return [] if _has_name(os.getuid()) else _nameless()
    owner = directory.stat().st_uid if directory.exists() else None
    if owner in (None, 0):
        prefix = _new_user_namespace()
        if prefix is not None:
            return prefix
    prefix = _other_user()
    if prefix is None or owner == 0:
        raise CannotDropPrivileges(
            "PostgreSQL does not run as root, and neither `unshare --user` nor `setpriv` works here. "
            "Start as an ordinary user, or give FOCI_DATABASE_URL."
        )
    if owner is None:
        directory.mkdir(mode=0o700)
        os.chown(directory, NOBODY, NOBODY)
    return prefix
