"""The base image: what is in it, and what of this machine's settings is not."""

from __future__ import annotations

from localep.engine.client import DockerEngine


def run(engine: DockerEngine, image: str, command: str) -> str:
    """The output of a shell command in a container of an image."""
    created = engine.api.create_container(image, entrypoint=["sh", "-c"], command=[command])
    try:
        engine.api.start(created["Id"])
        status = engine.api.wait(created["Id"])["StatusCode"]
        output = engine.api.logs(created["Id"]).decode()
    finally:
        engine.api.remove_container(created["Id"], force=True)
    assert status == 0, output
    return output


def test_it_is_debian_12_with_what_localep_needs(engine: DockerEngine, base_image: str) -> None:
    output = run(
        engine,
        base_image,
        ". /etc/os-release; echo $ID $VERSION_ID; python3 --version | cut -d. -f1-2;"
        "uv --version | cut -d' ' -f1; haproxy -v | head -n 1 | cut -d' ' -f1;"
        "id haproxy; ls /etc/ssl/certs/ca-certificates.crt",
    )

    assert output.splitlines() == [
        "debian 12",
        "Python 3.11",
        "uv",
        "HAProxy",
        "uid=990(haproxy) gid=990(haproxy) groups=990(haproxy)",
        "/etc/ssl/certs/ca-certificates.crt",
    ]


def test_the_libraries_that_wheels_expect_are_there(engine: DockerEngine, base_image: str) -> None:
    libraries = (
        "libgomp.so.1",
        "libglib-2.0.so.0",
        "libSM.so.6",
        "libXext.so.6",
        "libXrender.so.1",
    )

    output = run(engine, base_image, "ldconfig -p")

    assert [library for library in libraries if library not in output] == []


def test_no_settings_of_this_machine_stay_in_it(engine: DockerEngine, base_image: str) -> None:
    output = run(engine, base_image, "find /run/secrets /tmp /root/.cache -type f 2>/dev/null; env")

    assert "localep-settings" not in output
    assert "localep-ca" not in output
    assert "PIP_" not in output
