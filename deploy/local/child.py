"""Becomes another program, after asking the kernel to end it when its parent ends, even by kill -9.

Started as `python -I -S child.py PARENT_PID SIGNAL PROGRAM ARGUMENTS…`. A program of its own rather than a
`preexec_fn`: Python code between fork and exec can deadlock in a parent that has threads.
"""

import os
import sys

PR_SET_PDEATHSIG = 1


def become(parent: int, signal_number: int, program: list[str]) -> None:
    """Never returns."""
    if sys.platform == "linux":
        import ctypes  # noqa: PLC0415  # not everywhere, and the start should stay quick where it is not used

        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal_number)
    # The parent may have died before the request was made; then nobody would send the signal.
    if os.getppid() != parent:
        sys.exit(f"{program[0]}: the process that started this one has ended")
    os.execv(program[0], program)  # noqa: S606  # no shell is the point


if __name__ == "__main__":
    become(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:])
