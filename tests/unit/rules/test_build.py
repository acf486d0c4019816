"""Rules for the conda file and the image's name."""

from __future__ import annotations

from pathlib import Path

import pytest
from unit.rules.rule_files import INFO, WARNING, Found, RuleFiles, model_files, sound_files

PYTHON = "python=3.12"
PIP = "  - pip\n"
NUMPY = "numpy==2.3.4"
SERVER = "      - azureml-inference-server-http\n"


@pytest.fixture
def files(tmp_path: Path) -> RuleFiles:
    return sound_files(tmp_path)


@pytest.fixture
def model(tmp_path: Path) -> RuleFiles:
    return model_files(tmp_path)


def test_a_python_without_corrections_is_told(files: RuleFiles) -> None:
    files.change("conda.yml", PYTHON, "python=3.8")
    assert files.told("python-too-old") == [
        Found(
            "conda.yml:5:5",
            WARNING,
            "dependencies.0: python=3.8 has had no corrections since October 2024.",
        )
    ]


def test_a_python_whose_end_has_just_come_is_worth_a_word(files: RuleFiles) -> None:
    files.change("conda.yml", PYTHON, "python>=3.9,<3.11")
    assert files.told("python-too-old") == [
        Found(
            "conda.yml:5:5",
            INFO,
            "dependencies.0: python>=3.9,<3.11 has had no corrections since October 2026.",
        )
    ]


def test_the_python_of_a_model_is_told_of_too(model: RuleFiles) -> None:
    model.change("model/conda.yaml", "python=3.12.4", "python=3.7.11")
    assert model.told("python-too-old") == [
        Found(
            "model/conda.yaml:4:3",
            WARNING,
            "dependencies.0: python=3.7.11 has had no corrections since June 2023.",
        )
    ]


@pytest.mark.parametrize("python", ["python>=3.8", "python", "python=3.1x", "python=3.11.*"])
def test_a_python_that_is_corrected_is_not_told(files: RuleFiles, python: str) -> None:
    files.change("conda.yml", PYTHON, python)
    assert files.told("python-too-old") == []


def test_a_missing_server_is_told_at_the_list_for_pip(files: RuleFiles) -> None:
    files.change("conda.yml", SERVER, "")
    assert files.told("server-package-missing") == [
        Found(
            "conda.yml:8:7",
            WARNING,
            "dependencies.2.pip: azureml-inference-server-http is missing; localep adds it, the "
            "cloud does not.",
        )
    ]


def test_without_a_list_for_pip_the_missing_server_is_told_at_the_packages(
    files: RuleFiles,
) -> None:
    files.write("conda.yml", "channels: [conda-forge]\ndependencies: [python=3.12]\n")
    assert [found.place for found in files.told("server-package-missing")] == ["conda.yml:2:15"]


@pytest.mark.parametrize(
    "instead", ["azureml-defaults==1.60.0", "-r more.txt", "AzureML_Inference.Server-HTTP>=1.4"]
)
def test_a_server_that_comes_otherwise_is_not_told(files: RuleFiles, instead: str) -> None:
    files.change("conda.yml", "azureml-inference-server-http", instead)
    assert files.told("server-package-missing") == []


def test_a_custom_container_needs_no_server(files: RuleFiles) -> None:
    files.change("conda.yml", SERVER, "")
    route = "{port: 80, path: /}"
    routes = "".join(
        f"    {name}_route: {route}\n" for name in ("liveness", "readiness", "scoring")
    )
    files.change("blue.yml", "instance_type", f"  inference_config:\n{routes}instance_type")
    assert files.told("server-package-missing") == []


@pytest.mark.parametrize("capped", ["pip<=21.3.1", "pip=20.2.4", "pip<22", "pip>=19,~=21.0"])
def test_a_pip_that_is_held_back_is_told(files: RuleFiles, capped: str) -> None:
    files.change("conda.yml", PIP, f"  - {capped}\n")
    assert files.told("pip-capped") == [
        Found("conda.yml:6:5", WARNING, f"dependencies.1: {capped} is too old for python=3.12.")
    ]


def test_the_pip_of_a_model_is_told_of_too(model: RuleFiles) -> None:
    model.change("model/conda.yaml", "- pip\n", "- pip<=21.2.4\n")
    assert [found.place for found in model.told("pip-capped")] == ["model/conda.yaml:5:3"]


@pytest.mark.parametrize(
    ("python", "pip"),
    [
        ("python=3.12", "pip=25.1.1"),
        ("python=3.12", "pip<22.1"),
        ("python=3.12", "pip>=21"),
        ("python=3.8", "pip=21.2.4"),
    ],
)
def test_a_pip_that_goes_with_its_python_is_not_told(
    files: RuleFiles, python: str, pip: str
) -> None:
    files.change("conda.yml", PYTHON, python)
    files.change("conda.yml", PIP, f"  - {pip}\n")
    assert files.told("pip-capped") == []


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (
            "--extra-index-url https://pkgs.dev.azure.com/shop/_packaging/own/pypi/simple/",
            "the feed at pkgs.dev.azure.com asks for a login.",
        ),
        (
            "git+ssh://git@code.example.org/shop/prices.git",
            "the source at code.example.org asks for a login.",
        ),
    ],
)
def test_a_feed_that_wants_a_login_is_told(files: RuleFiles, line: str, told: str) -> None:
    files.change("conda.yml", NUMPY, line)
    assert files.told("private-feed") == [
        Found("conda.yml:9:9", WARNING, f"dependencies.2.pip.1: {told}")
    ]


@pytest.mark.parametrize(
    "line",
    [
        "--index-url https://index.example.org/simple",
        "--index-url https://me:secret@pkgs.dev.azure.com/shop/_packaging/own/pypi/simple/",
        "--index-url https://${TOKEN}@pkgs.dev.azure.com/shop/_packaging/own/pypi/simple/",
        "--index-url https://pkgs.dev.azure.com/shop/public/_packaging/own/pypi/simple/",
        "git+https://code.example.org/shop/prices.git",
    ],
)
def test_a_feed_that_is_open_or_has_its_login_is_not_told(files: RuleFiles, line: str) -> None:
    files.change("conda.yml", NUMPY, line)
    assert files.told("private-feed") == []


def test_packages_without_a_version_are_told_once(files: RuleFiles) -> None:
    files.change("conda.yml", PIP, "  - pip\n  - scipy\n")
    files.change("conda.yml", NUMPY, "numpy\n      - joblib[all]\n      - six==1.17.0")
    assert files.told("unpinned-drift") == [
        Found("conda.yml:7:5", INFO, "dependencies.2: without a version: scipy, numpy, joblib.")
    ]


def test_of_many_packages_without_a_version_the_first_are_named(files: RuleFiles) -> None:
    files.change("conda.yml", NUMPY, "a\n      - b\n      - c\n      - d\n      - e\n      - f")
    assert [found.message for found in files.told("unpinned-drift")] == [
        "dependencies.2.pip.1: without a version: a, b, c, d, e and 1 more."
    ]


def test_versions_and_addresses_are_pins(files: RuleFiles) -> None:
    files.change("conda.yml", NUMPY, "numpy @ https://wheels.example.org/numpy.whl")
    files.change("conda.yml", PIP, "  - pip\n  - scipy=1.16\n  - six[version='>=1.17']\n")
    assert files.told("unpinned-drift") == []


@pytest.mark.parametrize(
    ("entry", "place", "told"),
    [
        ("scipy=1.16.0", "conda.yml:5:3", "dependencies: there is no `python` among the packages."),
        ("python", "conda.yml:5:5", "dependencies.0: python has no version."),
        (
            "python=3.12\n  - python=3.11",
            "conda.yml:6:5",
            "dependencies.1: python is asked for 2 times.",
        ),
    ],
)
def test_another_number_of_pythons_than_one_is_told(
    files: RuleFiles, entry: str, place: str, told: str
) -> None:
    files.change("conda.yml", PYTHON, entry)
    assert files.told("python-entry") == [Found(place, WARNING, told)]


@pytest.mark.parametrize("python", ["python=3.12", "conda-forge::python >=3.11", "python 3.12.*"])
def test_one_python_is_not_told(files: RuleFiles, python: str) -> None:
    files.change("conda.yml", PYTHON, python)
    assert files.told("python-entry") == []


def test_a_list_for_pip_without_pip_is_told(files: RuleFiles) -> None:
    files.change("conda.yml", PIP, "")
    assert files.told("pip-entry") == [
        Found(
            "conda.yml:6:5",
            INFO,
            "dependencies.1: there is a list for pip, but no `pip` among the packages before it.",
        )
    ]


@pytest.mark.parametrize("pip", ["pip", "pip=25.1.1", "pip >=24"])
def test_a_list_for_pip_beside_pip_is_not_told(files: RuleFiles, pip: str) -> None:
    files.change("conda.yml", PIP, f"  - {pip}\n")
    assert files.told("pip-entry") == []


@pytest.mark.parametrize("channels", ["", "channels: []\n"])
def test_missing_channels_are_told(files: RuleFiles, channels: str) -> None:
    files.change("conda.yml", "channels:\n  - conda-forge\n", channels)
    assert files.told("channels-missing") == [
        Found(
            "conda.yml:1:1",
            INFO,
            "there are no `channels`; what the packages come from is left to chance.",
        )
    ]


def test_one_channel_is_enough(files: RuleFiles) -> None:
    assert files.told("channels-missing") == []


@pytest.mark.parametrize(
    ("old", "new", "place", "told"),
    [
        (
            NUMPY,
            "numpy=2.3.4",
            "conda.yml:9:9",
            "dependencies.2.pip.1: 'numpy=2.3.4' has one `=`, where pip takes two.",
        ),
        (
            NUMPY,
            "numpy==",
            "conda.yml:9:9",
            "dependencies.2.pip.1: 'numpy==' is nothing that pip can read.",
        ),
        (
            PIP,
            "  - pip\n  - scipy=>1\n",
            "conda.yml:7:5",
            "dependencies.2: 'scipy=>1' is nothing that conda can read.",
        ),
        (
            PIP,
            "  - pip\n  - 7\n",
            "conda.yml:5:3",
            "dependencies: 7 is neither a package nor pip's list.",
        ),
    ],
)
def test_an_entry_that_is_no_package_is_told(
    files: RuleFiles, old: str, new: str, place: str, told: str
) -> None:
    files.change("conda.yml", old, new)
    assert files.told("conda-malformed") == [Found(place, WARNING, told)]


@pytest.mark.parametrize("packages", ["", "[]", "python=3.8", "{python: 3.8}"])
def test_a_conda_file_of_another_shape_is_told_of_by_one_rule(
    files: RuleFiles, packages: str
) -> None:
    files.write("conda.yml", f"name: blue\ndependencies: {packages}\n")
    assert len(files.told("conda-malformed")) == 1
    others = "channels-missing pip-entry python-entry server-package-missing unpinned-drift"
    assert [files.told(code) for code in others.split()] == [[]] * 5


def test_a_conda_file_without_packages_is_told(files: RuleFiles) -> None:
    files.write("conda.yml", "name: blue\n")
    assert files.told("conda-malformed") == [
        Found("conda.yml:1:1", WARNING, "there are no `dependencies`.")
    ]


def test_a_conda_file_that_is_no_yaml_is_told_where_it_is_named(files: RuleFiles) -> None:
    path = files.write("conda.yml", "dependencies: [python=3.12\n")
    assert [(found.place, found.severity) for found in files.told("conda-malformed")] == [
        ("blue.yml:8:15", WARNING)
    ]
    path.write_bytes(b"name: \xff\n")
    assert files.told("conda-malformed") == [
        Found(
            "blue.yml:8:15",
            WARNING,
            f"environment.conda_file: {path} is not a text file. Byte 6 is not UTF-8.",
        )
    ]


@pytest.mark.parametrize(
    "line",
    [
        "numpy==2.3.4 --hash=sha256:0123",
        "numpy>=1,<3 ; python_version < '3.13'",
        "numpy @ https://wheels.example.org/numpy.whl",
        "git+https://code.example.org/numpy.git@v2#egg=numpy",
        "--pre",
        "-r more.txt",
        "./numpy.whl",
        "numpy==${NUMPY}",
        "numpy==2.3.4  # as trained",
        "# numpy=2.3.4",
    ],
)
def test_what_pip_can_read_or_another_rule_tells_is_not_malformed(
    files: RuleFiles, line: str
) -> None:
    files.change("conda.yml", NUMPY, f'"{line}"')
    assert files.told("conda-malformed") == []


@pytest.mark.parametrize(
    "entry",
    [
        "scipy=1.16",
        "scipy==1.16.0",
        "scipy 1.16.*",
        "scipy>=1.10,<2",
        "scipy=1.16.0=py312h12345_0",
        "scipy 1.16.0 py312h12345_0",
        "conda-forge::scipy",
        "scipy[version='>=1.10']",
        "scipy=1.15|=1.16",
    ],
)
def test_what_conda_can_read_is_not_malformed(files: RuleFiles, entry: str) -> None:
    files.change("conda.yml", PIP, f'  - pip\n  - "{entry}"\n')
    assert files.told("conda-malformed") == []


def test_a_file_of_this_machine_is_told(files: RuleFiles) -> None:
    files.change("conda.yml", NUMPY, "./wheels/prices.whl")
    assert files.told("local-file-dependency") == [
        Found(
            "conda.yml:9:9",
            WARNING,
            "dependencies.2.pip.1: ./wheels/prices.whl names a file, and only the conda file is "
            "sent to the build.",
        )
    ]


def test_a_file_at_an_address_is_not_told(files: RuleFiles) -> None:
    files.change("conda.yml", NUMPY, "https://wheels.example.org/prices-1.0-py3-none-any.whl")
    assert files.told("local-file-dependency") == []


@pytest.mark.parametrize("host", ["localhost:5000", "127.0.0.1", "registry.local"])
def test_an_image_of_a_registry_on_this_machine_is_told(files: RuleFiles, host: str) -> None:
    files.change("blue.yml", "images/base:1", f"{host}/images/base:1")
    assert files.told("image-local-only") == [
        Found("blue.yml:7:10", WARNING, f"environment.image: the cloud cannot pull from {host}.")
    ]


def test_localeps_own_image_is_in_no_registry(files: RuleFiles) -> None:
    files.change("blue.yml", "images/base:1", "localep/base:latest")
    assert files.told("image-local-only") == [
        Found(
            "blue.yml:7:10",
            INFO,
            "environment.image: localep/base:latest is an image of localep's own, which no "
            "registry has.",
        )
    ]


@pytest.mark.parametrize("image", ["base:1", "images/base:1", "registry.example.org:5000/base:1"])
def test_an_image_of_another_registry_is_not_told(files: RuleFiles, image: str) -> None:
    files.change("blue.yml", "images/base:1", image)
    assert files.told("image-local-only") == []


def test_a_mapping_in_the_place_of_the_conda_file_is_judged_where_it_stands(
    files: RuleFiles,
) -> None:
    files.change(
        "blue.yml",
        "conda.yml",
        "{channels: [conda-forge], dependencies: [python=3.8, pip, {pip: [numpy==1.24.4]}]}",
    )
    assert files.told("python-too-old") == [
        Found(
            "blue.yml:8:56",
            WARNING,
            "environment.conda_file.dependencies.0: python=3.8 has had no corrections since "
            "October 2024.",
        )
    ]


def test_the_packages_of_a_model_are_judged_by_what_its_user_can_choose(model: RuleFiles) -> None:
    model.change("model/conda.yaml", "channels:\n- conda-forge\n", "channels: []\n")
    model.change("model/conda.yaml", "- python=3.12.4\n- pip\n", "")
    model.change("model/conda.yaml", "mlflow==2.16.2", "mlflow")
    for code in ("channels-missing", "pip-entry", "python-entry", "server-package-missing"):
        assert model.told(code) == []
    assert model.told("unpinned-drift") == []
