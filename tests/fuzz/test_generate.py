"""The cases of the fuzzer: the same ones for the same seed, and commands that send the same bytes."""

import hashlib
import os
import subprocess
import sys

import pytest

from fuzz.generate import Generator
from fuzz.messages import Case
from tests.conftest import ROOT
from tests.support.openapi import DOCUMENT, OPERATIONS

PRINT_DIGEST = """
import hashlib
from fuzz.generate import Generator
from tests.support.openapi import DOCUMENT
cases = (Generator(1, DOCUMENT).case(number) for number in range(300))
print(hashlib.sha256(b"".join(case.encode() for case in cases)).hexdigest())
"""


@pytest.fixture(scope="module")
def cases() -> list[Case]:
    return [Generator(1, DOCUMENT).case(number) for number in range(2000)]


def test_a_seed_has_the_same_cases_in_every_process(cases: list[Case]) -> None:
    digest = hashlib.sha256(b"".join(case.encode() for case in cases[:300])).hexdigest()
    # Another order of sets and of what is hashed.
    environment = os.environ | {"PYTHONHASHSEED": "1"}
    command = [sys.executable, "-c", PRINT_DIGEST]
    run = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == digest


def test_another_seed_has_other_cases(cases: list[Case]) -> None:
    assert Generator(2, DOCUMENT).case(0) != cases[0]


def test_every_operation_and_every_kind_of_case_is_there(cases: list[Case]) -> None:
    # All but the stream of events.
    assert len(Generator(1, DOCUMENT).operations) == len(OPERATIONS) - 1
    sent = b"".join(case.encode() for case in cases)
    for path in {path for _, path in OPERATIONS} - {"/v1/events"}:
        assert path.rpartition("/")[2].partition("{")[0].encode() in sent
    assert sum(case.raw is not None for case in cases) > 100
    assert sum(len(case.requests) > 1 for case in cases) > 50
    assert sum(any(request.body for request in case.requests) for case in cases) > 100
    assert sum(bool(case.cuts) for case in cases) > 20


def test_a_command_sends_the_same_bytes(cases: list[Case]) -> None:
    for case in cases[:300]:
        netcat = case.commands("127.0.0.1", 1).rpartition("\n")[2]
        command, _, _ = netcat.rpartition(" | nc ")
        if len(command) < 100_000:  # the longest argument that Linux allows is 128 KiB
            printed = subprocess.run(["sh", "-c", command], capture_output=True, check=True).stdout
            assert printed == case.encode()


def test_smaller_cases_are_smaller(cases: list[Case]) -> None:
    for case in cases[:100]:
        for number, smaller in zip(range(50), case.smaller(), strict=False):
            shorter = len(smaller.encode()) < len(case.encode()) or not smaller.cuts
            assert shorter, (number, case, smaller)
            assert isinstance(smaller, Case)
