from __future__ import annotations

import pytest

from localep.environment.dockerfile import base_context, build_context, without_mounts
from localep.environment.plan import BaseImage, EnvironmentPlan, complete_environment
from localep.resources import read_resource

OWN = BaseImage("localep/base:1a2b", "sha256:aaa", "3.11")
FOREIGN = BaseImage("example.com/inference:5", "sha256:bbb", "3.10", tools="localep/base:1a2b")

ON_OWN_BASE = r"""# The environment of an online deployment, rendered by localep.
FROM localep/base:1a2b

RUN uv venv --quiet --no-python-downloads --python 3.11 \
        /opt/localep/env
COPY finish_environment.py requirements.txt /opt/localep/
RUN --mount=type=cache,id=localep-uv,target=/root/.cache/uv \
    --mount=type=secret,id=localep-ca \
    --mount=type=secret,id=localep-settings \
    localep-build uv pip install --python /opt/localep/env \
        --requirements /opt/localep/requirements.txt \
 && /opt/localep/env/bin/python /opt/localep/finish_environment.py >/opt/localep/packages.json

ENV PATH=/opt/localep/env/bin:$PATH
WORKDIR /var/azureml-app
EXPOSE 5001
LABEL localep.role=environment
"""
ON_FOREIGN_BASE = r"""# The environment of an online deployment, rendered by localep.
FROM example.com/inference:5

USER root
ENTRYPOINT []
COPY --from=localep/base:1a2b /usr/local/bin/uv /usr/local/bin/localep-build /usr/local/bin/
RUN uv venv --quiet --no-python-downloads --python 3.10 \
        /opt/localep/env
COPY finish_environment.py requirements.txt /opt/localep/
RUN --mount=type=cache,id=localep-uv,target=/root/.cache/uv \
    --mount=type=secret,id=localep-ca \
    --mount=type=secret,id=localep-settings \
    localep-build uv pip install --python /opt/localep/env \
        --requirements /opt/localep/requirements.txt \
 && /opt/localep/env/bin/python /opt/localep/finish_environment.py >/opt/localep/packages.json

ENV PATH=/opt/localep/env/bin:$PATH
WORKDIR /var/azureml-app
EXPOSE 5001
LABEL localep.role=environment
"""
KEEPING_PACKAGES = ON_FOREIGN_BASE.replace(
    "        /opt/localep/env\n", "        --system-site-packages \\\n        /opt/localep/env\n"
)
INSTALLS_CONDA = r"""COPY conda.json /opt/localep/conda.json
RUN --mount=type=cache,id=localep-conda,target=/root/.cache/rattler \
    --mount=type=secret,id=localep-ca \
    --mount=type=secret,id=localep-settings \
    --mount=type=secret,id=localep-conda \
    localep-build localep-conda /opt/localep/conda.json /opt/localep/env
"""
FROM_CHANNELS = ON_OWN_BASE.replace(
    """RUN uv venv --quiet --no-python-downloads --python 3.11 \\
        /opt/localep/env
""",
    INSTALLS_CONDA,
)
STAGE = f"FROM localep/base:1a2b AS conda\n\n{INSTALLS_CONDA}\nFROM"
FROM_CHANNELS_ON_FOREIGN_BASE = ON_FOREIGN_BASE.replace("FROM", STAGE, 1).replace(
    """RUN uv venv --quiet --no-python-downloads --python 3.10 \\
        /opt/localep/env
""",
    "COPY --from=conda /opt/localep/env /opt/localep/env\n",
)
LOCKED = ON_OWN_BASE.replace(
    "        --requirements /opt/localep/requirements.txt \\\n",
    """        --no-deps \\
        --requirements /opt/localep/requirements.txt \\
 && localep-build uv pip install --python /opt/localep/env \\
        azureml-inference-server-http \\
""",
)
COMPLETE = """# The environment of an online deployment, rendered by localep.
FROM example.com/full:1
"""
WITHOUT_MOUNTS = r"""# The environment of an online deployment, rendered by localep.
FROM localep/base:1a2b
COPY secrets/ /run/secrets/

RUN uv venv --quiet --no-python-downloads --python 3.11 \
        /opt/localep/env
COPY finish_environment.py requirements.txt /opt/localep/
RUN localep-build uv pip install --python /opt/localep/env \
        --requirements /opt/localep/requirements.txt \
 && /opt/localep/env/bin/python /opt/localep/finish_environment.py >/opt/localep/packages.json

ENV PATH=/opt/localep/env/bin:$PATH
WORKDIR /var/azureml-app
EXPOSE 5001
LABEL localep.role=environment
"""


def rendered(plan: EnvironmentPlan) -> str:
    return build_context(plan)["Dockerfile"]


def growth(plan: EnvironmentPlan) -> str:
    """What an image says of itself to those that may grow from it."""
    lines = " ".join(plan.lines)
    return f'LABEL localep.root={plan.root} localep.lines="{lines}" localep.growth=0\n'


def instructions(dockerfile: str) -> list[str]:
    # Reads a Dockerfile as the classic builder does: a backslash at a line's end goes on with
    # the next line, and comments are no lines at all.
    lines = [line for line in dockerfile.splitlines() if not line.lstrip().startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ")
    return [" ".join(line.split()) for line in joined.splitlines() if line.strip()]


def test_on_localep_s_own_base_the_image_is_an_environment_alone() -> None:
    plan = EnvironmentPlan(OWN, ("numpy", "azureml-inference-server-http"))

    assert build_context(plan) == {
        "Dockerfile": ON_OWN_BASE + growth(plan),
        "finish_environment.py": read_resource("templates/finish_environment.py"),
        "requirements.txt": "numpy\nazureml-inference-server-http\n",
    }


def test_on_another_s_base_the_tools_are_brought_along() -> None:
    plan = EnvironmentPlan(FOREIGN, ("azureml-defaults",))

    assert build_context(plan) == {
        "Dockerfile": ON_FOREIGN_BASE + growth(plan),
        "finish_environment.py": read_resource("templates/finish_environment.py"),
        "requirements.txt": "azureml-defaults\n",
    }


def test_an_environment_can_keep_the_packages_of_its_base() -> None:
    plan = EnvironmentPlan(FOREIGN, ("azureml-inference-server-http",), keeps_packages=True)

    assert rendered(plan) == KEEPING_PACKAGES


def test_conda_packages_are_installed_before_those_of_pip() -> None:
    plan = EnvironmentPlan(OWN, ("flask",), conda='{"specs": []}\n')

    assert build_context(plan) == {
        "Dockerfile": FROM_CHANNELS,
        "finish_environment.py": read_resource("templates/finish_environment.py"),
        "requirements.txt": "flask\n",
        "conda.json": '{"specs": []}\n',
    }


def test_another_s_base_gets_conda_packages_from_a_stage_of_their_own() -> None:
    plan = EnvironmentPlan(FOREIGN, ("flask",), conda="{}")

    assert rendered(plan) == FROM_CHANNELS_ON_FOREIGN_BASE


def test_packages_that_are_sent_stay_in_a_stage_of_their_own() -> None:
    plan = EnvironmentPlan(OWN, ("flask",), conda="{}", sends_packages=True)

    context = build_context(plan)

    assert context["packages/.keep"] == ""
    assert instructions(context["Dockerfile"])[:6] == [
        "FROM localep/base:1a2b AS conda",
        "COPY packages /opt/localep/packages",
        "COPY conda.json /opt/localep/conda.json",
        " ".join(INSTALLS_CONDA.partition("\n")[2].replace("\\\n", " ").split()),
        "FROM localep/base:1a2b",
        "COPY --from=conda /opt/localep/env /opt/localep/env",
    ]


def test_what_is_locked_is_installed_without_anything_else() -> None:
    plan = EnvironmentPlan(
        OWN, ("flask",), is_locked=True, unlocked=("azureml-inference-server-http",)
    )

    assert rendered(plan) == LOCKED


def test_channels_with_credentials_are_not_in_the_context() -> None:
    plan = EnvironmentPlan(
        OWN, (), conda="{}", private_channels=("https://example.com/t/secret/private",)
    )

    assert "secret/private" not in "".join(build_context(plan).values())


def test_a_complete_image_is_taken_as_it_is() -> None:
    plan = complete_environment("example.com/full:1", "sha256:ccc")

    assert build_context(plan) == {"Dockerfile": COMPLETE}


def test_private_options_are_not_in_the_context() -> None:
    private = "--index-url https://user:secret@packages.example.com/simple"
    plan = EnvironmentPlan(OWN, ("numpy",), private_options=(private,))

    assert "secret@" not in "".join(build_context(plan).values())


def test_without_mounts_the_secrets_are_copied_from_the_context() -> None:
    assert without_mounts(ON_OWN_BASE) == WITHOUT_MOUNTS


@pytest.mark.parametrize(
    "dockerfile",
    [
        pytest.param(ON_OWN_BASE, id="own"),
        pytest.param(ON_FOREIGN_BASE, id="foreign"),
        pytest.param(KEEPING_PACKAGES, id="keeping"),
        pytest.param(FROM_CHANNELS, id="channels"),
        pytest.param(FROM_CHANNELS_ON_FOREIGN_BASE, id="channels, foreign"),
        pytest.param(read_resource("Dockerfile.base"), id="base"),
    ],
)
def test_without_mounts_the_instructions_are_the_same_but_for_the_mounts(dockerfile: str) -> None:
    expected: list[str] = []
    for instruction in instructions(dockerfile):
        words = [word for word in instruction.split() if not word.startswith("--mount=")]
        expected.append(" ".join(words))
        if words[0] == "FROM":
            expected.append("COPY secrets/ /run/secrets/")

    plain = without_mounts(dockerfile)

    assert "--mount" in dockerfile
    assert "--mount" not in plain
    assert instructions(plain) == expected


@pytest.mark.parametrize(
    "dockerfile",
    [
        pytest.param(read_resource("Dockerfile.base"), id="base"),
        pytest.param(without_mounts(read_resource("Dockerfile.base")), id="base, plain"),
        pytest.param(rendered(EnvironmentPlan(OWN, ())), id="own"),
        pytest.param(rendered(EnvironmentPlan(FOREIGN, (), keeps_packages=True)), id="foreign"),
        pytest.param(without_mounts(rendered(EnvironmentPlan(FOREIGN, ()))), id="foreign, plain"),
        pytest.param(rendered(EnvironmentPlan(OWN, (), conda="{}")), id="channels"),
        pytest.param(rendered(EnvironmentPlan(FOREIGN, (), conda="{}")), id="channels, foreign"),
        pytest.param(rendered(EnvironmentPlan(OWN, (), unlocked=("a",))), id="lock"),
        pytest.param(rendered(complete_environment("full:1", "sha256:ccc")), id="complete"),
    ],
)
def test_a_dockerfile_needs_no_newer_syntax_and_has_whole_instructions(dockerfile: str) -> None:
    known = {"ARG", "FROM", "USER", "ENTRYPOINT", "COPY", "RUN", "ENV", "WORKDIR", "EXPOSE"}

    assert "<<" not in dockerfile
    assert "#syntax=" not in dockerfile.replace(" ", "").lower()
    assert dockerfile.endswith("\n")
    assert "\\\n\n" not in dockerfile
    assert not dockerfile.endswith("\\\n")
    assert {line.split()[0] for line in instructions(dockerfile)} <= known | {"LABEL"}


def test_the_base_is_built_on_the_debian_image_that_is_there() -> None:
    context = base_context("localep/debian:bookworm")

    programs = ("templates/localep-build.sh", "templates/localep-conda.py")
    assert set(context) == {"Dockerfile", *programs}
    assert [context[name] for name in programs] == [read_resource(name) for name in programs]
    assert instructions(context["Dockerfile"])[:4] == [
        "ARG DEBIAN_IMAGE=localep/debian:bookworm",
        "FROM ${DEBIAN_IMAGE}",
        "COPY templates/localep-build.sh /usr/local/bin/localep-build",
        "COPY templates/localep-conda.py /usr/local/bin/localep-conda",
    ]


def test_the_official_debian_image_leaves_the_base_s_dockerfile_as_it_is() -> None:
    context = base_context("debian:bookworm-slim")

    assert context["Dockerfile"] == read_resource("Dockerfile.base")
