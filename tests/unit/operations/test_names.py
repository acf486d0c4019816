"""Names and labels in the engine."""

from __future__ import annotations

import pytest

from localep.errors import UsageError
from localep.operations.names import Names, names_of_user, network_alias


def all_names(names: Names, endpoint: str) -> list[str]:
    return [
        names.network,
        names.internal_network,
        names.gateway(endpoint),
        names.deployment(endpoint, "blue", "0a1b2c3d"),
        names.model_volume(endpoint, "0a1b2c3d"),
    ]


def test_names_in_the_default_namespace() -> None:
    assert all_names(Names(), "hello") == [
        "localep",
        "localep_internal",
        "localep-hello-gateway",
        "localep-hello-blue-0a1b2c3d",
        "localep-hello-model-0a1b2c3d",
    ]


def test_no_name_is_used_in_two_namespaces() -> None:
    # An endpoint of the default namespace may be called like a namespace and an endpoint in it.
    default = all_names(Names(), "team-hello")

    assert set(default) & set(all_names(Names("team"), "hello")) == set()


def test_labels_carry_the_namespace_and_what_else_is_told() -> None:
    assert Names("team").labels() == {"localep.namespace": "team"}
    assert Names().labels(endpoint="hello", role="gateway") == {
        "localep.namespace": "default",
        "localep.endpoint": "hello",
        "localep.role": "gateway",
    }


@pytest.mark.parametrize("namespace", ["team", "a", "7", "ci-4711", "x" * 32])
def test_the_environment_chooses_the_namespace(
    monkeypatch: pytest.MonkeyPatch, namespace: str
) -> None:
    monkeypatch.setenv("LOCALEP_NAMESPACE", namespace)

    assert names_of_user() == Names(namespace)


def test_without_a_choice_the_namespace_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LOCALEP_NAMESPACE", raising=False)
    assert names_of_user() == Names("default")

    monkeypatch.setenv("LOCALEP_NAMESPACE", "")
    assert names_of_user() == Names("default")


@pytest.mark.parametrize(
    "namespace", ["Team", "-a", "a-", "a_b", "a.b", "a b", "x" * 33, "é", "a\n"]
)
def test_a_namespace_that_no_container_could_carry_is_refused(
    monkeypatch: pytest.MonkeyPatch, namespace: str
) -> None:
    monkeypatch.setenv("LOCALEP_NAMESPACE", namespace)

    with pytest.raises(UsageError) as caught:
        names_of_user()

    assert caught.value.message == f"LOCALEP_NAMESPACE={namespace} is not a namespace."
    assert caught.value.remedy == "Use small letters, digits and dashes."


def test_an_alias_fits_into_a_label_of_a_host_name() -> None:
    assert network_alias("0a1b2c3d") == "localep-0a1b2c3d"
