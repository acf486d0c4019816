"""The groups that a container needs to open the nodes of its GPUs."""

from __future__ import annotations

import pytest

from localep.engine.gpu_request import GpuRequest
from localep.operations.gpus import groups as gpu_groups
from localep.operations.gpus.groups import groups_of
from localep.operations.trial import Trial
from localep.operations.workplace import Workplace

TOLD = "987\n44\n987\n0\n"
NO_NODES = "stat: cannot statx '/dev/dri/*': No such file or directory\n"


@pytest.mark.parametrize(
    ("gpus", "told", "groups"),
    [
        (GpuRequest(is_cdi=True, ids=("amd.com/gpu=0",)), TOLD, (44, 987)),
        (GpuRequest(is_cdi=True, ids=("nvidia.com/gpu=0", "amd.com/gpu=all")), TOLD, (44, 987)),
        (GpuRequest(is_cdi=True, ids=("amd.com/gpu=0",)), NO_NODES, ()),
    ],
)
def test_amds_nodes_tell_their_groups(
    place: Workplace,
    monkeypatch: pytest.MonkeyPatch,
    gpus: GpuRequest,
    told: str,
    groups: tuple[int, ...],
) -> None:
    monkeypatch.setattr(gpu_groups, "try_out", lambda *_, **__: Trial(0, told))

    assert groups_of(place, gpus) == groups


@pytest.mark.parametrize(
    "gpus",
    [None, GpuRequest(is_cdi=True, ids=("nvidia.com/gpu=all",)), GpuRequest(count=2)],
)
def test_for_others_no_container_is_started(
    place: Workplace, monkeypatch: pytest.MonkeyPatch, gpus: GpuRequest | None
) -> None:
    monkeypatch.setattr(gpu_groups, "try_out", None)

    assert groups_of(place, gpus) == ()
