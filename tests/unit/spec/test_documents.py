from __future__ import annotations

import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from support.loading import load_files
from unit.spec.spec_files import told, write

import localep
from localep.errors import SpecError
from localep.spec import documents
from localep.spec.documents import Document, Position, parse_document, read_document

# What crashes or hangs must not take the whole run with it.
GUARDED_READING = """\
import resource, sys
from pathlib import Path
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
resource.setrlimit(resource.RLIMIT_AS, (2**28, 2**28))
resource.setrlimit(resource.RLIMIT_CPU, (5, 5))
from localep.errors import SpecError
from localep.spec.documents import read_document
try:
    read_document(Path(sys.argv[1]))
except SpecError as error:
    print(error.message, error.cause, sep="|")
"""


def read_guarded(source: Path) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-c", GUARDED_READING, str(source)],
        cwd=Path(localep.__file__).parents[1],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        timeout=30,
        check=False,
    )
    return done.returncode, done.stdout.strip()


def refusal(source: Path) -> SpecError:
    with pytest.raises(SpecError) as caught:
        read_document(source)
    return caught.value


def test_a_document_holds_its_values_and_where_each_stands(tmp_path: Path) -> None:
    source = write(
        tmp_path,
        "endpoint.yml",
        """\
        name: orders
        tags:
          team: vision
          sizes: [1, 2]
        """,
    )
    assert read_document(source) == Document(
        source=source,
        data={"name": "orders", "tags": {"team": "vision", "sizes": [1, 2]}},
        positions={
            (): Position(1, 1),
            ("name",): Position(1, 7),
            ("tags",): Position(3, 3),
            ("tags", "team"): Position(3, 9),
            ("tags", "sizes"): Position(4, 10),
            ("tags", "sizes", 0): Position(4, 11),
            ("tags", "sizes", 1): Position(4, 14),
        },
        duplicates=(),
    )


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"name: orders\ntags:\n  a: x\n", id="plain"),
        pytest.param(b"name: orders\ntags:\n  a: x", id="no final newline"),
        pytest.param(b"name: orders\r\ntags:\r\n  a: x\r\n", id="CRLF"),
        pytest.param(b"\xef\xbb\xbfname: orders\ntags:\n  a: x\n", id="BOM"),
        pytest.param(b"\xef\xbb\xbfname: orders\r\ntags:\r\n  a: x", id="BOM and CRLF"),
    ],
)
def test_line_ends_and_byte_order_marks_change_nothing(tmp_path: Path, content: bytes) -> None:
    source = tmp_path / "endpoint.yml"
    source.write_bytes(content)
    assert read_document(source) == Document(
        source=source,
        data={"name": "orders", "tags": {"a": "x"}},
        positions={
            (): Position(1, 1),
            ("name",): Position(1, 7),
            ("tags",): Position(3, 3),
            ("tags", "a"): Position(3, 6),
        },
    )


def test_markers_of_begin_and_end_and_comments_are_no_part_of_the_data(tmp_path: Path) -> None:
    source = write(tmp_path, "endpoint.yml", "# note\n---\nname: orders  # the shop\n...\n")
    assert read_document(source).data == {"name": "orders"}


def test_the_source_of_a_relative_path_is_absolute(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, "sub/endpoint.yml", "name: orders\n")
    monkeypatch.chdir(tmp_path)
    document = read_document(Path("sub/endpoint.yml"))
    assert (document.source, document.folder) == (
        tmp_path / "sub/endpoint.yml",
        tmp_path / "sub",
    )


def test_keys_that_yaml_reads_as_something_else_are_noted(tmp_path: Path) -> None:
    text = (
        "1: a\ntags: {on: b, 'off': c, n: d, ~: e, deep: [{2.5: f}]}\nx: &x {3: g}\ny: {<<: *x}\n"
    )
    document = read_document(write(tmp_path, "a.yml", text))
    assert document.odd_keys == {
        ("1",),
        ("tags", "on"),
        ("tags", "~"),
        ("tags", "deep", 0, "2.5"),
        ("x", "3"),
    }


def test_keys_are_strings_spelled_as_in_the_file(tmp_path: Path) -> None:
    source = write(tmp_path, "a.yml", "1: a\n0x10: b\ntrue: c\n1.50: d\n~: e\n2024-01-01: f\n")
    assert read_document(source).data == {
        "1": "a",
        "0x10": "b",
        "true": "c",
        "1.50": "d",
        "~": "e",
        "2024-01-01": "f",
    }


@pytest.mark.parametrize(
    ("path", "place"),
    [
        pytest.param(("tags", "team"), ":3:9", id="value"),
        pytest.param(("tags", "absent"), ":3:3", id="absent key"),
        pytest.param(("tags", "team", 0, "deeper"), ":3:9", id="below a value"),
        pytest.param(("absent", "deeper"), ":1:1", id="absent everywhere"),
        pytest.param((), ":1:1", id="document"),
    ],
)
def test_a_place_is_that_of_the_value_or_of_its_nearest_parent(
    tmp_path: Path, path: documents.KeyPath, place: str
) -> None:
    source = write(tmp_path, "a.yml", "name: orders\ntags:\n  team: vision\n")
    assert read_document(source).locate(path) == f"{source}{place}"


def test_the_place_in_a_document_without_positions_is_its_file() -> None:
    document = Document(Path("/app/endpoint.yml"), {"name": "orders"})
    assert document.locate(("name",)) == "/app/endpoint.yml"


def test_columns_count_letters_not_bytes(tmp_path: Path) -> None:
    source = write(tmp_path, "a.yml", "tags: {größe: 日本, b: 1}\n")
    assert read_document(source).positions[("tags", "b")] == Position(1, 22)


def test_an_alias_is_a_copy_that_stands_where_its_anchor_stands(tmp_path: Path) -> None:
    source = write(tmp_path, "a.yml", "first: &x\n  a: 1\nsecond: *x\n")
    document = read_document(source)
    assert document.data == {"first": {"a": 1}, "second": {"a": 1}}
    assert document.data["first"] is not document.data["second"]
    assert document.positions[("second", "a")] == Position(2, 6)


MERGES = [
    pytest.param("<<: *x\n", {"a": 1, "b": 2}, id="alone"),
    pytest.param("<<: *x\n  c: 5\n", {"a": 1, "b": 2, "c": 5}, id="beside a new key"),
    pytest.param("<<: *x\n  b: 5\n", {"a": 1, "b": 5}, id="before a key of the same name"),
    pytest.param("b: 5\n  <<: *x\n", {"a": 1, "b": 5}, id="after a key of the same name"),
    pytest.param("<<: [*x, *y]\n", {"a": 1, "b": 2, "c": 4}, id="several, the first counts"),
]


@pytest.mark.parametrize(("merge", "merged"), MERGES)
def test_merge_keys_bring_what_is_not_there_already(
    tmp_path: Path, merge: str, merged: dict[str, int]
) -> None:
    text = f"x: &x {{a: 1, b: 2}}\ny: &y {{b: 3, c: 4}}\nz:\n  {merge}"
    assert read_document(write(tmp_path, "a.yml", text)).data["z"] == merged


@pytest.mark.parametrize(("merge", "merged"), MERGES)
def test_a_merged_key_is_no_duplicate(tmp_path: Path, merge: str, merged: dict[str, int]) -> None:
    text = f"x: &x {{a: 1, b: 2}}\ny: &y {{b: 3, c: 4}}\nz:\n  {merge}"
    document = read_document(write(tmp_path, "a.yml", text))
    assert (document.data["z"], document.duplicates) == (merged, ())


def test_the_last_of_duplicate_keys_wins_and_each_duplicate_is_noted(tmp_path: Path) -> None:
    source = write(
        tmp_path,
        "a.yml",
        """\
        name: first
        list:
          - {a: 1, a: 2, a: 3}
        name: last
        """,
    )
    document = read_document(source)
    assert document.data == {"name": "last", "list": [{"a": 3}]}
    assert document.duplicates == (("list", 0, "a"), ("list", 0, "a"), ("name",))
    assert document.positions[("name",)] == Position(4, 7)


@pytest.mark.parametrize(
    "text",
    ["", "\n \n", "# only a comment\n", "\ufeff"],
    ids=["nothing", "blank lines", "comment", "BOM"],
)
def test_an_empty_file_is_refused(tmp_path: Path, text: str) -> None:
    source = write(tmp_path, "a.yml", text)
    assert told(refusal(source)) == (
        f"{source} is empty.",
        "There is no YAML document in it.",
        "Write the endpoint or deployment into it.",
        (),
    )


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        pytest.param("- name: orders\n", "a list", id="list"),
        pytest.param("[]\n", "a list", id="empty list"),
        pytest.param("orders\n", "a single value", id="word"),
        pytest.param("---\n", "a single value", id="null"),
    ],
)
def test_anything_but_a_mapping_at_the_top_is_refused(tmp_path: Path, text: str, kind: str) -> None:
    source = write(tmp_path, "a.yml", text)
    assert told(refusal(source)) == (
        f"{source} is not an endpoint or deployment document.",
        f"Its top level is {kind}, not a mapping of keys to values.",
        "Put keys such as `name:` at the top level.",
        (),
    )


@pytest.mark.parametrize(
    ("text", "place", "cause"),
    [
        pytest.param(
            "name: orders\ntags: {a: 1\nx: 2\n",
            ":3:2",
            "Did not find expected ',' or '}'.",
            id="open brace",
        ),
        pytest.param(
            "name: orders\n\ttags: x\n",
            ":2:1",
            "Found a tab character that violates indentation.",
            id="tab",
        ),
        pytest.param(
            "name: orders\n? [a]\n: x\n", ":2:3", "A key must be a plain word.", id="list as key"
        ),
        pytest.param(
            "name: orders\n---\nname: other\n",
            ":2:1",
            "Expected a single document in the stream, but found another document.",
            id="two documents",
        ),
        pytest.param("name: *gone\n", ":1:7", "Found undefined alias.", id="undefined alias"),
        pytest.param(
            "name: !Ref x\n",
            ":1:7",
            "Could not determine a constructor for the tag '!Ref'.",
            id="unknown tag",
        ),
        pytest.param(
            "name: !!python/name:os.system x\n",
            ":1:7",
            "Could not determine a constructor for the tag "
            "'tag:yaml.org,2002:python/name:os.system'.",
            id="Python object",
        ),
        pytest.param(
            "tags:\n  <<: 5\n",
            ":2:7",
            "Expected a mapping or list of mappings for merging, but found scalar.",
            id="merge of a number",
        ),
        pytest.param(
            "name: \x07\n",
            "",
            "Unacceptable character #x0007: control characters are not allowed.",
            id="control character",
        ),
    ],
)
def test_what_is_not_yaml_is_refused_with_its_place(
    tmp_path: Path, text: str, place: str, cause: str
) -> None:
    source = write(tmp_path, "a.yml", text)
    assert told(refusal(source)) == (
        f"{source}{place} is not valid YAML.",
        cause,
        "Correct the line; placeholders such as {{X}} must be filled in before.",
        (),
    )


@pytest.mark.parametrize(
    ("text", "place", "cause", "name"),
    [
        (
            "name: orders\nimage: {{registry}}/y\n",
            ":2:20",
            "Did not find expected key.",
            "registry",
        ),
        ("version: {{ X }}\n", ":1:11", "A key must be a plain word.", "X"),
    ],
)
def test_a_placeholder_that_is_no_yaml_is_refused_with_the_option_that_fills_it(
    tmp_path: Path, text: str, place: str, cause: str, name: str
) -> None:
    source = write(tmp_path, "a.yml", text)
    error = refusal(source)
    assert told(error) == (
        f"{source}{place} is not valid YAML.",
        cause,
        f"Fill it with --var {name}=value.",
        (),
    )
    assert error.code == "placeholder-left"


@pytest.mark.parametrize(
    "value",
    [
        pytest.param("2024-13-45", id="thirteenth month"),
        pytest.param("0x_", id="hexadecimal number without digits"),
        pytest.param("0b_", id="binary number without digits"),
        pytest.param("9" * 5000, id="number of 5000 digits"),
        pytest.param("!!int word", id="word tagged as a number"),
        pytest.param("!!bool word", id="word tagged as a truth value"),
        pytest.param("!!timestamp word", id="word tagged as a time"),
    ],
)
def test_a_value_that_is_not_what_it_looks_like_is_refused_with_its_place(
    tmp_path: Path, value: str
) -> None:
    source = write(tmp_path, "a.yml", f"name: orders\ntags: {{at: {value}}}\n")
    assert refusal(source).message == f"{source}:2:12 is not valid YAML."


@pytest.mark.parametrize("key", ["2024-13-45", "0x_", "0b_"])
def test_a_key_that_is_not_what_it_looks_like_is_its_spelling_or_refused(
    tmp_path: Path, key: str
) -> None:
    source = write(tmp_path, "a.yml", f"{key}: x\n")
    with suppress(SpecError):
        assert read_document(source).data == {key: "x"}


@pytest.mark.parametrize(
    ("content", "byte"),
    [
        pytest.param("name: größe\n".encode("latin-1"), 8, id="Latin-1"),
        pytest.param("name: orders\n".encode("utf-16"), 0, id="UTF-16"),
        pytest.param(b"name: a\x00\xff", 8, id="binary"),
    ],
)
def test_what_is_not_utf8_is_refused(tmp_path: Path, content: bytes, byte: int) -> None:
    source = tmp_path / "a.yml"
    source.write_bytes(content)
    assert told(refusal(source)) == (
        f"{source} is not a text file.",
        f"Byte {byte} is not UTF-8.",
        "Save it as UTF-8.",
        (),
    )


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    source = tmp_path / "gone.yml"
    assert told(refusal(source)) == (
        f"{source} is not there.",
        None,
        "Check the path given with -f.",
        (),
    )


def test_a_link_to_nowhere_is_a_missing_file(tmp_path: Path) -> None:
    source = tmp_path / "link.yml"
    source.symlink_to(tmp_path / "gone.yml")
    assert refusal(source).message == f"{source} is not there."


def test_a_folder_is_refused(tmp_path: Path) -> None:
    assert told(refusal(tmp_path)) == (
        f"{tmp_path} is a folder.",
        None,
        "Name the YAML file inside it with -f.",
        (),
    )


def test_a_path_through_a_file_cannot_be_read(tmp_path: Path) -> None:
    source = write(tmp_path, "file", "name: orders\n") / "a.yml"
    assert told(refusal(source)) == (
        f"{source} cannot be read.",
        "Not a directory.",
        "Check its permissions.",
        (),
    )


def test_a_link_to_itself_cannot_be_read(tmp_path: Path) -> None:
    source = tmp_path / "loop.yml"
    source.symlink_to(source)
    assert told(refusal(source)) == (
        f"{source} cannot be read.",
        "Too many levels of symbolic links.",
        "Check its permissions.",
        (),
    )


def test_a_file_without_an_end_is_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "MAX_BYTES", 1000)
    assert told(refusal(Path("/dev/zero"))) == (
        "/dev/zero is too large.",
        "It has more than 1000 bytes.",
        "Name the YAML of an endpoint or a deployment.",
        (),
    )


@pytest.mark.parametrize(
    ("kind", "name", "key"),
    [
        (documents.CONDA_FILE, "a conda file", "dependencies"),
        (documents.ENVIRONMENT, "an environment document", "image"),
    ],
)
def test_a_file_that_a_document_names_is_called_what_it_should_be(
    tmp_path: Path, kind: documents.Kind, name: str, key: str
) -> None:
    empty, listing = write(tmp_path, "empty.yml", ""), write(tmp_path, "list.yml", "- a\n")
    with pytest.raises(SpecError) as nothing:
        read_document(empty, kind)
    with pytest.raises(SpecError) as a_list:
        read_document(listing, kind)
    assert told(nothing.value) == (
        f"{empty} is empty.",
        "There is no YAML document in it.",
        f"Write `{key}:` and what belongs to it into the file.",
        (),
    )
    assert told(a_list.value) == (
        f"{listing} is not {name}.",
        "Its top level is a list, not a mapping of keys to values.",
        f"Put keys such as `{key}:` at the top level.",
        (),
    )


def test_a_file_may_be_as_large_as_the_limit_and_no_larger(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(documents, "MAX_BYTES", 13)
    fitting = write(tmp_path, "fitting.yml", "name: orders\n")
    larger = write(tmp_path, "larger.yml", "name: orders2\n")
    assert read_document(fitting).data == {"name": "orders"}
    assert told(refusal(larger)) == (
        f"{larger} is too large.",
        "It has more than 13 bytes.",
        "Name the YAML of an endpoint or a deployment.",
        (),
    )


def test_a_document_may_hold_as_many_values_as_the_limit_and_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(documents, "MAX_VALUES", 4)
    fitting = write(tmp_path, "fitting.yml", "a: [1, 2]\n")
    larger = write(tmp_path, "larger.yml", "a: [1, 2, 3, 4, 5]\n")
    assert read_document(fitting).data == {"a": [1, 2]}
    assert told(refusal(larger)) == (
        f"{larger} cannot be read.",
        "It holds more than 4 values once its anchors are expanded.",
        "Remove the nested anchors, or split the file.",
        (),
    )


def bomb(first: str, following: str, levels: int) -> str:
    """A value that holds one of the level below ten times, down to the first."""
    value = f"&a0 {first}"
    for level in range(1, levels):
        tenfold = ", ".join([value, *[f"*a{level - 1}"] * 9])
        value = f"&a{level} {following.replace('TENFOLD', tenfold)}"
    return f"bomb: {value}\n"


def test_a_bomb_of_anchors_is_refused(tmp_path: Path) -> None:
    source = write(tmp_path, "bomb.yml", bomb("[x]", "[TENFOLD]", levels=12))
    assert read_guarded(source) == (
        0,
        f"{source} cannot be read.|It holds more than 100000 values once its anchors are expanded.",
    )


def test_a_bomb_of_merge_keys_neither_hangs_nor_fills_the_memory(tmp_path: Path) -> None:
    source = write(tmp_path, "bomb.yml", bomb("{k: x}", "{<<: [TENFOLD]}", levels=12))
    status, said = read_guarded(source)
    # Merged, all of it is one key: reading it is as right as refusing it.
    assert status == 0
    assert said in {
        "",
        f"{source} cannot be read.|It holds more than 100000 values once its anchors are expanded.",
    }


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("a: &a [*a]\n", id="list in itself"),
        pytest.param("a: &a {b: *a}\n", id="mapping in itself"),
        pytest.param("&a\nname: orders\ntags: *a\n", id="document in itself"),
    ],
)
def test_a_value_within_itself_is_refused(tmp_path: Path, text: str) -> None:
    source = write(tmp_path, "a.yml", text)
    assert told(refusal(source)) == (
        f"{source} cannot be read.",
        "It is nested too deeply.",
        "Flatten the document.",
        (),
    )


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("a: " + "[" * 10_000 + "]" * 10_000, id="10,000 lists"),
        pytest.param("a:\n  " + "- " * 10_000 + "x", id="10,000 items"),
        pytest.param("a: " + "[" * 100_000 + "]" * 100_000, id="100,000 lists"),
    ],
)
def test_deep_nesting_is_refused(tmp_path: Path, text: str) -> None:
    source = write(tmp_path, "deep.yml", text)
    assert read_guarded(source) == (0, f"{source} cannot be read.|It is nested too deeply.")


@pytest.mark.parametrize("depth", [400, 500, 600, 900, 1100])
@pytest.mark.parametrize(("begin", "end"), [("[", "]"), ("{a: ", "}")], ids=["lists", "mappings"])
def test_no_depth_of_nesting_passes_the_reader_and_breaks_what_follows(
    tmp_path: Path, depth: int, begin: str, end: str
) -> None:
    source = write(tmp_path, "a.yml", f"name: orders\ntags: {{a: {begin * depth}1{end * depth}}}\n")
    with suppress(SpecError):
        assert load_files([source]).endpoint_name == "orders"


def test_a_wide_document_is_not_a_deep_one(tmp_path: Path) -> None:
    source = write(tmp_path, "a.yml", "name: orders\ntags:\n" + "  - [{a: [1]}]\n" * 500)
    assert read_document(source).data == {"name": "orders", "tags": [[{"a": [1]}]] * 500}


@pytest.mark.parametrize(("begin", "end"), [("[", "]"), ("{a: ", "}")], ids=["lists", "mappings"])
def test_a_document_may_be_nested_as_deeply_as_people_nest(
    tmp_path: Path, begin: str, end: str
) -> None:
    source = write(tmp_path, "a.yml", f"name: orders\ntags: {begin * 50}1{end * 50}\n")
    assert read_document(source).positions[()] == Position(1, 1)


def test_text_is_parsed_in_the_name_of_a_source_that_need_not_exist() -> None:
    source = Path("/nowhere/a.yml")
    assert parse_document("name: orders", source) == Document(
        source, {"name": "orders"}, {(): Position(1, 1), ("name",): Position(1, 7)}
    )
