from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from unit.spec.spec_files import told

from localep.errors import UsageError
from localep.exit_codes import ExitCode
from localep.spec.documents import Document, Position
from localep.spec.overrides import Override, apply_overrides, kind_of, parse_override


def document(**data: Any) -> Document:
    return Document(Path("/project/a.yml"), data, {(): Position(1, 1)})


def endpoint(**data: Any) -> Document:
    return document(name="orders", auth_mode="key", **data)


def deployment(**data: Any) -> Document:
    return document(name="blue", endpoint_name="orders", **data)


def combined(*deployments: dict[str, Any]) -> Document:
    return document(name="orders", deployments=list(deployments))


def applied(documents: list[Document], *texts: str) -> list[dict[str, Any]]:
    changed = apply_overrides(documents, [parse_override(text) for text in texts])
    return [item.data for item in changed]


def refusal(documents: list[Document], *texts: str) -> UsageError:
    overrides = [parse_override(text) for text in texts]
    with pytest.raises(UsageError) as caught:
        apply_overrides(documents, overrides)
    return caught.value


@pytest.mark.parametrize(
    ("text", "path", "value"),
    [
        ("instance_count=2", ("instance_count",), 2),
        ("environment.image=python:3.11", ("environment", "image"), "python:3.11"),
        ("a.b.c-d_e=x", ("a", "b", "c-d_e"), "x"),
        ("deployments[0].model.path=x", ("deployments", 0, "model", "path"), "x"),
        ("a[10][2]=x", ("a", 10, 2), "x"),
        ("0.1=x", ("0", "1"), "x"),
        ("tags.größe=日本", ("tags", "größe"), "日本"),
    ],
)
def test_a_path_alternates_keys_and_indexes(
    text: str, path: tuple[str | int, ...], value: object
) -> None:
    assert parse_override(text) == Override(text, path, value)


@pytest.mark.parametrize(
    ("spelled", "value"),
    [
        ("debug", "debug"),
        ("", ""),
        ("a=b=c", "a=b=c"),
        ("a b", "a b"),
        ("3", 3),
        ("-1.5", -1.5),
        ("true", True),
        ("True", "True"),
        ("null", None),
        ('"3"', "3"),
        ("[1, {}]", [1, {}]),
        ('{"a": {"b": [null]}}', {"a": {"b": [None]}}),
        ("{a: 1}", "{a: 1}"),
        ("01", "01"),
        ("1.2.3", "1.2.3"),
        ("9" * 5000, "9" * 5000),
        ("NaN", "NaN"),
        ("Infinity", "Infinity"),
        ("-Infinity", "-Infinity"),
    ],
    ids=lambda value: f"{value!r}"[:30],
)
def test_a_value_is_json_where_it_is_valid_json_and_else_a_string(
    spelled: str, value: object
) -> None:
    override = parse_override(f"key={spelled}")
    assert (override, type(override.value)) == (
        Override(f"key={spelled}", ("key",), value),
        type(value),
    )


@pytest.mark.parametrize("opening", ["[", '{"a":'], ids=["lists", "mappings"])
def test_a_value_nested_beyond_all_bounds_and_never_closed_is_a_string(opening: str) -> None:
    assert parse_override(f"key={opening * 100_000}").value == opening * 100_000


@pytest.mark.parametrize(
    "text",
    [
        "",
        "=",
        "=x",
        "key",
        "a.b",
        ".a=x",
        "a.=x",
        "a..b=x",
        "[0]=x",
        "[0].a=x",
        "a[=x",
        "a]=x",
        "a[]=x",
        "a[b]=x",
        "a[-1]=x",
        "a[1.5]=x",
        "a[0]b=x",
        "a.[0]=x",
    ],
)
def test_a_malformed_pair_is_refused(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_override(text)
    assert told(caught.value) == (
        f"--set {text} is not a change.",
        "It does not have the form path=value.",
        "Write for example --set environment_variables.LEVEL=debug.",
        (),
    )
    assert caught.value.exit_code is ExitCode.USAGE


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        ({"deployments": []}, "combined"),
        ({"deployments": None, "endpoint_name": "orders"}, "combined"),
        ({"name": "blue", "endpoint_name": "orders"}, "deployment"),
        ({"model": "azureml:x:1"}, "deployment"),
        ({"instance_count": 1, "traffic": {}}, "deployment"),
        ({"name": "blue", "sku": "F2"}, "deployment"),
        ({"name": "blue", "resource_requirements": {"cpu": 1}}, "deployment"),
        ({"deployments": {"blue": {}}}, "combined"),
        ({"name": "orders", "infrastructure": "managed"}, "endpoint"),
        ({"name": "orders"}, "endpoint"),
        ({"name": "orders", "type": "online"}, "endpoint"),
        ({"name": "orders", "auth_mode": "key"}, "endpoint"),
        ({}, "endpoint"),
    ],
)
def test_the_kind_of_a_document_is_told_by_its_keys(data: dict[str, Any], kind: str) -> None:
    assert kind_of(document(**data)) == kind


@pytest.mark.parametrize(
    "key",
    [
        "app_insights_enabled",
        "code_configuration",
        "data_collector",
        "egress_public_network_access",
        "endpoint_name",
        "environment",
        "environment_variables",
        "instance_count",
        "instance_type",
        "liveness_probe",
        "model",
        "model_mount_path",
        "private_network_connection",
        "readiness_probe",
        "request_settings",
        "resources",
        "scale_settings",
    ],
)
def test_a_key_that_only_deployments_have_makes_a_deployment_and_is_set_there(key: str) -> None:
    assert kind_of(document(name="orders", **{key: None})) == "deployment"
    assert applied([endpoint(), deployment()], f"{key}=x") == [
        endpoint().data,
        deployment().data | {key: "x"},
    ]


@pytest.mark.parametrize(
    "key",
    ["auth_mode", "compute", "identity", "mirror_traffic", "public_network_access", "traffic"],
)
def test_a_key_that_only_endpoints_have_is_set_there(key: str) -> None:
    assert kind_of(document(name="orders", **{key: None})) == "endpoint"
    assert applied([endpoint(), deployment()], f"{key}=x") == [
        endpoint().data | {key: "x"},
        deployment().data,
    ]


def test_the_type_that_is_set_is_that_of_the_deployment() -> None:
    assert applied([endpoint(), deployment()], "type=kubernetes") == [
        endpoint().data,
        deployment(type="kubernetes").data,
    ]


@pytest.mark.parametrize(
    ("before", "texts", "after"),
    [
        pytest.param({"a": 1}, ["a=2"], {"a": 2}, id="replaced"),
        pytest.param({}, ["a=2"], {"a": 2}, id="added"),
        pytest.param({"a": {"b": 1, "c": 2}}, ["a.b=3"], {"a": {"b": 3, "c": 2}}, id="nested"),
        pytest.param({}, ["a.b.c=3"], {"a": {"b": {"c": 3}}}, id="mappings made on the way"),
        pytest.param({"a": None}, ["a.b=3"], {"a": {"b": 3}}, id="null becomes a mapping"),
        pytest.param({"a": {"b": 1}}, ["a=x"], {"a": "x"}, id="mapping replaced"),
        pytest.param({"a": [1, 2, 3]}, ["a[1]=x"], {"a": [1, "x", 3]}, id="item replaced"),
        pytest.param({"a": [1]}, ["a[1]=x"], {"a": [1, "x"]}, id="item appended"),
        pytest.param({}, ["a[0]=x"], {"a": ["x"]}, id="list made on the way"),
        pytest.param(
            {"a": [{"b": 1}, {"b": 2}]}, ["a[1].b=x"], {"a": [{"b": 1}, {"b": "x"}]}, id="in item"
        ),
        pytest.param({"a": [[1], [2]]}, ["a[1][0]=x"], {"a": [[1], ["x"]]}, id="list in list"),
        pytest.param({"a": 1}, ["a=null"], {"a": None}, id="null"),
        pytest.param({"a": {"0": 1}}, ["a.0=2"], {"a": {"0": 2}}, id="key of digits"),
        pytest.param({}, ["a=1", "b.c=2", "a=3"], {"a": 3, "b": {"c": 2}}, id="several, in order"),
        pytest.param({}, ['a={"b": 1}', "a.c=2"], {"a": {"b": 1, "c": 2}}, id="into a new value"),
    ],
)
def test_an_override_changes_one_place(
    before: dict[str, Any], texts: list[str], after: dict[str, Any]
) -> None:
    assert applied([document(**before)], *texts) == [after]


@pytest.mark.parametrize(
    ("text", "step"),
    [
        pytest.param("name.first=x", "first", id="key of a string"),
        pytest.param("name.first.second=x", "first", id="way through a string"),
        pytest.param("name[0]=x", "0", id="item of a string"),
        pytest.param("tags[0]=x", "0", id="item of a mapping"),
        pytest.param("tags[0].a=x", "0", id="way through an item of a mapping"),
        pytest.param("list.a=x", "a", id="key of a list"),
        pytest.param("list.a.b=x", "a", id="way through a key of a list"),
        pytest.param("list[3]=x", "3", id="item beyond the end"),
        pytest.param("list[2].a=x", "2", id="way through an item beyond the end"),
        pytest.param("list[0].a=x", "a", id="key of a number"),
        pytest.param("list[99999999999999999999]=x", "9" * 20, id="item far beyond the end"),
    ],
)
def test_a_place_that_does_not_exist_is_refused(text: str, step: str) -> None:
    error = refusal([document(name="blue", tags={"a": 1}, list=[1, 2])], text)
    assert told(error) == (
        f"--set {text} does not fit the document.",
        f"There is nothing at `{step}` that could be changed.",
        "Compare the path with the YAML; list indexes start at 0.",
        (),
    )


def test_a_string_reference_has_no_keys_to_set() -> None:
    error = refusal([deployment(environment="azureml:trees:1")], "environment.image=python")
    assert told(error) == (
        "--set environment.image=python does not fit the document.",
        "There is nothing at `image` that could be changed.",
        "Compare the path with the YAML; list indexes start at 0.",
        (),
    )


@pytest.mark.parametrize("turned", [False, True], ids=["endpoint first", "deployment first"])
@pytest.mark.parametrize(
    ("text", "kind", "change"),
    [
        ("traffic.blue=10", "endpoint", {"traffic": {"blue": 10}}),
        ("environment.image=x", "deployment", {"environment": {"image": "x"}}),
        ("endpoint_name=other", "deployment", {"endpoint_name": "other"}),
        ("endpoint.name=other", "endpoint", {"name": "other"}),
        ("endpoint.tags.a=1", "endpoint", {"tags": {"a": 1}}),
        ("endpoint.auth_mode=aml_token", "endpoint", {"auth_mode": "aml_token"}),
        ("deployment.name=green", "deployment", {"name": "green"}),
        ("deployment.tags.a=1", "deployment", {"tags": {"a": 1}}),
    ],
)
def test_of_two_documents_the_one_that_knows_the_key_is_changed(
    text: str, kind: str, change: dict[str, Any], turned: bool
) -> None:
    documents = [endpoint(), deployment()]
    if turned:
        documents.reverse()
    assert applied(documents, text) == [
        item.data | change if kind_of(item) == kind else item.data for item in documents
    ]


@pytest.mark.parametrize(
    ("document", "text", "after"),
    [
        pytest.param(
            deployment(),
            "deployment.tags.a=1",
            {"name": "blue", "endpoint_name": "orders", "tags": {"a": 1}},
            id="deployment",
        ),
        pytest.param(
            endpoint(),
            "endpoint.name=other",
            {"name": "other", "auth_mode": "key"},
            id="endpoint",
        ),
    ],
)
def test_a_prefix_may_stand_before_the_path_into_a_single_document(
    document: Document, text: str, after: dict[str, Any]
) -> None:
    assert applied([document], text) == [after]


def test_the_deployments_of_a_combined_document_are_named_by_index() -> None:
    document = combined({"name": "blue"}, {"name": "green"})
    assert applied([document], "deployments[1].instance_type=F2", "auth_mode=aml_token") == [
        {
            "name": "orders",
            "deployments": [{"name": "blue"}, {"name": "green", "instance_type": "F2"}],
            "auth_mode": "aml_token",
        }
    ]


@pytest.mark.parametrize("text", ["name=x", "tags.a=1", "description=x", "zzz=1", "endpoint=x"])
def test_a_key_that_both_documents_know_or_neither_is_refused(text: str) -> None:
    first = text.partition("=")[0].partition(".")[0]
    assert told(refusal([endpoint(), deployment()], text)) == (
        f"--set {text} fits no single document.",
        f"`{first}` is a key of endpoints and of deployments, or of neither.",
        f"Write --set endpoint.{text} or --set deployment.{text}.",
        (),
    )


@pytest.mark.parametrize("text", ["instance_count=2", "deployment.instance_count=2"])
def test_with_two_deployments_a_key_of_deployments_is_refused(text: str) -> None:
    error = refusal([endpoint(), deployment(), deployment()], text)
    assert error.message == f"--set {text} fits no single document."


def test_the_documents_given_are_left_unchanged() -> None:
    original = deployment(environment={"image": "a"}, tags={"list": [1, {"b": 2}]})
    changed = apply_overrides(
        [original],
        [
            parse_override(text)
            for text in ("environment.image=x", "tags.list[1].b=x", "tags.list[0]=x", "new=x")
        ],
    )
    assert original == deployment(environment={"image": "a"}, tags={"list": [1, {"b": 2}]})
    assert original.given == {}
    assert [item.data for item in changed] == [
        deployment(environment={"image": "x"}, tags={"list": ["x", {"b": "x"}]}, new="x").data
    ]


def test_a_value_has_the_place_that_it_came_from() -> None:
    overrides = [parse_override(text) for text in ("a.b=1", "c.d.e=secret", "deployment.f=2")]
    (changed,) = apply_overrides([deployment(a={"x": 1})], overrides)

    places = {path: changed.locate(path) for path in [("a",), ("a", "b"), ("c",), ("f", "g")]}
    assert places == {
        ("a",): "/project/a.yml:1:1",
        ("a", "b"): "/project/a.yml (--set a.b)",
        ("c",): "/project/a.yml (--set c.d.e)",
        ("f", "g"): "/project/a.yml (--set deployment.f)",
    }
    assert [changed.place(path).position for path in places] == [Position(1, 1), None, None, None]


def test_without_overrides_the_documents_are_equal_and_their_data_copied() -> None:
    original = endpoint(tags={"a": 1})
    (copied,) = apply_overrides([original], [])
    assert copied == original
    assert copied.data["tags"] is not original.data["tags"]
