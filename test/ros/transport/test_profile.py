# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
import xml.etree.ElementTree as ElementTree

import pytest

from panoptic_ros.ros.transport import profile as transport
from panoptic_ros.ros.transport.check import TransportCheck, check_transport

NAMESPACE = "{http://www.eprosima.com}"


def test_the_profile_has_room_for_several_images() -> None:
    root = ElementTree.parse(transport.profile()).getroot()
    segment = root.find(f".//{NAMESPACE}segment_size")
    largest = root.find(f".//{NAMESPACE}maxMessageSize")
    assert segment is not None
    assert largest is not None
    assert int(segment.text or 0) == 32 * 2**20
    assert int(largest.text or 0) == 16 * 2**20


def test_a_process_gets_the_profile() -> None:
    made = transport.with_profile({"HOME": "/root"})
    assert made["HOME"] == "/root"
    assert set(made.values()) == {"/root", str(transport.profile())}


@pytest.mark.parametrize(
    "variable", [*transport.PROFILE_VARIABLES, *transport.OTHER_CURES], ids=str
)
def test_what_the_user_has_chosen_stays(variable: str) -> None:
    chosen = {variable: "mine"}
    assert transport.with_profile(chosen) == chosen


@pytest.mark.parametrize(
    ("rmw", "environment", "expected"),
    [
        ("rmw_fastrtps_cpp", {}, True),
        ("rmw_fastrtps_cpp", {"FASTDDS_BUILTIN_TRANSPORTS": "LARGE_DATA"}, False),
        ("rmw_cyclonedds_cpp", {}, False),
    ],
    ids=["fast dds, nothing chosen", "fast dds, chosen", "another middleware"],
)
def test_the_warning_comes_only_where_images_get_lost(
    rmw: str, environment: dict[str, str], expected: bool
) -> None:
    assert transport.needs_warning(rmw, environment) == expected
    assert str(transport.profile()) in transport.warning()


EXPLANATIONS = {
    "all arrive": (TransportCheck(50, 50, [4.0, 6.0, 9.0], "rmw_fastrtps_cpp", True), "6.0 ms"),
    "none arrive": (TransportCheck(50, 0, [], "rmw_fastrtps_cpp", False), "export FAST"),
    "with profile": (TransportCheck(50, 3, [4.0], "rmw_fastrtps_cpp", True), "/dev/shm"),
    "strangers": (TransportCheck(0, 0, [], "rmw_fastrtps_cpp", True), "ROS_DOMAIN_ID"),
}


@pytest.mark.parametrize("case", EXPLANATIONS)
def test_a_transport_check_is_explained(case: str) -> None:
    check, words = EXPLANATIONS[case]
    assert words in check.explain()
    assert check.is_good == (case == "all arrive")


@pytest.mark.ros
def test_images_cross_between_processes_with_the_profile() -> None:
    pytest.importorskip("rclpy")
    bare = {name: value for name, value in os.environ.items() if "PROFILES_FILE" not in name}
    check = check_transport(10, environment=bare)
    assert check.is_good, check.explain()
    assert check.has_profile


@pytest.mark.ros
def test_without_the_profile_fast_dds_loses_them_and_we_say_so() -> None:
    rclpy = pytest.importorskip("rclpy")
    if "fastrtps" not in rclpy.get_rmw_implementation_identifier():
        pytest.skip("needs Fast DDS")
    bare = {name: value for name, value in os.environ.items() if "PROFILES_FILE" not in name}
    check = check_transport(10, use_profile=False, environment=bare)
    assert check.sent == 10
    assert not check.is_good
    assert "export" in check.explain()
