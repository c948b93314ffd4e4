# SPDX-License-Identifier: Apache-2.0
# The node's image with what reads bags and videos; built by compose.yaml.
ARG BASE=panoptic_ros:jazzy
# hadolint ignore=DL3006
FROM ${BASE}
ARG NUMPY="numpy<2"
# hadolint ignore=DL3002
USER 0
# hadolint ignore=DL3013
RUN PIP_BREAK_SYSTEM_PACKAGES=1 python3 -m pip install --no-cache-dir \
      rosbags backports.zstd av rich jinja2 "${NUMPY}"
USER 10001
