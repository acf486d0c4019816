"""Why a container gets no GPU, in the words of engines 20.10, 26.1 and 28.5.

The engines, runc and CDI said so here; what a hook wrote, between "stderr: " and the end, is what
NVIDIA's tools write as users have reported it, and a stand-in for the hook wrote it here.
"""

from __future__ import annotations

import docker.errors
import pytest

from localep.engine.errors import engine_errors
from localep.errors import GpuReason, GpuRefused
from localep.exit_codes import ExitCode

NO_DRIVER_KNOWN = 'could not select device driver "{}" with capabilities: {}'
TASK = "failed to create task for container: "
HOOK_20 = (
    "failed to create shim task: OCI runtime create failed: runc create failed: unable to start "
    "container process: error during container init: error running hook #0: error running hook: "
    "exit status 1, stdout: , stderr: {}: unknown"
)
HOOK_26 = TASK + HOOK_20
HOOK_28 = (
    "failed to create task for container: failed to create shim task: OCI runtime create failed: "
    "runc create failed: unable to start container process: error during container init: error "
    "running prestart hook #0: exit status 1, stdout: , stderr: {}"
)
HOOKS = (HOOK_20, HOOK_26, HOOK_28)
INIT = (
    "failed to create task for container: failed to create shim task: OCI runtime create failed: "
    "runc create failed: unable to start container process: error during container init: "
)
AUTO = "Auto-detected mode as 'legacy'\n"
CUDA_LIBRARY = "/usr/lib/x86_64-linux-gnu/libcuda.so.535.54.03"
TOO_OLD = (
    "nvidia-container-cli: requirement error: unsatisfied condition: cuda>=12.8, please update "
    "your driver to a newer version, or use an earlier cuda container"
)
NO_LIBRARY = (
    "nvidia-container-cli: initialization error: load library failed: libnvidia-ml.so.1: cannot "
    "open shared object file: no such file or directory"
)
NO_MODULE = "nvidia-container-cli: initialization error: nvml error: driver not loaded"
NO_ADAPTER = (
    "nvidia-container-cli: initialization error: WSL environment detected but no adapters were "
    "found"
)
NVML = "nvidia-container-cli: detection error: nvml error: unknown error"
UNKNOWN_DEVICE = "nvidia-container-cli: device error: 7: unknown device"
CONTAINER = "nvidia-container-cli: container error: cgroup subsystem devices not found"
STAT = 'failed to stat CDI host device "/dev/nvidia0": no such file or directory'

REFUSALS: list[tuple[str, GpuReason, str]] = [
    # Every engine, where nobody hands out GPUs.
    (NO_DRIVER_KNOWN.format("", "[[gpu]]"), "unsupported", NO_DRIVER_KNOWN.format("", "[[gpu]]")),
    # 20.10 does not know CDI, and 26.1 has it switched off as it comes.
    (NO_DRIVER_KNOWN.format("cdi", "[]"), "unsupported", NO_DRIVER_KNOWN.format("cdi", "[]")),
    # NVIDIA's hook.
    *((hook.format(AUTO + UNKNOWN_DEVICE), "no-such-gpu", UNKNOWN_DEVICE) for hook in HOOKS),
    *((hook.format(AUTO + TOO_OLD), "old-driver", TOO_OLD) for hook in HOOKS),
    *((hook.format(AUTO + NO_LIBRARY), "no-driver", NO_LIBRARY) for hook in HOOKS),
    *((hook.format(NO_MODULE), "no-driver", NO_MODULE) for hook in HOOKS),
    *((hook.format(NO_ADAPTER), "no-driver", NO_ADAPTER) for hook in HOOKS),
    *((hook.format(NVML), "no-driver", NVML) for hook in HOOKS),
    *((hook.format(CONTAINER), "other", CONTAINER) for hook in HOOKS),
    # CDI, 26.1 and 28.5 alike.
    (
        "CDI device injection failed: unresolvable CDI devices nvidia.com/gpu=7, nvidia.com/gpu=8",
        "no-such-gpu",
        "unresolvable CDI devices nvidia.com/gpu=7, nvidia.com/gpu=8",
    ),
    (f"CDI device injection failed: failed to inject devices: {STAT}", "stale-cdi", STAT),
    # A CDI file that names a library which an update of the driver took away; 26.1, then 28.5.
    (
        f'{INIT}error mounting "{CUDA_LIBRARY}" to rootfs at "{CUDA_LIBRARY}": create mount '
        f"destination for {CUDA_LIBRARY} mount: bind mount source stat: stat {CUDA_LIBRARY}: no "
        "such file or directory: unknown",
        "stale-cdi",
        f'error mounting "{CUDA_LIBRARY}" to rootfs at "{CUDA_LIBRARY}": create mount destination '
        f"for {CUDA_LIBRARY} mount: bind mount source stat: stat {CUDA_LIBRARY}: no such file or "
        "directory",
    ),
    (
        f"{INIT}failed to fulfil mount request: open {CUDA_LIBRARY}: no such file or directory",
        "stale-cdi",
        f"failed to fulfil mount request: open {CUDA_LIBRARY}: no such file or directory",
    ),
    # A CDI file with a hook of a toolkit that is gone; 26.1, then 28.5.
    (
        f"{INIT}error running hook #0: fork/exec /usr/bin/nvidia-ctk: no such file or directory: "
        "unknown",
        "stale-cdi",
        "error running hook #0: fork/exec /usr/bin/nvidia-ctk: no such file or directory",
    ),
    (
        f"{INIT}error running createContainer hook #0: fork/exec /usr/bin/nvidia-ctk: no such "
        "file or directory",
        "stale-cdi",
        "error running createContainer hook #0: fork/exec /usr/bin/nvidia-ctk: no such file or "
        "directory",
    ),
    # NVIDIA's runtime where it makes CDI devices itself and finds no driver, as reported.
    (
        "failed to create task for container: failed to create shim task: OCI runtime create "
        "failed: could not apply required modification to OCI specification: error modifying OCI "
        "spec: failed to inject CDI devices: unresolvable CDI devices "
        "runtime.nvidia.com/gpu=all: unknown",
        "no-driver",
        "unresolvable CDI devices runtime.nvidia.com/gpu=all",
    ),
]
REMEDIES: dict[GpuReason, str] = {
    "unsupported": "Install the NVIDIA Container Toolkit",
    "no-such-gpu": "Name GPUs that are there",
    "stale-cdi": "Write the CDI file anew",
    "no-driver": "See with `nvidia-smi` that NVIDIA's driver runs",
    "old-driver": "Update NVIDIA's driver",
    "other": "See with `nvidia-smi` that the GPUs work",
}


@pytest.mark.parametrize(("text", "reason", "cause"), REFUSALS)
def test_a_refusal_of_gpus_is_told_with_its_reason_and_remedy(
    text: str, reason: GpuReason, cause: str
) -> None:
    with pytest.raises(GpuRefused) as caught, engine_errors("start a container"):
        raise docker.errors.APIError("", explanation=text)

    error = caught.value
    assert (error.exit_code, error.reason, error.cause) == (ExitCode.GPU, reason, f"{cause}.")
    assert error.message == "The Docker engine could not start a container."
    assert (error.remedy or "").startswith(REMEDIES[reason])


@pytest.mark.parametrize(
    "text",
    [
        'error mounting "/home/nvidia/cuda" to rootfs at "/model": no such file or directory',
        f'{INIT}exec: "python": executable file not found in $PATH: unknown',
        "error running hook #0: fork/exec /usr/bin/other: no such file or directory",
    ],
)
def test_what_has_to_do_with_no_gpu_is_no_refusal_of_gpus(text: str) -> None:
    with pytest.raises(Exception, match="could not start") as caught, engine_errors("start it"):
        raise docker.errors.APIError("", explanation=text)

    assert not isinstance(caught.value, GpuRefused)
