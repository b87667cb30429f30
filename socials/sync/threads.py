"""Threads for waiting on the network. They parse, they never touch the database."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextvars import copy_context
from queue import SimpleQueue
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")

_here = threading.local()


class Threads:
    """Up to ``size`` daemon threads, begun as they are needed and kept for their connections.

    Daemons, because a platform that never answers must not keep a worker from ending.
    """

    def __init__(self, size: int, name: str) -> None:
        self.size = size
        self.name = name
        self._jobs: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._lock = threading.Lock()
        self._begun = 0
        self._unfinished = 0

    def run(self, job: Callable[[], None]) -> None:
        """Run ``job`` soon; it must keep its exceptions to itself."""
        with self._lock:
            self._unfinished += 1
            if self._begun < min(self._unfinished, self.size):
                self._begun += 1
                name = f"{self.name}-{self._begun}"
                threading.Thread(target=self._work, name=name, daemon=True).start()
            context = copy_context()  # the log lines of a step name the sync that it is of
            self._jobs.put(lambda: context.run(job))

    def map(self, step: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
        """``step`` of each item, side by side, in the items' order; raises what a step raised.

        Within a step it works item by item: threads that wait for threads could wait for ever.
        """
        if getattr(_here, "working", None) is self:
            return map(step, items)
        return self._gather([self._begin(step, item) for item in items])

    def _gather(self, answers: list[SimpleQueue[tuple[R | None, Exception | None]]]) -> Iterator[R]:
        for answer in answers:
            value, error = answer.get()
            if error is not None:
                raise error
            yield value  # type: ignore[misc]

    def _begin(
        self, step: Callable[[T], R], item: T
    ) -> SimpleQueue[tuple[R | None, Exception | None]]:
        answer: SimpleQueue[tuple[R | None, Exception | None]] = SimpleQueue()

        def job() -> None:
            try:
                answer.put((step(item), None))
            except Exception as error:  # noqa: BLE001  it is raised where the answer is read
                answer.put((None, error))

        self.run(job)
        return answer

    def _work(self) -> None:
        _here.working = self
        while True:
            self._jobs.get()()
            with self._lock:
                self._unfinished -= 1
