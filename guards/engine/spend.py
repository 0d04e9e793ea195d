"""What a call, or a whole session, has spent of its budget; shared by threads and tasks under one lock."""

from __future__ import annotations

import threading
import time

from guards.errors import ConfigError
from guards.policies import Budget
from guards.records import Reason, Usage

__all__ = ["Spend", "clock"]

clock = time.monotonic


class Spend:
    """Seconds run from the moment it is made; tokens and cost are added reply by reply."""

    __slots__ = ("_lock", "budget", "cost", "deadline", "started", "tokens")

    def __init__(self, budget: Budget) -> None:
        self.budget = budget
        self.started = clock()
        self.deadline = None if budget.seconds is None else self.started + budget.seconds
        self.tokens = 0
        self.cost = 0.0
        self._lock = threading.Lock()

    @property
    def counts_usage(self) -> bool:
        """Whether each reply must say what it used."""
        return self.budget.tokens is not None or self.budget.cost is not None

    def within(self, seconds: float | None) -> Spend:
        """The same purse for something that may take so many seconds from now, and no longer than the whole."""
        return self if seconds is None else _Within(self, seconds)

    def add(self, usage: Usage) -> None:
        """Count a reply. Raises `ConfigError` where a tokens or cost budget cannot be kept, since nothing was said."""
        budget = self.budget
        if not self.counts_usage:
            return
        tokens, cost = usage.total_tokens, budget.cost_of(usage)
        if budget.tokens is not None and tokens is None:
            raise ConfigError(
                "the reply does not say how many tokens it used, so the budget cannot be kept",
                where="Budget(tokens=)",
                hint="return Reply(text, usage={'input_tokens': ..., 'output_tokens': ...}) or an SDK response",
            )
        if budget.cost is not None and cost is None:
            raise ConfigError(
                "the reply does not say what it cost, so the budget cannot be kept",
                where="Budget(cost=)",
                hint="add price=(input, output) per million tokens, and return a Reply with usage or an SDK response",
            )
        with self._lock:
            self.tokens += tokens or 0
            self.cost += cost or 0.0

    def out_of_time(self) -> Reason:
        """The reason when an answer cannot come within the seconds."""
        return Reason("budget.seconds", f"The budget of {self.budget.seconds:g} seconds ended.")

    def ended(self) -> Reason | None:
        """Which bound was reached, if one was."""
        budget = self.budget
        if self.deadline is not None and clock() >= self.deadline:
            return self.out_of_time()
        if budget.tokens is not None and self.tokens >= budget.tokens:
            return Reason("budget.tokens", f"The budget of {budget.tokens} tokens ended ({self.tokens} used).")
        if budget.cost is not None and self.cost >= budget.cost:
            return Reason("budget.cost", f"The cost budget of {budget.cost:g} ended ({self.cost:g} spent).")
        return None


class _Within(Spend):
    """A part of the time; tokens and cost are the whole's."""

    __slots__ = ("_whole",)

    def __init__(self, whole: Spend, seconds: float) -> None:
        super().__init__(whole.budget.replace(seconds=seconds))
        self._whole = whole
        if whole.deadline is not None and self.deadline is not None:
            self.deadline = min(self.deadline, whole.deadline)

    def add(self, usage: Usage) -> None:
        self._whole.add(usage)

    def ended(self) -> Reason | None:
        if self.deadline is not None and clock() >= self.deadline:
            return self.out_of_time()
        return self._whole.ended()
