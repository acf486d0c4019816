"""Files that no person wrote end in a clear answer, without much memory."""

from __future__ import annotations

import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

MIB = 1024
PEAK_MIB = 200
# So that a reader who walks into it is ended; the time itself is measured by the benchmarks.
PATIENCE_SECONDS = 30
# Runs a command line and tells the peak of its memory, as the system has counted it.
PROGRAM = """
import gc, sys
from localep.__main__ import main
gc.disable()  # as the installed command does
status = main()
with open("/proc/self/status") as told:
    (line,) = [line for line in told if line.startswith("VmHWM:")]
print(line.split()[1], file=sys.stderr)
sys.exit(status)
"""

LETTERS = "abcdefghijkl"
ENDPOINT = "name: orders\n"
TOO_LARGE = (
    "big.yml: error [unreadable] The document is too large. It has more than 5242880 bytes.\n"
    "  Name the YAML of an endpoint or a deployment.\n\none file: one error.\n"
)
TOO_MANY = (
    "big.yml: error [unreadable] The document cannot be read. It holds more than 100000 values "
    "once its anchors are expanded.\n"
    "  Remove the nested anchors, or split the file.\n\none file: one error.\n"
)
TOO_DEEP = (
    "big.yml: error [unreadable] The document cannot be read. It is nested too deeply.\n"
    "  Flatten the document.\n\none file: one error.\n"
)


FILES = {
    "50 MB": (ENDPOINT + f"description: {'x' * 50_000_000}\n", TOO_LARGE),
    "330,000 lines": (ENDPOINT + "tags:\n" + "  a: 12345678901\n" * 330_000, TOO_LARGE),
    "deep lists": (ENDPOINT + f"tags: {'[' * 100_000}{']' * 100_000}\n", TOO_DEEP),
    "deep mappings": (
        ENDPOINT + "tags:\n" + "".join(f"{' ' * depth}  a:\n" for depth in range(2_000)),
        TOO_DEEP,
    ),
}


def validate(folder: Path, text: str) -> tuple[int, str, int]:
    """Exit status, output, and the peak of memory in MiB."""
    (folder / "big.yml").write_text(text)
    result = subprocess.run(
        [sys.executable, "-c", PROGRAM, "validate", "-f", "big.yml"],
        capture_output=True,
        check=False,
        cwd=folder,
        text=True,
        timeout=PATIENCE_SECONDS,
    )
    *said, peak = result.stderr.splitlines()
    assert said == []
    return result.returncode, result.stdout, int(peak) // MIB


@pytest.mark.parametrize(("text", "told"), FILES.values(), ids=FILES)
def test_a_file_that_is_too_much_is_refused_as_such(tmp_path: Path, text: str, told: str) -> None:
    status, output, peak = validate(tmp_path, text)

    assert (status, output) == (3, told)
    assert peak <= PEAK_MIB


@pytest.mark.parametrize("shape", ["list", "mapping"])
def test_anchors_within_anchors_are_refused_as_such(tmp_path: Path, shape: str) -> None:
    lines = ["a: &a [x, x, x, x, x, x, x, x, x]"]
    for inner, outer in pairwise(LETTERS):
        values = [f"*{inner}" if shape == "list" else f"k{n}: *{inner}" for n in range(9)]
        begin, end = "[]" if shape == "list" else "{}"
        lines.append(f"{outer}: &{outer} {begin}{', '.join(values)}{end}")

    status, output, peak = validate(tmp_path, ENDPOINT + "\n".join(lines))

    assert (status, output) == (3, TOO_MANY)
    assert peak <= PEAK_MIB


def test_ten_thousand_keys_are_told_as_far_as_anybody_reads(tmp_path: Path) -> None:
    keys = "".join(f"key_{number}: {number}\n" for number in range(10_000))

    status, output, peak = validate(tmp_path, ENDPOINT + keys)

    first, *others = output.split("\n\n")
    assert first.splitlines()[0] == (
        "big.yml:2:8: error [unknown-key] key_0: is not a known key here."
    )
    assert others[-2:] == [
        "big.yml:201:10: info [more-findings] 9800 more findings are not shown. "
        "Correct these first.",
        "one file: 200 errors, one info.\n",
    ]
    assert len(others) == 201
    assert status == 3
    assert peak <= PEAK_MIB


def test_errors_are_shown_before_any_number_of_warnings(tmp_path: Path) -> None:
    duplicates = "  a: 1\n" * 50_000

    status, output, peak = validate(tmp_path, f"{ENDPOINT}tags:\n{duplicates}wrong: 1\n")

    assert "[unknown-key] wrong: is not a known key here.\n" in output
    assert output.endswith("one file: one error, 199 warnings, one info.\n")
    assert status == 3
    assert peak <= PEAK_MIB


@pytest.mark.parametrize("piece", ["{{ ", "<%", "<a ", "$A", "[] "])
def test_five_megabytes_of_what_looks_like_something_else_are_read(
    tmp_path: Path, piece: str
) -> None:
    text = piece * (5_000_000 // len(piece))

    status, _, peak = validate(tmp_path, f'{ENDPOINT}description: "{text}"\n')

    assert status == 0
    assert peak <= PEAK_MIB
