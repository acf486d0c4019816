"""Which GPUs are wanted, and by which way an engine gives them."""

from __future__ import annotations

import pytest

from localep.engine.gpu_request import GpuRequest, GpuSupport
from localep.operations.gpus.ways import ALL, Way, Ways, Wish, ways_to, wish_of
from localep.spec.model import DeploymentSpec

UUID = "GPU-11111111-2222-3333-4444-555555555555"
ALL_HERE = "fewer are here, and the container has all of them"
UNNUMBERED = "none here is named 0, and the container has all of them"
TWO = (
    "nvidia.com/gpu=0",
    "nvidia.com/gpu=1",
    f"nvidia.com/gpu={UUID}",
    "nvidia.com/gpu=all",
)
LISTING = GpuSupport(has_cdi=True, lists_devices=True, devices=TWO)


def spec(instance_type: str | None, **variables: str) -> DeploymentSpec:
    return DeploymentSpec(
        "blue", "hello", instance_type=instance_type, environment_variables=variables
    )


def cdi(*names: str) -> GpuRequest:
    return GpuRequest(is_cdi=True, ids=names)


@pytest.mark.parametrize(
    ("asked", "wish"),
    [
        ("none", None),
        ("0", None),
        ("void", None),
        ("all", Wish(ALL)),
        ("2", Wish(2)),
        ("0,1", Wish(ids=("0", "1"))),
        ("device=0", Wish(ids=("0",))),
        (UUID, Wish(ids=(UUID,))),
        ("MIG-1,0:1", Wish(ids=("MIG-1", "0:1"))),
        ("amd.com/gpu=0", Wish(ids=("amd.com/gpu=0",))),
    ],
)
def test_what_the_command_line_asks_for_holds_for_every_type(asked: str, wish: Wish | None) -> None:
    for instance_type in ("Standard_DS3_v2", "Standard_NC24s_v3", None):
        assert wish_of(asked, spec(instance_type, NVIDIA_VISIBLE_DEVICES="5")) == wish


@pytest.mark.parametrize(
    ("deployment", "wish"),
    [
        (spec("Standard_DS3_v2"), None),
        (spec("Standard_DS3_v2", NVIDIA_VISIBLE_DEVICES="all"), None),
        (spec("Standard_Unknown"), None),
        (spec(None), None),
        (spec("Standard_NC6s_v3"), Wish(1)),
        (spec("standard_nc24s_v3"), Wish(4)),
        (spec("Standard_NV6ads_A10_v5"), Wish(1)),
        (spec("Standard_NC24s_v3", NVIDIA_VISIBLE_DEVICES="all"), Wish(ALL)),
        (spec("Standard_NC24s_v3", NVIDIA_VISIBLE_DEVICES="0, 2"), Wish(ids=("0", "2"))),
        (spec("Standard_NC24s_v3", NVIDIA_VISIBLE_DEVICES="MIG-1"), Wish(ids=("MIG-1",))),
        (spec("Standard_NC24s_v3", NVIDIA_VISIBLE_DEVICES="none"), None),
        (spec("Standard_NC24s_v3", NVIDIA_VISIBLE_DEVICES=""), None),
    ],
)
def test_by_itself_a_deployment_gets_the_gpus_of_its_type(
    deployment: DeploymentSpec, wish: Wish | None
) -> None:
    assert wish_of("auto", deployment) == wish


@pytest.mark.parametrize(
    ("wish", "request_"),
    [
        (Wish(ALL), cdi("nvidia.com/gpu=all")),
        (Wish(1), cdi("nvidia.com/gpu=0")),
        (Wish(2), cdi("nvidia.com/gpu=0", "nvidia.com/gpu=1")),
        (Wish(ids=("1",)), cdi("nvidia.com/gpu=1")),
        (Wish(ids=(UUID,)), cdi(f"nvidia.com/gpu={UUID}")),
        (Wish(ids=("nvidia.com/gpu=1",)), cdi("nvidia.com/gpu=1")),
    ],
)
@pytest.mark.parametrize("runtimes", [(), ("nvidia",)])
def test_cdi_comes_first_where_the_engine_lists_devices(
    wish: Wish, request_: GpuRequest, runtimes: tuple[str, ...]
) -> None:
    support = GpuSupport(has_cdi=True, lists_devices=True, devices=TWO, runtimes=runtimes)

    for is_by_hand in (True, False):
        assert ways_to(wish, support, is_by_hand=is_by_hand) == Ways((Way(request_),))


def test_where_cdi_lists_too_few_all_of_them_serve_a_type_and_nobody_who_insists() -> None:
    fewer = Way(
        cdi("nvidia.com/gpu=0", "nvidia.com/gpu=1"), "2 are here, and the container has no more"
    )

    assert ways_to(Wish(4), LISTING, is_by_hand=False) == Ways((fewer,))
    missing = "Only 2 are here: nvidia.com/gpu=0, nvidia.com/gpu=1."
    assert ways_to(Wish(4), LISTING, is_by_hand=True) == Ways((), missing)


def test_an_id_that_cdi_does_not_list_is_asked_of_the_runtime_if_there_is_one() -> None:
    with_runtime = GpuSupport(has_cdi=True, lists_devices=True, devices=TWO, runtimes=("nvidia",))
    missing = f"There is no GPU MIG-1: CDI has {', '.join(TWO)}."

    asked = ways_to(Wish(ids=("0", "MIG-1")), with_runtime, is_by_hand=True)
    assert asked == Ways((Way(GpuRequest(ids=("0", "MIG-1"))),))
    assert ways_to(Wish(ids=("0", "MIG-1")), LISTING, is_by_hand=True) == Ways((), missing)
    # A full name means CDI and nothing else.
    named = ways_to(Wish(ids=("nvidia.com/gpu=7",)), with_runtime, is_by_hand=True)
    assert named.found == ()


@pytest.mark.parametrize(
    ("devices", "wish", "request_"),
    [
        pytest.param(
            ("amd.com/gpu=0", "amd.com/gpu=1", "amd.com/gpu=all"),
            Wish(2),
            cdi("amd.com/gpu=0", "amd.com/gpu=1"),
            id="AMD's GPUs",
        ),
        pytest.param(
            ("amd.com/gpu=0", "nvidia.com/gpu=0"),
            Wish(1),
            cdi("nvidia.com/gpu=0"),
            id="NVIDIA's before AMD's",
        ),
        pytest.param(
            ("amd.com/gpu=0", "nvidia.com/gpu=0"),
            Wish(ids=("amd.com/gpu=0",)),
            cdi("amd.com/gpu=0"),
            id="AMD's by name",
        ),
        pytest.param(
            tuple(f"nvidia.com/gpu={number}" for number in ("0", "1", "10", "11", "2")),
            Wish(3),
            cdi("nvidia.com/gpu=0", "nvidia.com/gpu=1", "nvidia.com/gpu=2"),
            id="by number",
        ),
        pytest.param(
            ("nvidia.com/gpu=0:0", "nvidia.com/gpu=0:1", "nvidia.com/gpu=MIG-a"),
            Wish(2),
            cdi("nvidia.com/gpu=0:0", "nvidia.com/gpu=0:1"),
            id="MIG devices, each once",
        ),
        pytest.param(
            (f"nvidia.com/gpu={UUID}", "nvidia.com/gpu=all"),
            Wish(1),
            cdi(f"nvidia.com/gpu={UUID}"),
            id="UUIDs alone",
        ),
        pytest.param(
            ("nvidia.com/gpu=0", "nvidia.com/gpu=1"),
            Wish(ALL),
            cdi("nvidia.com/gpu=0", "nvidia.com/gpu=1"),
            id="all, where nothing is named so",
        ),
    ],
)
def test_devices_are_counted_as_their_makers_name_them(
    devices: tuple[str, ...], wish: Wish, request_: GpuRequest
) -> None:
    support = GpuSupport(has_cdi=True, lists_devices=True, devices=devices)

    assert ways_to(wish, support, is_by_hand=True) == Ways((Way(request_),))


@pytest.mark.parametrize(
    "support",
    [
        pytest.param(GpuSupport(runtimes=("nvidia",)), id="a runtime"),
        pytest.param(GpuSupport(has_cdi=True, runtimes=("nvidia",)), id="a runtime, and CDI"),
        pytest.param(GpuSupport(), id="nothing named"),
        pytest.param(GpuSupport(has_cdi=True, lists_devices=True), id="an empty list"),
    ],
)
def test_elsewhere_gpus_are_asked_for_by_the_capability(support: GpuSupport) -> None:
    one, all_of_them = Way(GpuRequest(count=1)), Way(GpuRequest(count=ALL))
    assert ways_to(Wish(1), support, is_by_hand=False) == Ways((one,))
    assert ways_to(Wish(ALL), support, is_by_hand=True) == Ways((all_of_them,))
    ids = Ways((Way(GpuRequest(ids=("0", UUID))),))
    assert ways_to(Wish(ids=("0", UUID)), support, is_by_hand=True) == ids
    assert ways_to(Wish(4), support, is_by_hand=True) == Ways((Way(GpuRequest(count=4)),))
    with_less = Ways((Way(GpuRequest(count=4)), Way(GpuRequest(count=ALL), ALL_HERE)))
    assert ways_to(Wish(4), support, is_by_hand=False) == with_less
    named = ways_to(Wish(ids=("nvidia.com/gpu=0",)), support, is_by_hand=True)
    assert named == Ways((Way(cdi("nvidia.com/gpu=0")),))


def test_an_engine_that_may_have_cdi_devices_and_lists_none_is_asked_for_them() -> None:
    support = GpuSupport(has_cdi=True)

    assert ways_to(Wish(2), support, is_by_hand=True).found == (
        Way(cdi("nvidia.com/gpu=0", "nvidia.com/gpu=1")),
        Way(cdi("amd.com/gpu=0", "amd.com/gpu=1")),
        Way(GpuRequest(count=2)),
    )
    assert ways_to(Wish(2), support, is_by_hand=False).found == (
        Way(cdi("nvidia.com/gpu=0", "nvidia.com/gpu=1")),
        Way(cdi("nvidia.com/gpu=all"), ALL_HERE),
        Way(cdi("amd.com/gpu=0", "amd.com/gpu=1")),
        Way(cdi("amd.com/gpu=all"), ALL_HERE),
        Way(GpuRequest(count=2)),
        Way(GpuRequest(count=ALL), ALL_HERE),
    )
    assert ways_to(Wish(1), support, is_by_hand=False).found == (
        Way(cdi("nvidia.com/gpu=0")),
        Way(cdi("nvidia.com/gpu=all"), UNNUMBERED),
        Way(cdi("amd.com/gpu=0")),
        Way(cdi("amd.com/gpu=all"), UNNUMBERED),
        Way(GpuRequest(count=1)),
    )
    assert ways_to(Wish(ids=(UUID,)), support, is_by_hand=True).found == (
        Way(cdi(f"nvidia.com/gpu={UUID}")),
        Way(cdi(f"amd.com/gpu={UUID}")),
        Way(GpuRequest(ids=(UUID,))),
    )
