"""The exit codes of the command ``localep``; scripts may rely on them."""

from enum import IntEnum


class ExitCode(IntEnum):
    """What an exit status means, one number a class of failure."""

    OK = 0
    BUG = 1
    USAGE = 2
    SPEC = 3
    ENGINE = 4
    ENVIRONMENT = 5
    NOT_READY = 6
    ENDPOINT_ERROR = 7
    NO_SUCH_ENDPOINT = 8
    GPU = 9
    INTERRUPTED = 130
