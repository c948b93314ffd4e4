#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Build the sdist and from it the wheel, install the wheel into an empty virtual environment, and
# run it there without ROS, outside of this folder.
# Usage: .ci/package.sh [FOLDER]; with a folder, sdist and wheel are left there.
set -euo pipefail
source_dir=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
dist=${1:-$work/dist}
# Neither a sourced ROS 2 nor this checkout may lend anything to what is tested.
unset PYTHONPATH AMENT_PREFIX_PATH LD_LIBRARY_PATH _ROS_WHEELS_BOOTSTRAP_COMPLETE
pip_install() { "$1/bin/python" -m pip --disable-pip-version-check install --quiet --quiet "${@:2}"; }

# A copy, so that no build folder and no egg-info is left here.
mkdir -p "$work/source"
cd "$source_dir"
git ls-files -z --cached --others --exclude-standard | xargs -0 cp --parents -t "$work/source"
python3 -m venv "$work/build"
pip_install "$work/build" -r requirements/package.lock
(cd "$work/source" && "$work/build/bin/python" -m build --no-isolation --outdir "$dist" . >"$work/build.log" 2>&1) \
  || { cat "$work/build.log"; exit 1; }
wheel=$(ls "$dist"/*.whl)

# What package.xml names and nothing else: the pipeline runs, and no verb's import is in its way.
cd "$work"
python3 -m venv "$work/venv"
pip_install "$work/venv" "$wheel[cv2]" -c "$source_dir/requirements/run.lock"
"$work/venv/bin/python" - <<'PYTHON'
from pathlib import Path

import cv2

from panoptic_ros import Pipeline, open_engine
from panoptic_ros.core.synthetic.street import DrawnStreet

folder = Path("drawn")
folder.mkdir(parents=True)
with open_engine("drawn") as engine:
    pipeline = Pipeline(engine)
    for index, (frame, _) in enumerate(DrawnStreet(seconds=0.4)):
        result = pipeline.step(frame)
        cv2.imwrite(str(folder / f"{index:06d}.png"), frame.image[..., ::-1])
assert result.counts().get("car"), result.counts()
PYTHON
"$work/venv/bin/panoptic" --version

# With the extra: the verbs on drawn images, and a shipped model.
pip_install "$work/venv" "$wheel[cpu]" -c "$source_dir/requirements/run.lock"
panoptic="$work/venv/bin/panoptic"
"$panoptic" replay drawn --engine street_fast --out replay --json replay.json >/dev/null
"$panoptic" predict drawn --engine drawn --format kitti-step --out truth/0000 >/dev/null
"$panoptic" eval --format kitti-step --gt truth --pred truth --json scores.json >/dev/null
"$work/venv/bin/python" - <<'PYTHON'
import json
from pathlib import Path

frames = json.loads(Path("replay.json").read_text())["frames"]
assert frames["processed"] == frames["in"] == 10, frames
scores = json.loads(Path("scores.json").read_text())
assert scores["images"] == 10 and scores["panoptic"]["all"]["pq"] == 1.0, scores["panoptic"]
assert Path("replay/result.mcap").stat().st_size > 10_000 and "<html" in Path("replay/report.html").read_text()[:500]
PYTHON
echo "sdist and wheel build; the wheel runs in an empty environment without ROS"
