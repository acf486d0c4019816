"""What a container's control group counts, read inside the container.

Source: the kernel's admin guide, cgroup-v1/memory and cgroup-v2. The engine's own statistics lack
the number of kills, with version 2 the peak, too, and come once a second (20.10).
"""

from __future__ import annotations

from localep.engine.base import Usage

_V1 = "/sys/fs/cgroup/memory/memory."
_V2 = "/sys/fs/cgroup/memory."
_CPU_V1 = "/sys/fs/cgroup/cpuacct/cpuacct.usage"
_CPU_V2 = "/sys/fs/cgroup/cpu.stat"
_FILES = (
    *(f"{_V1}{name}" for name in ("usage_in_bytes", "max_usage_in_bytes", "oom_control", "stat")),
    *(f"{_V2}{name}" for name in ("current", "peak", "events", "stat")),
    _CPU_V1,
    _CPU_V2,
)
# grep names the file of each line, and passes over those that the other version has.
READ_COUNTERS = ("grep", "-Hs", "", *_FILES)


def read_counters(text: str) -> Usage | None:
    """The answer to READ_COUNTERS, None where it tells no memory."""
    found = _values(text)
    memory = found.get(f"{_V1}usage_in_bytes", found.get(f"{_V2}current"))
    if memory is None:
        return None
    files = found.get(f"{_V1}stat total_inactive_file", found.get(f"{_V2}stat inactive_file", 0))
    microseconds = found.get(f"{_CPU_V2} usage_usec", 0)
    return Usage(
        memory=memory - files,
        cpu_seconds=found.get(_CPU_V1, microseconds * 1000) / 1e9,
        peak=found.get(f"{_V1}max_usage_in_bytes", found.get(f"{_V2}peak")),
        kills=found.get(f"{_V1}oom_control oom_kill", found.get(f"{_V2}events oom_kill")),
    )


def _values(text: str) -> dict[str, int]:
    """The numbers by file, and by file and key where a file has several."""
    values = {}
    for line in text.splitlines():
        path, _, content = line.partition(":")
        *key, number = content.split() or [""]
        if number.isdecimal():
            values[" ".join((path, *key))] = int(number)
    return values
