"""`serve`: the inference server as a process of this machine, started anew at each change."""

from __future__ import annotations

import os
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Protocol

from localep.errors import Interrupted, LocalepError
from localep.interrupts import held_back, signals_call
from localep.operations import layout
from localep.operations.failures.logs import RequestNotes
from localep.operations.failures.server_log import worker_deaths
from localep.operations.failures.starts import MAX_WORKER_DEATHS, kept_dying, not_ready_in_time
from localep.operations.serving.failures import (
    cannot_start,
    make_scratch,
    server_failed,
    server_gone,
    server_missing,
    with_evidence,
)
from localep.operations.serving.layout import lay_out
from localep.operations.serving.packages import package_warnings
from localep.operations.serving.plan import plan_environment, plan_serve, server_variables
from localep.operations.serving.texts import listed, ready_text
from localep.server.interpreter import active_interpreter, installed_in, python_of
from localep.server.listener import open_listener
from localep.server.process import SERVER_IS_MISSING, Launch, ServerProcess
from localep.server.watching import Stamp, Watched, Watcher, changed_between

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable
    from concurrent.futures import Future

    from localep.operations.serving.plan import ServeOptions, ServePlan
    from localep.server.interpreter import Installed

# How often a server that starts is looked at: its workers may die without an end.
_LOOK_SECONDS = 0.25
# How long requests in flight may take at the end.
_PATIENCE_SECONDS = 10.0


class ServeReporter(Protocol):
    """Who is told what happens; ``raw`` is the server's own output."""

    def warn(self, message: str) -> None:
        """Something that works here and may not work in the cloud, or not as asked."""

    def note(self, message: str) -> None:
        """Something worth knowing."""

    def step(self, message: str) -> None:
        """A step of long work."""

    def line(self, text: str) -> None:
        """A line of output of long work."""

    def end_progress(self) -> None:
        """The long work is done."""

    def error(self, error: LocalepError) -> None:
        """A failure that does not end the command."""

    def raw(self, content: bytes) -> None:
        """What the server wrote."""


@dataclass
class _Run:
    """One start of a server; ``scratch`` holds its layout."""

    plan: ServePlan
    python: Path
    installed: Future[Installed | None] | None
    scratch: Path
    begun: float = field(default_factory=time.monotonic)
    process: ServerProcess | None = None

    @property
    def server(self) -> ServerProcess:
        assert self.process is not None  # noqa: S101 - started before anybody asks
        return self.process


def serve(options: ServeOptions, reporter: ServeReporter) -> None:
    """Serve until Ctrl-C or SIGTERM.

    Raises Interrupted where that comes before the server was ready; DeploymentNotReady where
    the server does not start and nothing is reloaded; and the errors of reading the YAML and
    of making the environment.
    """
    plan = plan_serve(options)
    with ThreadPoolExecutor(1) as beside:
        serving = _Serving(options, reporter, beside, _listen(options))
        try:
            serving.start(plan)
            serving.go_on()
        except Interrupted:
            if not serving.was_ready:
                raise
        finally:
            serving.end()


def _listen(options: ServeOptions) -> tuple[socket.socket | None, int]:
    """The socket that servers inherit, and its port; on Windows none can be handed over."""
    listener = open_listener(options.host, options.port)
    port = int(listener.getsockname()[1])
    if os.name == "nt":
        listener.close()
        return None, port
    return listener, port


class _Serving:
    """The server that answers, the one that may follow it, and those that are on their way out.

    Threads put what happens into a queue; all else is done by the thread that calls.
    """

    def __init__(
        self,
        options: ServeOptions,
        reporter: ServeReporter,
        beside: ThreadPoolExecutor,
        listening: tuple[socket.socket | None, int],
    ) -> None:
        self.was_ready = False
        self._options = options
        self._reporter = reporter
        self._beside = beside
        self._listener, self._port = listening
        self._events: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._current: _Run | None = None
        self._starting: _Run | None = None
        self._leaving: list[_Run] = []
        self._watcher: Watcher | None = None
        self._stamps: dict[Path, Stamp] = {}
        self._told: set[str] = set()
        self._requests = RequestNotes()

    def start(self, plan: ServePlan) -> None:
        """Start a server for a plan, beside the one that answers."""
        now = plan.watched.stamps()
        # What was older when the YAML was read is to be told as changed.
        self._stamps = {path: self._stamps.get(path, stamp) for path, stamp in now.items()}
        try:
            self._start(plan)
        finally:
            if self._options.reloads:
                self._watch(plan.watched)

    def go_on(self) -> None:
        """Do what events ask for; never returns by itself."""
        while True:
            try:
                event = self._events.get(timeout=_LOOK_SECONDS if self._starting else None)
            except Empty:
                self._look_at_start()
            else:
                event()

    def end(self) -> None:
        """End all servers; requests in flight have some seconds, or until the next signal."""
        runs = [run for run in (self._starting, self._current, *self._leaving) if run is not None]

        def hurry() -> None:
            for run in runs:
                run.server.kill()

        with signals_call(hurry):
            if self._watcher is not None:
                self._watcher.stop()
            if self._starting is not None:
                self._starting.server.kill()
            if self._current is not None:
                self._current.server.finish()
            deadline = time.monotonic() + _PATIENCE_SECONDS
            for run in runs:
                if not run.server.wait(max(deadline - time.monotonic(), 0)):
                    run.server.kill()
                    run.server.wait()
                shutil.rmtree(run.scratch, ignore_errors=True)
            if self._listener is not None:
                self._listener.close()

    # The start of a server

    def _start(self, plan: ServePlan) -> None:
        for warning in plan.warnings:
            self._warn(warning)
        python, installed = self._python(plan)
        if self._listener is None and self._current is not None:
            self._let_go(self._current)
            self._leaving[-1].server.wait(_PATIENCE_SECONDS)
        with held_back():
            run = _Run(plan, python, installed, make_scratch())
            try:
                run.process = self._launch(run)
            except BaseException as error:
                shutil.rmtree(run.scratch, ignore_errors=True)
                if isinstance(error, OSError):
                    raise cannot_start(error) from error
                raise
            self._starting = run

    def _python(self, plan: ServePlan) -> tuple[Path, Future[Installed | None] | None]:
        """The Python to run, and what is installed there unless localep made it."""
        if self._options.is_isolated:
            return self._isolated_python(plan), None
        python = active_interpreter(os.environ)
        return python, self._beside.submit(installed_in, python)

    def _isolated_python(self, plan: ServePlan) -> Path:
        from localep.environment.local import ensure_local_environment, environments_folder

        environment = plan_environment(plan, self._options)
        for warning in environment.warnings:
            self._warn(warning)
        folder = environments_folder(os.environ)
        reporter = self._reporter
        made = ensure_local_environment(
            environment, folder, os.environ, reporter.step, reporter.line
        )
        reporter.end_progress()
        return python_of(made)

    def _launch(self, run: _Run) -> ServerProcess:
        code = run.plan.code
        made = lay_out(run.plan.spec, code, run.scratch)
        models = [model.path for model in run.plan.spec.all_models if model.path is not None]
        launch = Launch(
            python=run.python,
            command=(*layout.server_command(code), "--port", str(self._port)),
            host=self._options.host,
            folder=made.app_root,
            import_from=(code.path / code.scoring_script).parent,
            keep_clean=(code.path, *models),
            variables=server_variables(run.plan, self._options, made, run.python, os.environ),
            scratch=run.scratch,
        )
        return ServerProcess(
            launch,
            self._listener,
            on_line=self._pass_on,
            on_ready=lambda: self._events.put(lambda: self._is_ready(run)),
            on_end=lambda status: self._events.put(lambda: self._has_ended(run, status)),
        )

    def _watch(self, watched: Watched) -> None:
        if self._watcher is not None:
            if self._watcher.fits(watched):
                return
            self._watcher.stop()
        self._watcher = Watcher(
            watched,
            on_change=lambda: self._events.put(self._may_have_changed),
            on_failure=lambda error: self._events.put(lambda: self._cannot_watch(error)),
        )

    # What happens

    def _is_ready(self, run: _Run) -> None:
        if run is not self._starting:
            return
        self._tell_packages(run)
        former, self._current, self._starting = self._current, run, None
        if former is not None:
            self._let_go(former)
        seconds = time.monotonic() - run.begun
        if self.was_ready:
            self._reporter.note(f"Ready again after {seconds:.1f} s.")
        else:
            self._reporter.note(self._first_words(run, seconds))
        self.was_ready = True

    def _has_ended(self, run: _Run, status: int) -> None:
        shutil.rmtree(run.scratch, ignore_errors=True)
        log = run.server.log
        if run is self._starting:
            self._starting = None
            installed = self._tell_packages(run)
            if status == SERVER_IS_MISSING:
                missing = server_missing(run.python, installed)
                if self._current is None:
                    raise missing
                self._failed(missing)
                return
            script = Path(run.plan.code.scoring_script).name
            error = server_failed(log, script, status, run.python, installed)
            self._failed(with_evidence(error, run.plan.spec, run.scratch, installed))
        elif run is self._current:
            self._current = None
            self._failed(server_gone(log, status))
        elif run in self._leaving:
            self._leaving.remove(run)

    def _look_at_start(self) -> None:
        run = self._starting
        if run is None:
            return
        log = run.server.log
        deaths = worker_deaths(log)
        if len(deaths) >= MAX_WORKER_DEATHS:
            self._give_up(run, kept_dying(log, deaths[-1]))
        elif time.monotonic() - run.begun > self._options.timeout:
            self._give_up(run, not_ready_in_time(log, self._options.timeout))

    def _may_have_changed(self) -> None:
        assert self._watcher is not None  # noqa: S101 - it is who says so
        now = self._watcher.watched.stamps()
        changed = changed_between(self._stamps, now)
        if not changed:
            return
        self._stamps = now
        self._reporter.note(f"{listed(changed)} changed.")
        try:
            plan = plan_serve(self._options)
            if self._starting is not None:
                self._drop(self._starting)
            self.start(plan)
        except Interrupted:
            raise
        except LocalepError as error:
            self._failed(error)

    def _cannot_watch(self, error: OSError) -> None:
        self._warn(f"Changes are not noticed: {error.strerror or error}.")

    # Steps of these

    def _failed(self, error: LocalepError) -> None:
        """Tell it and wait for a change; raise it where none is waited for."""
        if not self._options.reloads:
            raise error
        self._reporter.error(error)
        if self._current is not None:
            self._reporter.note("What was served before goes on.")
        elif self._starting is None:
            self._reporter.note("Waiting for a change.")

    def _give_up(self, run: _Run, error: LocalepError) -> None:
        self._tell_packages(run)
        self._drop(run)
        self._failed(error)

    def _drop(self, run: _Run) -> None:
        """End a server that is not ready."""
        run.server.kill()
        self._leaving.append(run)
        self._starting = None

    def _let_go(self, run: _Run) -> None:
        """End a server that has answered requests, as soon as it has answered them all."""
        run.server.finish()
        self._leaving.append(run)
        if run is self._current:
            self._current = None

    def _tell_packages(self, run: _Run) -> Installed | None:
        """Warn of packages that are missing, once; what is installed."""
        installed = run.installed.result() if run.installed is not None else None
        if installed is not None and run.plan.conda is not None:
            for warning in package_warnings(run.plan.conda, run.python, installed):
                self._warn(warning)
        return installed

    def _first_words(self, run: _Run, seconds: float) -> str:
        watched = run.plan.watched.paths if self._options.reloads else ()
        return ready_text(self._options.host, self._port, seconds, watched)

    def _pass_on(self, line: str) -> None:
        """Show a line of the server's; called from other threads."""
        try:
            self._reporter.raw(f"{line}\n".encode())
            note = self._requests.note(line)
            if note is not None and self.was_ready:
                self._reporter.note(note)
        except (OSError, LocalepError) as error:
            broken = error
            self._events.put(lambda: _raise(broken))

    def _warn(self, message: str) -> None:
        if message not in self._told:
            self._told.add(message)
            self._reporter.warn(message)


def _raise(error: Exception) -> None:
    raise error
