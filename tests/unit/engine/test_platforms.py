from __future__ import annotations

import pytest

from localep.engine.platforms import platform_of


@pytest.mark.parametrize(
    ("told", "platform"),
    [
        (("linux", "amd64", None), "linux/amd64"),
        (("Linux", "x86_64", ""), "linux/amd64"),
        (("linux", "aarch64", None), "linux/arm64"),
        (("linux", "arm64", "v8"), "linux/arm64"),
        (("linux", "arm", "v7"), "linux/arm/v7"),
        (("unknown", "unknown", None), ""),
        (("linux", None, None), ""),
        ((None, "amd64", None), ""),
    ],
)
def test_a_platform_has_one_spelling(
    told: tuple[str | None, str | None, str | None], platform: str
) -> None:
    assert platform_of(*told) == platform
