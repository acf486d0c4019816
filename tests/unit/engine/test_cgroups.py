"""What a control group tells, in either version.

That of version 1 is of a container of engine 20.10 (Linux 6.18), that of version 2 as the
kernel's admin guide has it.
"""

from __future__ import annotations

import pytest

from localep.engine.base import Usage
from localep.engine.cgroups import READ_COUNTERS, read_counters

V1 = """\
/sys/fs/cgroup/memory/memory.usage_in_bytes:71983104
/sys/fs/cgroup/memory/memory.max_usage_in_bytes:268435456
/sys/fs/cgroup/memory/memory.oom_control:oom_kill_disable 0
/sys/fs/cgroup/memory/memory.oom_control:under_oom 0
/sys/fs/cgroup/memory/memory.oom_control:oom_kill 2
/sys/fs/cgroup/memory/memory.stat:cache 1000
/sys/fs/cgroup/memory/memory.stat:inactive_file 1000
/sys/fs/cgroup/memory/memory.stat:total_inactive_file 983104
/sys/fs/cgroup/cpuacct/cpuacct.usage:1500000000
"""
V2 = """\
/sys/fs/cgroup/memory.current:71983104
/sys/fs/cgroup/memory.peak:268435456
/sys/fs/cgroup/memory.events:low 0
/sys/fs/cgroup/memory.events:high 0
/sys/fs/cgroup/memory.events:max 61
/sys/fs/cgroup/memory.events:oom 3
/sys/fs/cgroup/memory.events:oom_kill 2
/sys/fs/cgroup/memory.events:oom_group_kill 0
/sys/fs/cgroup/memory.stat:anon 70000000
/sys/fs/cgroup/memory.stat:inactive_file 983104
/sys/fs/cgroup/cpu.stat:usage_usec 1500000
/sys/fs/cgroup/cpu.stat:user_usec 1000000
"""


@pytest.mark.parametrize("text", [V1, V2], ids=["version 1", "version 2"])
def test_both_versions_tell_the_same(text: str) -> None:
    assert read_counters(text) == Usage(71_000_000, 1.5, peak=268435456, kills=2)


@pytest.mark.parametrize("text", [V1, V2], ids=["version 1", "version 2"])
def test_every_counter_is_asked_for(text: str) -> None:
    assert {line.partition(":")[0] for line in text.splitlines()} <= set(READ_COUNTERS)


def test_a_kernel_that_keeps_no_peak_leaves_it_out() -> None:
    old = "".join(line for line in V2.splitlines(keepends=True) if ".peak" not in line)

    assert read_counters(old) == Usage(71_000_000, 1.5, peak=None, kills=2)


@pytest.mark.parametrize(
    "text",
    [
        "",
        'OCI runtime exec failed: exec failed: unable to start container process: exec: "grep": '
        "executable file not found in $PATH: unknown",
        "/sys/fs/cgroup/cpu.stat:usage_usec 1500000\n",
        "/sys/fs/cgroup/memory.current:\n",
        "/sys/fs/cgroup/memory.current:max\n",
    ],
)
def test_what_tells_no_memory_tells_nothing(text: str) -> None:
    assert read_counters(text) is None
