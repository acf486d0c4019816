"""Variables whose values nobody wants to find in an image."""

from __future__ import annotations

import re
from enum import Enum
from typing import TYPE_CHECKING

from localep.rules.definition import is_secret_reference

if TYPE_CHECKING:
    from collections.abc import Mapping

# Whatever such a variable holds is secret, but for what is plainly something else.
_SECRET_NAME = re.compile(
    r"(?:^|[_.-])(?:password|passwd|passphrase|pwd|secret|token|credentials?|sas|api_?key"
    r"|(?:access|account|private|secret|signing|encryption|subscription|shared|master)_?key"
    r"|conn(?:ection)?_?str(?:ing)?)(?:$|[_.-]|\d)",
    re.IGNORECASE,
)
_KEY_NAME = re.compile(r"(?:^|[_.-])key(?:$|[_.-]|\d)", re.IGNORECASE)
# Numbers, switches, paths and addresses: how long a token may be, where it is fetched.
_PLAIN_VALUE = re.compile(
    r"-?[\d.,]*|true|false|yes|no|on|off|none|null|\.{0,2}/\S*|[A-Za-z]:\\.*|https?://[^@?]*",
    re.IGNORECASE,
)
_RANDOM_VALUE = re.compile(r"(?=.*\d)(?=.*[A-Za-z])[\w+/=.-]{16,}")
_SECRET_VALUE = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----"
    r"|\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\."
    r"|(?:AccountKey|SharedAccessKey|SharedAccessSignature|Password|Pwd|ClientSecret)=[^;\s]+"
    r"|[?&]sig=[\w%/+-]{16,}"
    r"|://[^/\s:@]*:[^/\s@]+@"
    r"|\b(?:gh[pousr]_\w{20,}|github_pat_\w{20,}|glpat-[\w-]{16,}|hf_[A-Za-z0-9]{20,}"
    r"|sk-[\w-]{20,}|xox[abprs]-[\w-]{10,}|AKIA[0-9A-Z]{16})"
)


class Sort(Enum):
    """What the value of a variable is."""

    PLAIN = "plain"
    SECRET = "secret"  # noqa: S105
    REFERENCE = "reference"


def sort_of(name: str, value: str) -> Sort:
    """What a variable holds, as far as its name and value tell."""
    if is_secret_reference(value):
        return Sort.REFERENCE
    if _SECRET_VALUE.search(value):
        return Sort.SECRET
    if _SECRET_NAME.search(name) and not _PLAIN_VALUE.fullmatch(value):
        return Sort.SECRET
    if _KEY_NAME.search(name) and _RANDOM_VALUE.fullmatch(value):
        return Sort.SECRET
    return Sort.PLAIN


def of_sort(variables: Mapping[str, str], sort: Sort) -> tuple[str, ...]:
    """The names of the variables of a sort, in their order."""
    return tuple(name for name, value in variables.items() if sort_of(name, value) is sort)
