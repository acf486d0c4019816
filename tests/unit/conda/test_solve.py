"""The real solver in its own process, on a channel of small packages."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from support.conda_channel import (
    Package,
    binary_package,
    noarch_package,
    served_channel,
    write_channel,
)
from support.package_index import make_certificates

from localep.conda.documents import installation, locked_list, unsolved_list
from localep.conda.packages import CondaPackage, SolveRequest
from localep.conda.solve import fetch, solve
from localep.errors import ChannelUnreachable, EnvironmentFailure, LocalepError

OWN_NETWORK = (
    "Check the network, or name a mirror as `channel_alias` or under `custom_channels` in .condarc."
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("channel")
    small = [noarch_package("greeting", number, {}, ()) for number in ("1.0", "1.1", "2.0")]
    others = [
        binary_package("locator", "1.2", ["greeting >=1"]),
        Package("picky", "1.0", depends=("greeting <2",)),
        Package("eager", "1.0", depends=("greeting >=2",)),
        Package("gpu", "1.0", depends=("__cuda >=12",)),
        Package("modern", "1.0", depends=("__glibc >=2.99",)),
    ]
    write_channel(folder, [*small, *others])
    return folder


@pytest.fixture(autouse=True)
def own_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home without settings, and an empty cache."""
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path


def failure(call: Callable[[], object]) -> tuple[type[LocalepError], str, str, str]:
    with pytest.raises(EnvironmentFailure) as caught:
        call()
    error = caught.value
    assert "Traceback" not in "".join(error.details)
    return type(error), error.message, error.cause or "", error.remedy or ""


def refusal(*specs: str, channels: tuple[str, ...], **virtual: str) -> tuple[str, str, str]:
    packages = tuple((f"__{name}", version) for name, version in virtual.items())
    request = SolveRequest(specs, channels, "linux-64", packages)
    kind, *told = failure(lambda: solve(request))
    assert kind is EnvironmentFailure
    return (told[0], told[1], told[2])


def test_packages_come_in_the_order_of_installation_with_all_that_a_lock_needs(
    folder: Path,
) -> None:
    records = json.loads((folder / "linux-64" / "repodata.json").read_text())["packages.conda"]
    record = records["locator-1.2-0.conda"]

    found = solve(SolveRequest(("locator", "greeting=1"), (str(folder),)))

    assert [f"{package.name} {package.version}" for package in found] == [
        "greeting 1.1",
        "locator 1.2",
    ]
    assert found[1] == CondaPackage(
        name="locator",
        version="1.2",
        build="0",
        subdir="linux-64",
        channel=folder.as_uri(),
        url=f"{folder.as_uri()}/linux-64/locator-1.2-0.conda",
        sha256=record["sha256"],
        md5=record["md5"],
        size=record["size"],
        depends=("greeting >=1",),
    )


def test_the_first_channel_that_has_a_package_is_the_only_one_for_it(
    folder: Path, tmp_path: Path
) -> None:
    write_channel(tmp_path / "strong", [noarch_package("greeting", "0.9", {}, ())])

    (found,) = solve(SolveRequest(("greeting",), (str(tmp_path / "strong"), str(folder))))

    assert found.version == "0.9"


def test_a_token_and_a_login_reach_the_server_and_no_package(folder: Path) -> None:
    with served_channel(folder, token="s3cret", login="me:p@ss") as channel:
        address = channel.address_with_token.replace("//", "//me:p%40ss@")

        (found,) = solve(SolveRequest(("greeting=2",), (address,)))

        assert found.url == f"{channel.address}/noarch/greeting-2.0-0.conda"
        assert all(path.startswith("/t/s3cret/") for path, _ in channel.asked)
        wrong = channel.address_with_token.replace("s3cret", "wr0ng")
        assert refusal("greeting", channels=(wrong,)) == (
            f"The conda channel {channel.address} refuses.",
            "It answers with 401 Unauthorized.",
            "Check the token in the channel's address (/t/TOKEN/ after the host), or its user "
            "and password (user:password@ before the host) in .condarc or .netrc.",
        )


def test_settings_name_the_place_of_a_channel_and_its_mirrors(
    folder: Path, own_machine: Path
) -> None:
    with served_channel(folder) as channel:
        (own_machine / ".condarc").write_text(
            "channel_alias: http://127.0.0.1:9\n"
            "channels: [company]\n"
            f"mirrored_channels: {{company: ['http://127.0.0.1:9/x', '{channel.address}']}}\n"
        )

        (found,) = solve(SolveRequest(("greeting=2",), ()))

    assert found.url == "http://127.0.0.1:9/company/noarch/greeting-2.0-0.conda"


@pytest.mark.parametrize("named", ["REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "condarc", "no"])
def test_an_authority_is_trusted_where_the_user_names_it(
    folder: Path, own_machine: Path, monkeypatch: pytest.MonkeyPatch, named: str
) -> None:
    certificate = make_certificates(own_machine, "127.0.0.1")
    authority = own_machine / "authority.pem"
    for name in ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "PIP_CERT", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    if named == "condarc":
        (own_machine / ".condarc").write_text(f"ssl_verify: {authority}\n")
    elif named == "no":
        (own_machine / ".condarc").write_text("ssl_verify: false\n")
    else:
        monkeypatch.setenv(named, str(authority))

    with served_channel(folder, certificate=certificate) as channel:
        (found,) = solve(SolveRequest(("greeting=2",), (channel.address,)))

    assert found.version == "2.0"


def test_a_certificate_of_nobody_is_refused_with_the_remedy(
    folder: Path, own_machine: Path
) -> None:
    certificate = make_certificates(own_machine, "127.0.0.1")

    with served_channel(folder, certificate=certificate) as channel:
        assert refusal("greeting", channels=(channel.address,)) == (
            f"The certificate of the conda channel {channel.address} is refused.",
            "invalid peer certificate: UnknownIssuer.",
            "Name the file with your authority's certificate in REQUESTS_CA_BUNDLE, or as "
            "`ssl_verify` in .condarc.",
        )


def test_a_channel_that_is_not_there_is_named(folder: Path) -> None:
    with served_channel(folder) as channel:
        message, cause, remedy = refusal("greeting", channels=(f"{channel.address}/nope",))

        assert message == f"There is no conda channel {channel.address}/nope."
        assert "404" in cause
    assert remedy == (
        "Correct its name under `channels:` in the conda file, or its place in .condarc."
    )
    message, cause, _ = refusal("greeting", channels=(f"{folder}/nope",))
    assert message == f"There is no conda channel {folder.as_uri()}/nope."
    assert "No such file" in cause


def test_a_channel_that_does_not_answer_is_another_kind_of_failure(folder: Path) -> None:
    channels = (str(folder), "http://127.0.0.1:9/main")

    told = failure(lambda: solve(SolveRequest(("greeting",), channels)))

    assert told == (
        ChannelUnreachable,
        "The conda channel http://127.0.0.1:9/main does not answer.",
        "127.0.0.1: Connection refused.",
        OWN_NETWORK,
    )


def test_a_host_that_nobody_knows_is_named() -> None:
    told = failure(lambda: solve(SolveRequest(("greeting",), ("https://conda.invalid/main",))))

    assert told == (
        ChannelUnreachable,
        "The conda channel https://conda.invalid/main does not answer.",
        "The host conda.invalid is not known here.",
        OWN_NETWORK,
    )


def test_a_package_that_no_channel_has_is_named(folder: Path) -> None:
    assert refusal("greeting", "nosuch=1", channels=(str(folder),)) == (
        "The package nosuch is in none of the conda channels.",
        f"Asked were {folder.as_uri()} for linux-64.",
        "Correct the name, add the channel that has it, or move it to the list under `pip:` if "
        "it is on PyPI.",
    )


def test_a_version_that_no_channel_has_is_told_with_those_that_are_there(folder: Path) -> None:
    assert refusal("greeting=3", channels=(str(folder),)) == (
        "No greeting 3.* is in the conda channels.",
        f"{folder.as_uri()} has 1.0, 1.1, 2.0.",
        "Ask for a version of greeting that is there, or add the channel that has it.",
    )


def test_packages_that_contradict_each_other_are_named(folder: Path) -> None:
    assert refusal("picky", "eager", channels=(str(folder),)) == (
        "The conda packages cannot be installed together.",
        "eager * and picky * contradict each other.",
        "Loosen or remove one of these constraints in the conda file.",
    )


def test_what_a_machine_lacks_is_told_with_what_to_choose(folder: Path) -> None:
    there = {"glibc": "2.36"}

    assert refusal("gpu", channels=(str(folder),), **there)[1:] == (
        "gpu * needs __cuda >=12, which is not to be had.",
        "Choose an `instance_type` with GPUs, or packages that need none.",
    )
    assert refusal("modern", channels=(str(folder),), **there)[1:] == (
        "modern * needs __glibc >=2.99, which is not to be had.",
        "Choose a newer image, or older versions of these packages.",
    )
    cuda = SolveRequest(("gpu",), (str(folder),), "linux-64", (("__cuda", "12.4=0"),))
    assert [package.name for package in solve(cuda)] == ["gpu"]


def test_a_line_that_is_no_spec_is_refused(folder: Path) -> None:
    message, cause, remedy = refusal("greeting>=", channels=(str(folder),))

    assert message == "The conda file names a package in a way that conda does not know."
    assert cause == "Unable to parse version spec: >=."
    assert remedy == "Write name, name=version or name>=version under `dependencies:`."


def test_an_interrupt_ends_the_solver_at_once(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}/main"
        program = (
            "from localep.conda.packages import SolveRequest\n"
            "from localep.conda.solve import solve\n"
            f"solve(SolveRequest(('a',), ({address!r},)))\n"
        )
        with subprocess.Popen([sys.executable, "-c", program], stderr=subprocess.PIPE) as process:
            connection, _ = silent.accept()  # of the look whether it answers
            connection.close()
            connection, _ = silent.accept()  # of the solver, which waits now
            process.send_signal(signal.SIGINT)
            process.wait(10)
            # The solver is gone, and its connections with it.
            while connection.recv(4096):
                pass
            connection.close()
    assert process.returncode != 0


def test_packages_that_no_build_can_fetch_are_fetched_once(folder: Path) -> None:
    with served_channel(folder, token="s3cret") as channel:
        names = (channel.address_with_token,)
        packages = solve(SolveRequest(("greeting=2",), names))

        first = fetch(packages, names)
        asked = len(channel.asked)
        second = fetch(packages, names)

        assert len(channel.asked) == asked
    assert first == second
    assert list(first) == ["packages/noarch/greeting-2.0-0.conda"]
    path = first["packages/noarch/greeting-2.0-0.conda"]
    assert path.read_bytes() == (folder / "noarch" / "greeting-2.0-0.conda").read_bytes()
    assert sorted(path.parent.iterdir()) == [path]


def test_a_package_that_is_another_than_its_channel_says_is_refused(
    folder: Path, own_machine: Path
) -> None:
    with served_channel(folder) as channel:
        (package,) = solve(SolveRequest(("greeting=2",), (channel.address,)))
        forged = CondaPackage(**{**vars(package), "sha256": "0" * 64})

        told = failure(lambda: fetch([forged], (channel.address,)))

    assert told == (
        EnvironmentFailure,
        "The conda package greeting-2.0-0.conda is not what its channel or lock says.",
        f"Its sha256 is {package.sha256}, not {'0' * 64}.",
        "Write the lock anew, or tell whoever keeps the channel.",
    )
    assert list(own_machine.glob("cache/localep/conda/packages/*/*")) == []


def test_a_list_is_made_ready_for_a_build(folder: Path) -> None:
    told: list[str] = []
    with served_channel(folder, token="s3cret") as channel:
        names = (channel.address_with_token,)
        request = SolveRequest(("greeting=2",), names, "linux-64", (("__glibc", "2.36"),))

        listed, sends = unsolved_list(request)
        ready = installation(listed, names, told.append)

        assert json.loads(listed) == {
            "platform": "linux-64",
            "specs": ["greeting=2"],
            "channels": [channel.address],
            "virtual_packages": [["__glibc", "2.36", "0"]],
        }
        assert sends
        packages = json.loads(ready.listed)["packages"]
        assert [package["url"] for package in packages] == [
            f"{channel.address}/noarch/greeting-2.0-0.conda"
        ]
        assert "s3cret" not in ready.listed
        assert "s3cret" in ready.access
        assert ready.has_credentials
        assert list(ready.files) == ["packages/noarch/greeting-2.0-0.conda"]
        assert told == ["Solving the conda environment", "Fetching conda packages"]
        told.clear()
        found = [CondaPackage.from_dict(package) for package in packages]
        locked, sends = locked_list(found, "linux-64", names)
        assert (locked, sends) == (ready.listed, True)
        assert installation(locked, names, told.append).files == ready.files
        assert told == ["Fetching conda packages"]


def test_what_a_build_reaches_is_not_sent() -> None:
    request = SolveRequest(("greeting",), ("https://conda.example/main",))

    assert not unsolved_list(request)[1]
    package = CondaPackage(
        "a", "1", "0", "noarch", "https://x.example", "https://x.example/noarch/a-1-0.conda", ""
    )
    assert not locked_list([package], "linux-64", ())[1]
