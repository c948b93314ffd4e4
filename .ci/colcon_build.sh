#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Build the package with colcon against ROS wheels and run what it installs.
# Usage: .ci/colcon_build.sh ros-kilted|ros-jazzy
set -euo pipefail
wheels=${1:?ros-kilted or ros-jazzy}
source_dir=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

python3 -m venv "$work/venv"
pip="$work/venv/bin/python -m pip --disable-pip-version-check install --quiet"
$pip -r "$source_dir/requirements/run.lock" -r "$source_dir/requirements/$wheels.lock"
$pip -r "$source_dir/requirements/build.lock" colcon-common-extensions
mkdir -p "$work/ws/src/panoptic_ros"
git -C "$source_dir" ls-files -z | (cd "$source_dir" && xargs -0 cp --parents -t "$work/ws/src/panoptic_ros")

cd "$work/ws"
# shellcheck disable=SC1091
source "$work/venv/bin/activate"
export AMENT_PREFIX_PATH="$work/venv"
colcon build --event-handlers console_cohesion- >"$work/build.log" 2>&1 || { cat "$work/build.log"; exit 1; }
set +u
# shellcheck disable=SC1091
source install/setup.bash
set -u

bin="install/panoptic_ros/lib/panoptic_ros"
"$bin/panoptic" --help >/dev/null
"$bin/panoptic" doctor --no-exchange || [ $? -eq 1 ]
export ROS_AUTOMATIC_DISCOVERY_RANGE=LOCALHOST ROS_DOMAIN_ID=77
timeout --signal=INT --kill-after=20 8 "$bin/panoptic_node" --ros-args -p autostart:=false \
  && status=0 || status=$?
# 124: timeout sent the interrupt; it hides the status of a process that ended well.
[ "$status" -eq 0 ] || [ "$status" -eq 124 ]
echo "colcon build and install space work with $wheels"
