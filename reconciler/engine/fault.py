"""What is said of an error that nobody foresaw: what and where, never its words, which may repeat a secret."""

from __future__ import annotations

from pathlib import PurePath


def where(error: BaseException) -> str:
    """Name an error and the line that raised it; its words are in the log alone."""
    step = error.__traceback__
    while step is not None and step.tb_next is not None:
        step = step.tb_next
    if step is None:
        return type(error).__name__
    return (
        f"{type(error).__name__} in {PurePath(step.tb_frame.f_code.co_filename).name}, line {step.tb_lineno}"
    )
