# SPDX-License-Identifier: Apache-2.0
"""One line of the diagnosis: how a thing stands, and how to get what is missing."""

from __future__ import annotations

from dataclasses import dataclass

OK, NOTE, FINDING = "ok", "note", "finding"
"""How things stand: fine, could be better, stops something."""

_PIP_NAMES = {"cv2": '"opencv-python-headless<5"', "yaml": "pyyaml"}


@dataclass(frozen=True)
class Check:
    """One line of the diagnosis.

    Attributes:
        state: ``OK``, ``NOTE`` or ``FINDING``.
        what: What was looked at.
        found: What is here.
        remedy: How to get what is missing; empty where nothing is.
    """

    state: str
    what: str
    found: str
    remedy: str = ""


def pip_install(name: str) -> str:
    """Say how to install a Python module."""
    return f"pip install {_PIP_NAMES.get(name, name)}"
