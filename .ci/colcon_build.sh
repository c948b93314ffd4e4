#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Build the package with colcon against ROS wheels, both ways, run what it installs, and test it.
# Usage: .ci/colcon_build.sh ros-kilted|ros-jazzy
set -euo pipefail
wheels=${1:?ros-kilted or ros-jazzy}
source_dir=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# What the wheels' start-up hook left for another virtual environment would stop it in this one.
unset _ROS_WHEELS_BOOTSTRAP_COMPLETE LD_LIBRARY_PATH AMENT_PREFIX_PATH PYTHONPATH

python3 -m venv "$work/venv"
locks="$source_dir/requirements"
"$work/venv/bin/python" -m pip --disable-pip-version-check install --quiet --quiet \
  -r "$locks/run.lock" -r "$locks/$wheels.lock" -r "$locks/colcon.lock"
# Its pytest is colcon's own; what our tests add to it has the versions of make test.
grep -E "^(hypothesis|pytest-timeout)==" "$locks/test.lock" >"$work/tests.txt"
"$work/venv/bin/python" -m pip --disable-pip-version-check install --quiet --quiet -r "$work/tests.txt"
mkdir -p "$work/ws/src/panoptic_ros"
cd "$source_dir"
git ls-files -z --cached --others --exclude-standard | xargs -0 cp --parents -t "$work/ws/src/panoptic_ros"

build() {
  rm -rf build install log
  colcon build --event-handlers console_cohesion- "$@" >"$work/build.log" 2>&1 \
    || { cat "$work/build.log"; exit 1; }
}

run_installed() (
  set +u
  # shellcheck disable=SC1091
  source install/setup.bash
  set -u
  cd /
  local bin="$work/ws/install/panoptic_ros/lib/panoptic_ros"
  "$bin/panoptic" --help >/dev/null
  # 1: the diagnosis has findings, which are about this machine and not about the build.
  "$bin/panoptic" doctor "$@" || [ $? -eq 1 ]
  export ROS_AUTOMATIC_DISCOVERY_RANGE=LOCALHOST ROS_DOMAIN_ID=77
  # The node must end well when it is interrupted: --preserve-status hands its own status on.
  timeout --preserve-status --signal=INT --kill-after=30 10 \
    "$bin/panoptic_node" --ros-args -p autostart:=false
)

# A few tests as colcon runs them; make test runs them all.
test_installed() {
  # What other tests of CI must not skip is not in this environment.
  PANOPTIC_REQUIRE=ros colcon test --event-handlers console_cohesion- \
    --pytest-args test/test_workspace.py test/core/test_pipeline.py >"$work/test.log" 2>&1 \
    || { cat "$work/test.log"; exit 1; }
  colcon test-result --verbose | tee "$work/result.txt"
  grep -q "^Summary: [1-9][0-9]* tests, 0 errors, 0 failures, 0 skipped$" "$work/result.txt"
}

cd "$work/ws"
# shellcheck disable=SC1091
source "$work/venv/bin/activate"
export AMENT_PREFIX_PATH="$work/venv"
build
run_installed
test_installed
build --symlink-install
run_installed --no-exchange
echo "colcon build works with $wheels, copied and linked"
