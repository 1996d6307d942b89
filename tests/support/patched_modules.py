"""Modules of Python as a daemon sees them whose kernel is made up: some of their functions are others."""

from __future__ import annotations

import signal
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from support.failing_kernel import FailingKernel


class Wrapped:
    """A module of which some functions are counted, and may fail, before they are called."""

    def __init__(self, kernel: FailingKernel, short: str, real: Any, names: tuple[str, ...]) -> None:
        self._real = real
        for name in names:
            setattr(self, name, self._called(kernel, f"{short}.{name}", getattr(real, name)))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    @staticmethod
    def _called(kernel: FailingKernel, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def called(*arguments: Any, **named: Any) -> Any:
            kernel.call(name)
            return real(*arguments, **named)

        return called


class Overridden:
    def __init__(self, real: Any, **changed: Any) -> None:
        self._real = real
        self.__dict__.update(changed)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


class Signals:
    """No signal is sent to the process that tests run in."""

    def __init__(self, kernel: FailingKernel) -> None:
        self._kernel = kernel

    def set_wakeup_fd(self, descriptor: int, warn_on_full_buffer: bool = True) -> None:
        self._kernel._wakeup = descriptor
        self._kernel._opened.append(descriptor)

    def signal(self, number: int, handler: object) -> None: ...

    def __getattr__(self, name: str) -> Any:
        return getattr(signal, name)
