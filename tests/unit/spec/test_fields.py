from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from localep.spec.documents import parse_document
from localep.spec.fields import Fields
from localep.spec.findings import Findings, Topic
from localep.spec.generations import Generation

if TYPE_CHECKING:
    from collections.abc import Callable

SOURCE = Path("/project/a.yml")


def fields_of(text: str) -> Fields:
    return Fields(parse_document(text, SOURCE), Findings())


def found(fields: Fields) -> list[str]:
    return [str(item).removeprefix(f"{SOURCE}:") for item in fields.findings.items]


WORDS = ("key", "aml_token", "system_assigned")
GETTERS: dict[str, Callable[[Fields], Any]] = {
    "text": lambda fields: fields.text("key"),
    "version": lambda fields: fields.version("key"),
    "integer": lambda fields: fields.integer("key"),
    "number": lambda fields: fields.number("key"),
    "boolean": lambda fields: fields.boolean("key"),
    "choice": lambda fields: fields.choice("key", WORDS),
    "camel choice": lambda fields: fields.choice("key", WORDS, is_camel=True),
    "list_of_texts": lambda fields: fields.list_of_texts("key"),
    "free_mapping": lambda fields: fields.free_mapping("key"),
    "section": lambda fields: fields.section("key"),
    "sections": lambda fields: fields.sections("key"),
    "text_or_section": lambda fields: fields.text_or_section("key"),
}
ABSENT: dict[str, Any] = {"free_mapping": {}, "sections": []}


@pytest.mark.parametrize("getter", GETTERS)
def test_an_absent_key_gives_nothing_and_no_finding(getter: str) -> None:
    fields = fields_of("other: 1")
    assert (GETTERS[getter](fields), found(fields)) == (ABSENT.get(getter), [])


@pytest.mark.parametrize("getter", GETTERS)
@pytest.mark.parametrize(
    ("text", "column"), [("key:", 5), ("key: null", 6), ("key: ~", 6)], ids=["empty", "null", "~"]
)
def test_null_is_refused(getter: str, text: str, column: int) -> None:
    fields = fields_of(text)
    assert (GETTERS[getter](fields), found(fields)) == (
        ABSENT.get(getter),
        [f"1:{column}: key: may not be null. Give it a value or remove the key."],
    )


@pytest.mark.parametrize(
    ("getter", "spelled", "value"),
    [
        ("text", "abc", "abc"),
        ("text", "''", ""),
        ("text", "'1'", "1"),
        ("text", "größe 日本", "größe 日本"),
        ("version", "3", "3"),
        ("version", "'3'", "3"),
        ("version", "1.0.0", "1.0.0"),
        ("version", "1.5", "1.5"),
        ("version", "true", "True"),
        ("integer", "3", 3),
        ("integer", "'3'", 3),
        ("integer", "1.9", 1),
        ("integer", "-2", -2),
        ("integer", "0x10", 16),
        ("boolean", "true", True),
        ("boolean", "no", False),
        ("boolean", "'true'", True),
        ("boolean", "'False'", False),
        ("boolean", "'YES'", True),
        ("boolean", "1.0", True),
        ("boolean", "0.0", False),
        ("boolean", "'off'", False),
        ("boolean", "1", True),
        ("boolean", "0", False),
        ("choice", "key", "key"),
        ("choice", "KEY", "key"),
        ("choice", "Key", "key"),
        ("choice", "aml_token", "aml_token"),
        ("choice", "Aml_Token", "aml_token"),
        ("camel choice", "key", "key"),
        ("camel choice", "AML_TOKEN", "aml_token"),
        ("camel choice", "AMLToken", "aml_token"),
        ("camel choice", "AmlToken", "aml_token"),
        ("camel choice", "amlToken", "aml_token"),
        ("camel choice", "SystemAssigned", "system_assigned"),
        ("number", "0.5", 0.5),
        ("number", "1", 1.0),
        ("number", "'1e3'", 1000.0),
        ("number", "-0.5", -0.5),
        ("list_of_texts", "[a, '1']", None),
        ("list_of_texts", "[]", None),
        ("free_mapping", "{a: 1, b: [2]}", {"a": 1, "b": [2]}),
        ("free_mapping", "{}", {}),
        ("sections", "[]", []),
        ("text_or_section", "azureml:x:1", "azureml:x:1"),
    ],
)
def test_a_getter_reads_what_fits(getter: str, spelled: str, value: object) -> None:
    fields = fields_of(f"key: {spelled}")
    got = GETTERS[getter](fields)
    assert (got, type(got)) == (value, type(value))


@pytest.mark.parametrize("word", ["true", "t", "yes", "y", "on", "1"])
def test_every_usual_word_for_true_is_true(word: str) -> None:
    fields = fields_of(f"key: '{word}'")
    assert (fields.boolean("key"), found(fields)) == (True, [])


@pytest.mark.parametrize("word", ["false", "f", "no", "n", "off", "0"])
def test_every_usual_word_for_false_is_false(word: str) -> None:
    fields = fields_of(f"key: '{word}'")
    assert (fields.boolean("key"), found(fields)) == (False, [])


@pytest.mark.parametrize(
    ("getter", "spelled", "message"),
    [
        ("text", "1", "should be a string, not 1."),
        ("text", "1.5", "should be a string, not 1.5."),
        ("text", "true", "should be a string, not True."),
        ("text", "[a]", "should be a string, not a list."),
        ("text", "{a: 1}", "should be a string, not a mapping."),
        ("version", "[1]", "should be a version, not a list."),
        ("integer", "abc", "should be a whole number, not 'abc'."),
        ("integer", "''", "should be a whole number, not ''."),
        ("integer", "'1.5'", "should be a whole number, not '1.5'."),
        ("integer", "true", "should be a whole number, not True."),
        ("integer", ".inf", "should be a whole number, not inf."),
        ("integer", ".nan", "should be a whole number, not nan."),
        ("integer", "[1]", "should be a whole number, not a list."),
        ("integer", "{a: 1}", "should be a whole number, not a mapping."),
        ("boolean", "maybe", "should be true or false, not 'maybe'."),
        ("boolean", "2", "should be true or false, not 2."),
        ("boolean", "[true]", "should be true or false, not a list."),
        ("boolean", "{a: true}", "should be true or false, not a mapping."),
        ("choice", "none", "'none' is not one of aml_token, key, system_assigned."),
        (
            "choice",
            "SystemAssigned",
            "'SystemAssigned' is not one of aml_token, key, system_assigned.",
        ),
        ("choice", "1", "should be a string, not 1."),
        ("choice", "[key]", "should be a string, not a list."),
        ("choice", "true", "should be a string, not True. Put it in quotes: 'true'."),
        ("choice", "false", "should be a string, not False. Put it in quotes: 'false'."),
        ("camel choice", "Aml_Token", "'Aml_Token' is not one of aml_token, key, system_assigned."),
        ("camel choice", "''", "'' is not one of aml_token, key, system_assigned."),
        ("number", "abc", "should be a number, not 'abc'."),
        ("number", "true", "should be a number, not True."),
        ("number", "[1]", "should be a number, not a list."),
        ("number", ".nan", "should be a number, not nan."),
        ("number", "'inf'", "should be a number, not 'inf'."),
        ("boolean", "tRue", "should be true or false, not 'tRue'."),
        ("list_of_texts", "abc", "should be a list, not 'abc'."),
        ("list_of_texts", "{a: b}", "should be a list, not a mapping."),
        ("free_mapping", "[a]", "should be a mapping, not a list."),
        ("free_mapping", "abc", "should be a mapping, not 'abc'."),
        ("section", "[a]", "should be a mapping, not a list."),
        ("section", "abc", "should be a mapping, not 'abc'."),
        ("sections", "{a: 1}", "should be a list, not a mapping."),
        ("sections", "abc", "should be a list, not 'abc'."),
        ("text_or_section", "[a]", "should be a string, not a list."),
        ("text_or_section", "5", "should be a string, not 5."),
    ],
)
def test_a_getter_refuses_what_does_not_fit(getter: str, spelled: str, message: str) -> None:
    fields = fields_of(f"key: {spelled}")
    assert (GETTERS[getter](fields), found(fields)) == (
        ABSENT.get(getter),
        [f"1:6: key: {message}"],
    )


def test_the_items_of_a_list_of_texts_are_refused_each() -> None:
    fields = fields_of("key: [a, 1, null, [b]]")
    fields.list_of_texts("key")
    assert found(fields) == [
        "1:10: key.1: should be a string.",
        "1:13: key.2: should be a string.",
        "1:19: key.3: should be a string.",
    ]


@pytest.mark.parametrize("word", ["1", "1.5", "true", "on", "No", "~", "2024-01-31"])
def test_a_key_that_is_no_string_to_yaml_is_refused_where_names_are_wanted(word: str) -> None:
    message = f"1:{{}}: key.{word}: {word} is no string to YAML. Put it in quotes: '{word}'."
    fields = fields_of(f"key: {{{word}: x, a: y}}")
    assert fields.free_mapping("key") == {word: "x", "a": "y"}
    assert found(fields) == []
    assert fields.free_mapping("key", has_text_keys=True) == {word: "x", "a": "y"}
    section = fields.section("key")
    assert section is not None
    section.refuse_odd_keys()
    assert found(fields) == [message.format(9 + len(word))] * 2


def test_a_quoted_key_is_a_string() -> None:
    fields = fields_of("key: {'1': x, \"on\": y}")
    assert fields.free_mapping("key", has_text_keys=True) == {"1": "x", "on": "y"}
    assert found(fields) == []


def test_what_no_run_can_do_without_is_missing_from_this_machine() -> None:
    fields = fields_of("tags:\n  a: 1\n  name: b\n")
    section = fields.section("tags")
    assert section is not None
    assert (section.needed_text("name"), section.needed_text("path")) == ("b", None)
    assert section.needed_text("a") is None
    assert found(fields) == [
        "2:3: tags: `path` is missing.",
        "2:6: tags.a: should be a string, not 1.",
    ]
    assert [(item.topic, item.code) for item in fields.findings.items] == [
        (Topic.MACHINE, "missing-key"),
        (Topic.DOCUMENT, "type"),
    ]


def test_the_shape_of_a_section_has_a_code_of_its_own() -> None:
    fields = fields_of("a: {b: {c: 1, d: x, e: [1], z: 1}}\nf: 1\n")
    a = fields.section("a", shape="own-shape")
    assert a is not None
    b = a.section("b", required=True)
    assert b is not None
    b.text("c")
    b.choice("d", ("y",))
    b.list_of_texts("e")
    b.text("gone", required=True)
    b.finish()
    fields.section("f", shape="own-shape")
    fields.text("f")
    fields.text("f", required=True)
    assert [item.code for item in fields.findings.items] == [
        "own-shape",
        "own-shape",
        "own-shape",
        "own-shape",
        "unknown-key",
        "own-shape",
        "type",
        "type",
    ]


def test_what_is_dropped_may_be_anything_but_null() -> None:
    fields = fields_of("a: [1]\nb:\n$schema: 5\n")
    fields.drop("a", "b", "c", "$schema")
    fields.finish()
    assert found(fields) == ["2:3: b: may not be null. Give it a value or remove the key."]


def test_a_key_that_belongs_elsewhere_is_refused_with_more_to_say() -> None:
    fields = fields_of("a: 1\n")
    fields.refuse("a", "Write it there.")
    fields.refuse("b", "Write it there.")
    fields.finish()
    assert found(fields) == ["1:4: a: is not a known key here. Write it there."]


def test_a_default_stands_for_an_absent_key_alone() -> None:
    fields = fields_of("outer: {name: a}\nother: {count: x}\n")
    outer, other = fields.section("outer"), fields.section("other")
    assert outer is not None
    assert other is not None
    assert outer.with_default("name", "b").text("name") == "a"
    filled = other.with_default("name", "b")
    assert (filled.text("name"), filled.integer("count"), filled.path) == ("b", None, ("other",))
    assert found(fields) == ["2:16: other.count: should be a whole number, not 'x'."]


@pytest.mark.parametrize(
    ("generation", "text", "remedy"),
    [
        (Generation.TODAY, "target: a", "write `compute`"),
        (Generation.TODAY, "sku: a", "write `instance_type`"),
        (Generation.MAY_2021, "compute: a", "write `target`"),
        (Generation.MAY_2021, "instance_count: 1", "write `scale_settings.instance_count`"),
        (Generation.APRIL_2021, "compute: a", "write `infrastructure`"),
    ],
)
def test_a_key_of_another_generation_gets_its_spelling_here(
    generation: Generation, text: str, remedy: str
) -> None:
    document = parse_document(text, SOURCE)
    fields = Fields(document, Findings(), generation=generation)
    fields.text("instance_type")
    fields.finish()
    (message,) = found(fields)
    assert message.endswith(
        f"is not a known key here. It is of another generation of the documents; {remedy}."
    )


def test_a_mapping_in_a_file_of_its_own_knows_where_it_belongs() -> None:
    document = parse_document("docker: {image: x}\nimage: y\n", SOURCE)
    may = Fields(document, Findings(), generation=Generation.MAY_2021, base=("environment",))
    may.section("docker")
    may.finish()
    assert found(may) == [
        "2:8: image: is not a known key here. It is of another generation of the documents; "
        "write `environment.docker.image`."
    ]


def test_a_required_key_that_is_absent_is_missing_from_its_mapping() -> None:
    fields = fields_of("tags:\n  a: 1\n")
    section = fields.section("tags")
    assert section is not None
    assert section.text("path", required=True) is None
    assert fields.text("name", required=True) is None
    assert found(fields) == ["2:3: tags: `path` is missing.", "1:1: `name` is missing."]


def test_a_section_knows_its_place() -> None:
    fields = fields_of("outer:\n  inner:\n    count: x\n")
    outer = fields.section("outer")
    assert outer is not None
    inner = outer.section("inner")
    assert inner is not None
    assert (inner.path, inner.data, "count" in inner, "other" in inner) == (
        ("outer", "inner"),
        {"count": "x"},
        True,
        False,
    )
    assert inner.integer("count") is None
    assert found(fields) == ["3:12: outer.inner.count: should be a whole number, not 'x'."]


def test_text_or_section_gives_a_mapping_as_a_section() -> None:
    value = fields_of("model:\n  path: x\n").text_or_section("model")
    assert isinstance(value, Fields)
    assert (value.path, value.text("path")) == (("model",), "x")


def test_the_items_of_a_list_are_sections_and_others_are_refused_each() -> None:
    fields = fields_of("list:\n  - {a: 1}\n  - word\n  - {a: 2}\n  - null\n")
    nested = fields.sections("list")
    assert [(item.path, item.data) for item in nested] == [
        (("list", 0), {"a": 1}),
        (("list", 2), {"a": 2}),
    ]
    assert found(fields) == [
        "3:5: list.1: should be a mapping.",
        "5:5: list.3: should be a mapping.",
    ]
    assert [item.code for item in fields.findings.items] == ["type", "type"]


def test_finish_refuses_what_no_getter_asked_for_and_names_the_nearest_known_key() -> None:
    fields = fields_of("name: a\ndescriptoin: b\nzzz: c\nlocation: [e]\n$schema: d\n")
    fields.text("name")
    fields.text("description")
    fields.ignore("location")
    fields.finish()
    assert found(fields) == [
        "2:14: descriptoin: is not a known key here. Did you mean `description`?",
        "3:6: zzz: is not a known key here.",
        "5:10: $schema: is not a known key here.",
    ]


def test_a_refused_value_does_not_make_its_key_unknown() -> None:
    fields = fields_of("count: x\n")
    fields.integer("count")
    fields.finish()
    assert found(fields) == ["1:8: count: should be a whole number, not 'x'."]


def test_an_own_error_stands_at_its_key() -> None:
    fields = fields_of("outer: {inner: {key: x}}\n")
    outer = fields.section("outer")
    assert outer is not None
    inner = outer.section("inner")
    assert inner is not None
    inner.error("key", "some-rule", "breaks a rule.", "Mend it.")
    assert [(item.code, str(item)) for item in fields.findings.items] == [
        ("some-rule", f"{SOURCE}:1:22: outer.inner.key: breaks a rule. Mend it.")
    ]
