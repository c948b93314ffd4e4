# SPDX-License-Identifier: Apache-2.0
"""Options that count only beside another one: they are refused where they would do nothing."""

from __future__ import annotations

from collections.abc import Mapping

from panoptic_ros.core.errors import ConfigError


def only_with(needed: str, is_given: object, options: Mapping[str, object]) -> None:
    """Refuse options that would have no effect.

    Args:
        needed: What they go with, as it is typed.
        is_given: Whether that is there.
        options: Their values by name, as they are typed; an option that has its default may be
            None, False, 0 or empty here, and passes.

    Raises:
        ConfigError: Some are given without it.

    >>> only_with("--bag", True, {"--node": "/front"})
    >>> only_with("--bag", False, {"--node": "", "--missing": None})
    """
    given = [name for name, value in options.items() if value]
    if given and not is_given:
        raise ConfigError(f"{' and '.join(given)}: only with {needed}")
