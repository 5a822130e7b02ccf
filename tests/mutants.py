"""Small faults (mutants), one by one: does a test fail at each? A plugin of pytest's; `make mutate` runs it.

mutmut makes the mutants. Its own runner begins a pytest for each, and lets every test of a survivor run, which takes
days here. This one collects the tests once and notes which of them reach which function. For each mutant it then forks a
child, which runs those that killed the function's mutants before, then the others, the fastest of each file first. What
runs only while the code is imported is tried in a new process, by the tests of arguments and schemas, made by such code.
"""

from __future__ import annotations

import fnmatch
import gc
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Any

import pytest
from _pytest.runner import runtestprotocol

SEED = 5
LEAST = 85  # percent of a file's mutants
NOT_FORKED = {"cluster", "same_school"}  # servers that children would share, or that are threads, which they don't get
SURVIVED, KILLED, TIMEOUT = "survived", "killed", "timeout"
CODES = {0: SURVIVED, 1: KILLED}  # of a child; whatever else ended it was its limits
AT_IMPORT = ("arguments", "listing", "bad_arguments", "argument_fuzz")
QUICK = 0.05  # seconds: no fault of the machine's makes such a test fail


if __name__ != "__main__":
    os.environ["MUTANT_UNDER_TEST"] = "stats"  # from the first import on


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("mutants")
    group.addoption(
        "--mutants", default="*", help="their names, with * and ?; or file: and the path of a file of names"
    )
    group.addoption("--sample", type=int, default=60, help="at most so many of each file, by a fixed seed")
    group.addoption("--most-seconds", type=float, default=15, help="of the tests that are run for one mutant")
    group.addoption("--results", default="../results.json", help="a mutant that has one there is not tried again")


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Trying(config))


def sampled(pattern: str, most: int) -> list[str]:
    """The mutants to try, the files by turns, so that a run cut short tells something of each."""
    named = set(Path(pattern.removeprefix("file:")).read_text().split()) if pattern.startswith("file:") else None
    files: list[list[str]] = []
    for meta in sorted(Path("attendance_mcp").rglob("*.meta")):
        names = list(json.loads(meta.read_text())["exit_code_by_key"])
        if named is not None:
            files.append([name for name in names if name in named])
            continue
        names = [name for name in names if fnmatch.fnmatch(name, pattern)]
        files.append(random.Random(SEED).sample(names, most) if len(names) > most else names)
    return [name for row in zip_longest(*files) for name in row if name]


class Trying:
    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.reaching: dict[str, list[pytest.Item]] = defaultdict(list)
        self.seconds: dict[str, float] = {}  # of the processor, for each test
        self.at_import: set[str] = set()
        self.killed: dict[str, Counter[str]] = defaultdict(Counter)  # how many each test did, by function

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        self.look([item for item in session.items if not NOT_FORKED & set(item.fixturenames)])  # type: ignore[attr-defined]
        file = Path(self.config.getoption("--results"))
        results = json.loads(file.read_text()) if file.exists() else {}
        names = sampled(self.config.getoption("--mutants"), self.config.getoption("--sample"))
        for number, name in enumerate(names, 1):
            if name not in results:
                results[name] = self.tried(name)
                file.write_text(json.dumps(results, indent=1))
                say(f"{number}/{len(names)} {name} {results[name]}")
        session.testsfailed = told({name: results[name] for name in names})
        return True

    def look(self, items: Sequence[pytest.Item]) -> None:
        """Runs every test once, without a fault; one that fails then can tell nothing and is left out."""
        from mutmut.configuration import config
        from mutmut.state import state

        config().track_dependencies = False
        self.at_import = set(state()._stats)
        for item, following in zip_longest(items, items[1:]):
            state()._stats.clear()
            began = time.process_time()
            if passes(item, following):
                self.seconds[item.nodeid] = time.process_time() - began
                for function in state()._stats:
                    self.reaching[function].append(item)
            else:
                say(f"left out, since it fails: {item.nodeid}")
        os.environ["MUTANT_UNDER_TEST"] = ""
        gc.collect()
        gc.freeze()  # else every child would copy what the parent holds as it looks through it

    def by_files(self, function: str) -> list[pytest.Item]:
        """The tests that reach it, the fastest of each file first: those of one file see much the same."""
        files: dict[str, list[pytest.Item]] = defaultdict(list)
        for item in sorted(self.reaching[function], key=lambda item: self.seconds[item.nodeid]):
            files[item.nodeid.partition("::")[0]].append(item)
        return [item for row in zip_longest(*files.values()) for item in row if item]

    def tried(self, name: str) -> dict[str, Any]:
        """What became of one mutant; a test that fails without it too, for want of time for one, has killed nothing."""
        function = name.rpartition("__mutmut_")[0]
        killed, left, chosen = self.killed[function], self.config.getoption("--most-seconds"), []
        order = sorted(self.by_files(function), key=lambda item: -killed[item.nodeid])
        if not order and function in self.at_import:
            return in_new_process(name)
        for item in order:
            left -= self.seconds[item.nodeid]
            if not chosen or left > 0:
                chosen.append(item)
        most = 5 + 4 * sum(self.seconds[item.nodeid] for item in chosen)
        while chosen:
            status, index = in_child(name, chosen, most)
            killer = chosen[index].nodeid
            if status == SURVIVED:
                break
            if (
                status == TIMEOUT
                or self.seconds[killer] < QUICK
                or in_child("", chosen[index:][:1], most)[0] == SURVIVED
            ):
                killed[killer] += status == KILLED
                return {"status": status, "by": killer}
            del chosen[index]
        return {"status": SURVIVED, "tests": len(chosen), "of": len(order)}


def passes(item: pytest.Item, following: pytest.Item | None = None) -> bool:
    """Runs one test; what was made for the whole session stays."""
    reports = runtestprotocol(item, log=False, nextitem=following or item.session)  # type: ignore[arg-type]
    return not any(report.failed for report in reports)


def in_child(mutant: str, items: Sequence[pytest.Item], most: float) -> tuple[str, int]:
    """What became of a mutant under these tests, in so many seconds of the processor, and which test it failed at."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os._exit(_in_child(mutant, items, most, writing))
        finally:  # whatever a fault does, a child goes no further than this
            os._exit(1)
    os.close(writing)
    until = time.monotonic() + 20 + 10 * most
    while (ended := os.waitpid(child, os.WNOHANG))[0] == 0:
        if time.monotonic() > until:
            os.kill(child, signal.SIGKILL)
        time.sleep(0.01)
    failed_at = os.read(reading, 16)
    os.close(reading)
    return CODES.get(os.waitstatus_to_exitcode(ended[1]), TIMEOUT), int(failed_at or b"0")


def _in_child(mutant: str, items: Sequence[pytest.Item], most: float, writing: int) -> int:
    from mutmut.mutation.trampoline import set_mutant_under_test

    resource.setrlimit(resource.RLIMIT_CPU, (int(most) + 1, int(most) + 2))
    set_mutant_under_test(mutant)
    for index, item in enumerate(items):
        if not passes(item):
            os.write(writing, str(index).encode())
            if path := item.funcargs.get("tmp_path"):  # type: ignore[attr-defined]
                shutil.rmtree(path, ignore_errors=True)  # thousands of schools would stay
            return 1
    return 0


def in_new_process(mutant: str) -> dict[str, Any]:
    files = [f"tests/tools/test_{name}.py" for name in AT_IMPORT]
    chosen = [
        "-k",
        "not stdio and not http- and not any_arguments",
        "-x",
        "-p",
        "no:xdist",
        "--inline-snapshot=disable",
    ]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--rootdir=.", *chosen, *files],
        env={**os.environ, "MUTANT_UNDER_TEST": mutant},
        capture_output=True,
        check=False,
    )
    return {"status": KILLED, "by": AT_IMPORT} if done.returncode else {"status": SURVIVED, "tests": 1, "of": 1}


def told(results: dict[str, dict[str, Any]]) -> int:
    """Says what became of each file's mutants and which survived; answers how many files fall short."""
    files: dict[str, Counter[str]] = defaultdict(Counter)
    for name, result in results.items():
        files[name.rpartition(".")[0]][result["status"]] += 1
        if result["status"] == SURVIVED:
            say(f"survived: {name} (tests that reach it: {result['of']}, run: {result['tests']})")
    short = 0
    for file, count in sorted(files.items()):
        percent = 100 * (count[KILLED] + count[TIMEOUT]) / count.total()
        short += percent < LEAST
        say(f"{percent:5.1f} % of {count.total():3} killed, {count[TIMEOUT]} of them by time: {file}")
    return short


def say(line: str) -> None:
    print(line, file=sys.__stderr__, flush=True)


def make() -> None:
    """Puts every mutant into the copy of the code in `mutants/`."""
    from mutmut.__main__ import copy_also_copy_files, copy_src_dir, create_mutants

    os.environ["MUTANT_UNDER_TEST"] = "mutant_generation"
    Path("mutants").mkdir()
    copy_src_dir()
    copy_also_copy_files()
    create_mutants(os.cpu_count() or 1)


if __name__ == "__main__":
    make()
