#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Source ROS and the package, then run the command in place of this shell, so that signals reach it.
set -e
# shellcheck disable=SC1090
source "/opt/ros/${ROS_DISTRO:?}/setup.bash"
# shellcheck disable=SC1091
source /opt/panoptic/local_setup.bash
exec "$@"
