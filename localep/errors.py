"""Every error that localep raises on purpose.

::

    LocalepError
    ├── UsageError                    exit 2    the command line asks for something impossible
    ├── SpecError                     exit 3    the YAML, or a file that it names, is wrong
    ├── EngineError                   exit 4    the Docker engine cannot be reached or refuses
    │   ├── NameTaken                           a container of this name is there already
    │   ├── PortTaken                           the host port is in use
    │   ├── DiskFull                            a disk is full, the engine's or this machine's
    │   ├── NetworkMissing                      the network was removed meanwhile
    │   ├── GpuRefused                exit 9    the GPUs asked for cannot be had
    │   └── PullFailed                          no registry gave the image
    ├── EnvironmentFailure            exit 5    the environment cannot be planned or built
    │   ├── BuildFailed                         a step of an image build failed
    │   └── ChannelUnreachable                  a conda channel does not answer
    ├── DeploymentNotReady            exit 6    the inference server did not get ready
    ├── EndpointAnsweredError         exit 7    the endpoint answered with status 400 or above
    ├── EndpointConflict              exit 8    no such endpoint, or it exists already
    ├── AssetConflict                 exit 8    no such registered asset, or it is another one
    └── Interrupted                   exit 130  SIGINT or SIGTERM

Each says what failed (``message``), why (``cause``) and what to do (``remedy``);
``details`` holds lines to be shown as they are: a log's tail, a traceback. ``code`` is the id of
the cause in the catalogue, where the failure tells one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from localep.exit_codes import ExitCode

if TYPE_CHECKING:
    from collections.abc import Sequence


PullReason = Literal["missing", "login", "platform", "other"]
GpuReason = Literal["unsupported", "no-such-gpu", "stale-cdi", "no-driver", "old-driver", "other"]


class LocalepError(Exception):
    """The root of the tree; never raised itself."""

    exit_code: ClassVar[ExitCode] = ExitCode.BUG

    def __init__(
        self,
        message: str,
        *,
        cause: str | None = None,
        remedy: str | None = None,
        details: Sequence[str] = (),
        code: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.cause = cause
        self.remedy = remedy
        self.details = tuple(details)
        self.code = code

    @property
    def said(self) -> str:
        """What went wrong, and why where that is known, in one line."""
        return " ".join(filter(None, (self.message, self.cause)))


class UsageError(LocalepError):
    """The command line asks for something that cannot be."""

    exit_code = ExitCode.USAGE


class SpecError(LocalepError):
    """The YAML, or a file that it names, is wrong; ``details`` holds one line a finding.

    Where it is one finding itself, ``code`` is that finding's and ``position`` its line and
    column, counted from 1.
    """

    exit_code = ExitCode.SPEC
    code: str

    def __init__(
        self,
        message: str,
        *,
        cause: str | None = None,
        remedy: str | None = None,
        details: Sequence[str] = (),
        code: str = "unreadable",
        position: tuple[int, int] | None = None,
    ) -> None:
        super().__init__(message, cause=cause, remedy=remedy, details=details, code=code)
        self.position = position


class EngineError(LocalepError):
    """The Docker engine cannot be reached, or refuses what it was asked."""

    exit_code = ExitCode.ENGINE


class NameTaken(EngineError):
    """A container of this name is there already."""


class PortTaken(EngineError):
    """The host port is in use by another process or container."""


class DiskFull(EngineError):
    """No space is left on a disk, the engine's or the one of this machine's temporary files."""


class NetworkMissing(EngineError):
    """The network that a container shall join was removed meanwhile."""


class GpuRefused(EngineError):
    """The engine does not give a container the GPUs that it shall have.

    ``reason`` is "unsupported" where the engine itself knows no GPUs.
    """

    exit_code = ExitCode.GPU

    def __init__(
        self,
        message: str,
        *,
        cause: str | None = None,
        remedy: str | None = None,
        details: Sequence[str] = (),
        reason: GpuReason = "other",
    ) -> None:
        super().__init__(message, cause=cause, remedy=remedy, details=details)
        self.reason = reason


class PullFailed(EngineError):
    """No registry gave the image; ``reason`` is why, as far as the answer tells."""

    def __init__(
        self,
        message: str,
        *,
        cause: str | None = None,
        remedy: str | None = None,
        details: Sequence[str] = (),
        reason: PullReason = "other",
    ) -> None:
        super().__init__(message, cause=cause, remedy=remedy, details=details)
        self.reason = reason


class EnvironmentFailure(LocalepError):
    """The environment of the deployment cannot be planned or built."""

    exit_code = ExitCode.ENVIRONMENT


class BuildFailed(EnvironmentFailure):
    """A step of an image build failed.

    ``details`` holds the step's last lines, ``log`` more of them, and the builder's own word last.
    """

    def __init__(
        self,
        message: str,
        *,
        cause: str | None = None,
        remedy: str | None = None,
        details: Sequence[str] = (),
        log: Sequence[str] = (),
    ) -> None:
        super().__init__(message, cause=cause, remedy=remedy, details=details)
        self.log = tuple(log)


class ChannelUnreachable(EnvironmentFailure):
    """A conda channel does not answer."""


class DeploymentNotReady(LocalepError):
    """The inference server ended, kept dying, or did not answer in time."""

    exit_code = ExitCode.NOT_READY


class EndpointAnsweredError(LocalepError):
    """The endpoint answered with a status of 400 or above."""

    exit_code = ExitCode.ENDPOINT_ERROR


class EndpointConflict(LocalepError):
    """There is no such endpoint or deployment, or there is one already."""

    exit_code = ExitCode.NO_SUCH_ENDPOINT


class AssetConflict(LocalepError):
    """There is no such model or environment in the registry, or it stands for something else."""

    exit_code = ExitCode.NO_SUCH_ENDPOINT


class Interrupted(LocalepError):
    """The user or the system asked localep to stop."""

    exit_code = ExitCode.INTERRUPTED
