# SPDX-License-Identifier: Apache-2.0
"""Why nothing goes out in metres is told from the second image on, once for each reason."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

pytest.importorskip("rclpy")

from panoptic_ros.core.config import GroundConfig
from panoptic_ros.core.errors import ConfigError
from panoptic_ros.messages.ground_source import GroundSource
from panoptic_ros.messages.message_types import MessageTypes
from panoptic_ros.ros.camera.ground_output import GroundOutput
from panoptic_ros.ros.transforms import Transforms
from test.drawn.drawn_node import DrawnNode

FOUND = object()
NO_INFO, NO_WAY = "there is no camera_info", "TF has no way"


def told(
    answers: list[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Any, str, list[str]]]:
    """Ground, problem and warnings after each image; the answers are reasons, empty for none."""
    node, asked = DrawnNode(), iter(answers)

    def ground(source: GroundSource, *values: Any) -> Any:
        reason = next(asked)
        if reason:
            raise ConfigError(reason)
        return FOUND

    monkeypatch.setattr(GroundSource, "ground", ground)
    output = GroundOutput("front", Transforms(None, MessageTypes(str, bytes)), node)
    for _ in answers:
        found = output.ground(None, (4, 4), "camera", GroundConfig())
        yield found, output.problem, [*node.warned]


@pytest.mark.parametrize(
    ("answers", "counts"),
    [
        (["", ""], [0, 0]),
        ([NO_INFO, ""], [0, 0]),
        ([NO_INFO, NO_INFO, NO_INFO], [0, 1, 1]),
        ([NO_INFO, NO_WAY, NO_WAY, NO_WAY], [0, 0, 1, 1]),
        ([NO_INFO, NO_INFO, NO_WAY, NO_WAY], [0, 1, 1, 2]),
        ([NO_INFO, NO_INFO, "", NO_INFO, NO_INFO], [0, 1, 1, 1, 1]),
    ],
)
def test_a_reason_is_told_with_its_second_image_and_never_again(
    answers: list[str], counts: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = list(told(answers, monkeypatch))
    assert [len(warned) for _, _, warned in steps] == counts
    assert [problem for _, problem, _ in steps] == answers
    assert [found for found, _, _ in steps] == [None if reason else FOUND for reason in answers]


def test_the_warning_names_camera_and_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    *_, (_, _, warned) = told([NO_WAY, NO_WAY], monkeypatch)
    assert warned == [f"front: ground topics are off: {NO_WAY}"]


def test_a_problem_that_is_forgotten_is_none_until_the_next_image() -> None:
    output = GroundOutput("front", Transforms(None, MessageTypes(str, bytes)), DrawnNode())
    image = (None, (4, 4), "camera", GroundConfig(camera_height_m=1.5))
    assert output.ground(*image) is None
    problem = output.problem
    output.forget()
    assert (bool(problem), output.problem) == (True, "")
    output.ground(*image)
    assert output.problem == problem
