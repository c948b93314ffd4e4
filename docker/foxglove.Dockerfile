# SPDX-License-Identifier: Apache-2.0
# The node's image with Foxglove's bridge; built by compose.yaml.
ARG BASE=panoptic_ros:jazzy
# hadolint ignore=DL3006
FROM ${BASE}
# hadolint ignore=DL3002
USER 0
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install --yes --no-install-recommends "ros-${ROS_DISTRO}-foxglove-bridge" \
 && rm -rf /var/lib/apt/lists/*
USER 10001
