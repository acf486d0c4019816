"""`update`: new code takes over without a lost request, broken code never does."""

from __future__ import annotations

import http.client
import json
import threading
from collections import Counter
from pathlib import Path
from urllib.parse import urlsplit

from support.engine import Localep, write_script
from support.failing_scripts import RAISED

SCRIPT = "def init(): pass\ndef run(raw_data): return {answer!r}\n"


def test_an_edit_changes_nothing_until_the_update(created: Localep, hello: Path) -> None:
    container = created.container()
    write_script(hello, SCRIPT.format(answer="new"))
    assert created.invoke({"name": "you"}) == {"greeting": "Hello, you!"}

    created("update")

    assert created.invoke({}) == "new"
    assert created.container() != container


def test_an_update_without_a_change_starts_nothing(created: Localep) -> None:
    container = created.container()

    assert created("update") == "hello is as the YAML says already; nothing changed.\n"
    assert created("update", "-f", "hello/deployment.yml") == (
        "hello is as the YAML says already; nothing changed.\n"
    )
    assert created.container() == container


def test_request_settings_change_in_the_gateway_alone(created: Localep, hello: Path) -> None:
    write_script(hello, "import time\ndef init(): pass\ndef run(raw_data): time.sleep(0.6)\n")
    created("update")
    container = created.container()
    assert created.post().status_code == 200

    assert created("update", "--set", "request_settings.request_timeout_ms=300") == (
        "Updated hello: settings of the endpoint only.\n"
    )

    assert created.post().status_code == 408
    assert created.container() == container
    (deployment,) = created.json("show")["deployments"]
    assert deployment["request_settings"]["request_timeout_ms"] == 300


def test_set_alone_needs_no_file_and_is_kept(created: Localep, hello: Path) -> None:
    created("update", "-n", "hello", "--set", "environment_variables.GREETING=Salut")
    assert created.invoke({"name": "you"}) == {"greeting": "Salut, you!"}

    write_script(
        hello, "import os\ndef init(): pass\ndef run(raw_data): return os.environ['GREETING']\n"
    )
    created("update")
    assert created.invoke({}) == "Salut"

    created("update", "-f", "hello/deployment.yml")
    assert created.invoke({}) == "Hello"


def test_another_deployment_is_no_update(created: Localep) -> None:
    answer = created.run("update", "-f", "hello/deployment.yml", "--set", "name=green")

    assert answer.status == 8
    assert created.invoke({"name": "you"}) == {"greeting": "Hello, you!"}


def test_a_failed_update_leaves_the_working_deployment(created: Localep, hello: Path) -> None:
    container = created.container()
    write_script(hello, "def init(): raise ValueError('broken')\ndef run(raw_data): pass\n")
    client = Client(created)
    with client:
        answer = created.run("update")

    assert answer.status == 6
    assert client.answers == Counter({(200, '{"greeting": "Hello, x!"}'): client.total})
    assert created.container() == container
    shown = created.json("show")
    assert shown["last_operation"] == {
        "name": "update",
        "state": "Failed",
        "error": f"The deployment did not get ready. init() failed ({RAISED}). ValueError: broken",
    }
    assert [deployment["provisioning_state"] for deployment in shown["deployments"]] == ["Failed"]

    write_script(hello, SCRIPT.format(answer="mended"))
    created("update")

    assert created.invoke({}) == "mended"
    assert created.json("show")["last_operation"]["state"] == "Succeeded"


def test_no_request_is_lost_while_deployments_change(localep: Localep, hello: Path) -> None:
    localep(
        "create",
        *("-f", "hello/deployment.yml"),
        *("--set", "request_settings.max_concurrent_requests_per_instance=8"),
    )
    answers = Counter[tuple[int, str]]()
    total = 0
    for version in range(3):
        write_script(hello, SCRIPT.format(answer=f"version {version}"))
        client = Client(localep, connections=6)
        with client:
            localep("update")
        answers += client.answers
        total += client.total

    assert total > 300
    assert sum(count for (status, _), count in answers.items() if status == 200) == total
    assert set(answers) == {
        (200, '{"greeting": "Hello, x!"}'),
        *((200, f'"version {version}"') for version in range(3)),
    }


def test_a_request_under_way_is_answered_by_the_old_deployment(
    localep: Localep, hello: Path
) -> None:
    write_script(
        hello,
        "import time\ndef init(): pass\ndef run(raw_data):\n    time.sleep(3)\n    return 'old'\n",
    )
    localep("create", "-f", "hello/deployment.yml")
    slow: list[tuple[int, str]] = []
    request = threading.Thread(target=lambda: slow.append((localep.post().status_code, "answered")))
    request.start()
    write_script(hello, SCRIPT.format(answer="new"))

    localep("update")
    request.join()

    assert slow == [(200, "answered")]
    assert localep.invoke({}) == "new"


class Client:
    """Sends requests without a pause while a block runs, half of them on lasting connections."""

    def __init__(self, localep: Localep, connections: int = 2) -> None:
        address = urlsplit(localep.json("show")["scoring_uri"])
        self.host, self.port = address.hostname or "", address.port
        self.key = localep.json("get-credentials")["primaryKey"]
        self.answers = Counter[tuple[int, str]]()
        self.stop = threading.Event()
        self.first = threading.Event()
        self.threads = [
            threading.Thread(target=self._send, args=(number % 2 == 0,))
            for number in range(connections)
        ]

    @property
    def total(self) -> int:
        return sum(self.answers.values())

    def __enter__(self) -> Client:
        for thread in self.threads:
            thread.start()
        assert self.first.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self.stop.set()
        for thread in self.threads:
            thread.join()

    def _send(self, lasting: bool) -> None:
        connection = http.client.HTTPConnection(self.host, self.port, timeout=20)
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
        while not self.stop.is_set():
            try:
                connection.request("POST", "/score", json.dumps({"name": "x"}), headers)
                response = connection.getresponse()
                outcome = (response.status, response.read().decode())
            except (OSError, http.client.HTTPException) as error:
                outcome = (0, repr(error))
                connection.close()
            self.answers[outcome] += 1
            self.first.set()
            if not lasting:
                connection.close()
        connection.close()
