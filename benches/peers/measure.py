"""Runs one command and measures it: `python -I -S measure.py LIMIT REPORT COMMAND...`.

A process of its own because the peak memory that the kernel accounts to a child is never below that of the process
which started it: this one is as small as Python goes. Few imports, for the same reason.
"""

import os
import resource
import signal
import sys
import time


def kibibytes(usage: resource.struct_rusage) -> int:
    """Peak memory; macOS counts it in bytes."""
    return usage.ru_maxrss // 1024 if sys.platform == "darwin" else usage.ru_maxrss


def own_peak() -> int:
    """KiB below which no child can be measured: the peak of this program, not of what ran in this process before."""
    try:
        with open("/proc/self/status", encoding="ascii") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("VmHWM:"))
    except OSError:
        return kibibytes(resource.getrusage(resource.RUSAGE_SELF))


def main() -> None:
    """Start, wait, kill after LIMIT seconds, write `seconds KiB floor exit-code stopped` to REPORT."""
    limit, report, command = float(sys.argv[1]), sys.argv[2], sys.argv[3:]
    stopped = False
    began = time.monotonic()
    pid = os.posix_spawnp(command[0], command, os.environ)

    def stop(*_: object) -> None:
        nonlocal stopped
        stopped = True
        os.kill(pid, signal.SIGKILL)

    for name in (signal.SIGALRM, signal.SIGTERM, signal.SIGINT):
        signal.signal(name, stop)
    signal.setitimer(signal.ITIMER_REAL, limit)
    _, status, usage = os.wait4(pid, 0)
    seconds = time.monotonic() - began
    with open(report, "w", encoding="ascii") as file:
        file.write(f"{seconds} {kibibytes(usage)} {own_peak()} {os.waitstatus_to_exitcode(status)} {int(stopped)}")


main()
