# SPDX-License-Identifier: Apache-2.0
# Each target sets up what it needs in .venv; nothing outside of this folder is changed.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMPS := $(VENV)/stamps
PIP := sh requirements/install.sh $(VENV)/pip.log $(BIN)/python -m pip --disable-pip-version-check install --quiet --quiet --no-warn-script-location
TORCH ?= 1
RTX ?= 1
OPENVINO ?= 1
ARGS ?=

# With a sourced ROS 2 its rclpy is used; otherwise wheels bring one.
ROS_HERE := $(shell [ -n "$$ROS_DISTRO" ] && $(PYTHON) -c "import rclpy" 2>/dev/null && echo yes)
ROS_WHEELS ?= ros-kilted

ifeq ($(ROS_HERE),yes)
# A distribution's message packages are compiled against its own NumPy, so that one stays.
SITE := --system-site-packages
CONSTRAINTS := $(STAMPS)/distribution.txt
RUN_PACKAGES := -c $(CONSTRAINTS) -r requirements/run.in
TEST_PACKAGES := -c $(CONSTRAINTS) -r requirements/test.in
TORCH_PACKAGES := -c $(CONSTRAINTS) -r requirements/torch.in
RTX_PACKAGES := -c $(CONSTRAINTS) -r requirements/rtx.in
GPU_PACKAGES := -c $(CONSTRAINTS) -r requirements/gpu.in
# Plugins of the distribution that are written for its own, older pytest.
PYTEST_OPTIONS := -p no:launch_testing -p no:launch_testing_ros_pytest_entrypoint
else
RUN_PACKAGES := -r requirements/run.lock -r requirements/$(ROS_WHEELS).lock
TEST_PACKAGES := -r requirements/test.lock
TORCH_PACKAGES := -r requirements/torch.lock
RTX_PACKAGES := -r requirements/rtx.lock
GPU_PACKAGES := -r requirements/gpu.lock
endif

export PYTHONDONTWRITEBYTECODE := 1

.DEFAULT_GOAL := help
.PHONY: help demo demo-multi test test-random mutants test-gpu test-humble test-latest messages check docs package bench soak fuzz doctor train-env clean

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 20
	@echo "ARGS='...' is handed to the command; TORCH=0 leaves PyTorch and its tests out, RTX=0 TensorRT for RTX, OPENVINO=0 OpenVINO."

demo: $(STAMPS)/run  ## play real driving video through the node; results in out/demo
	$(BIN)/panoptic demo $(ARGS)

demo-multi: $(STAMPS)/run  ## the same with three videos as three cameras of one node; results in out/demo-multi
	$(BIN)/panoptic demo --multi --out out/demo-multi $(ARGS)

# What tests can be left without.
TEST_EXTRAS := $(if $(filter 1,$(TORCH)),$(STAMPS)/torch) $(if $(filter 1,$(RTX)),$(STAMPS)/rtx) $(if $(filter 1,$(OPENVINO)),$(STAMPS)/openvino)

test: $(STAMPS)/test $(TEST_EXTRAS)  ## run the tests
	$(BIN)/python -m pytest $(PYTEST_OPTIONS) $(ARGS)

test-random: $(STAMPS)/test $(TEST_EXTRAS)  ## run the tests in random order; ARGS=--randomly-seed=7 repeats one
	$(BIN)/python -m pytest $(PYTEST_OPTIONS) -p randomly $(ARGS)

mutants: $(STAMPS)/mutants  ## try small mistakes against the tests for an hour; table in out/mutants
	$(BIN)/python -m test.mutants $(ARGS)

test-gpu: $(STAMPS)/gpu  ## run the tests that need an NVIDIA GPU; writes out/gpu-latency.json
	PANOPTIC_REQUIRE=gpu $(BIN)/python -m pytest $(PYTEST_OPTIONS) -m gpu $(ARGS)

# The rooms that need no ROS, with the Python and the libraries of Humble's Ubuntu.
PYTHON310 ?= python3.10
HUMBLE := .venv-humble
# OpenCV 4.5.4 refuses images of one pixel, lacks IMWRITE_JPEG_SAMPLING_FACTOR and judges views of a
# chessboard that determine nothing otherwise.
HUMBLE_DIFFERS := --ignore=test/messages/test_compressed.py \
  --deselect=test/core/ground/test_calibration.py::test_views_that_determine_nothing_are_refused \
  --deselect=test/core/ground/test_calibration.py::test_a_board_that_is_never_tilted_is_refused_although_it_fits \
  --deselect=test/data/coco/test_reader.py::test_images_are_read_as_rgb \
  --deselect=test/data/test_ade20k.py::test_a_missing_json_is_named \
  --deselect=test/data/test_png.py::test_pixels_survive

test-humble: $(HUMBLE)/stamp  ## run the tests without ROS on Python 3.10, NumPy 1.21, OpenCV 4.5.4
	$(HUMBLE)/bin/python -m pytest test/core test/data test/metrics test/messages $(HUMBLE_DIFFERS) $(ARGS)

$(HUMBLE)/stamp: requirements/humble.lock
	$(PYTHON310) -m venv --clear $(HUMBLE)
	$(HUMBLE)/bin/python -m pip --disable-pip-version-check install --quiet --quiet --only-binary :all: -r $<
	@touch $@

# Every dependency in its newest version; names alone are taken from the .in files.
LATEST := .venv-latest
LATEST_FOLDERS ?= test/core test/data test/metrics test/messages test/recordings test/engine

test-latest:  ## run tests with the newest release of every dependency, none pinned
	$(PYTHON) -m venv --clear $(LATEST)
	sed -nE 's/^([A-Za-z0-9][A-Za-z0-9_.-]*).*/\1/p' requirements/run.in requirements/test.in > $(LATEST)/names.txt
	$(LATEST)/bin/python -m pip --disable-pip-version-check install --quiet --quiet --upgrade -r $(LATEST)/names.txt
	$(LATEST)/bin/python -m pip list --format=freeze > $(LATEST)/versions.txt
	$(LATEST)/bin/python -m pytest $(LATEST_FOLDERS) $(ARGS)

messages: $(STAMPS)/messages  ## build vision_msgs, tf2_msgs and Autoware's messages for the tests; needs g++

check: $(STAMPS)/test  ## run the linters: ruff, vermin, mypy, import-linter
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/vermin --quiet --no-tips --violations --target=3.10- panoptic_ros launch
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: $(STAMPS)/docs  ## build the site into out/docs, warnings being errors; needs Python 3.11
	$(BIN)/python -m sphinx -q -W --keep-going -b html docs out/docs
	@echo "open out/docs/index.html"

package:  ## build sdist and wheel into dist, and run the wheel in an empty environment
	.ci/package.sh "$(CURDIR)/dist"

bench: $(STAMPS)/run  ## measure every stage of a frame
	$(BIN)/panoptic bench $(ARGS)

soak: $(STAMPS)/run  ## run the node for 30 minutes on two cameras and watch memory, threads, files
	$(BIN)/python benchmarks/soak.py $(ARGS)

fuzz: $(STAMPS)/test  ## read damaged input for an hour; ARGS='--seconds 60' for less
	$(BIN)/python -m test.fuzz $(ARGS)

doctor: $(STAMPS)/run  ## say what is here and what is missing
	$(BIN)/panoptic doctor $(ARGS)

train-env: $(STAMPS)/run $(STAMPS)/torch  ## install what training and export need

clean:  ## remove .venv and out
	rm -rf $(VENV) $(HUMBLE) $(LATEST) out dist build install log *.egg-info

# ROS sourced later, or other wheels asked for: what was set up does not fit any more.
CHOICE := $(if $(ROS_HERE),$(ROS_DISTRO),$(ROS_WHEELS))
OTHER_CHOICE := $(filter-out $(CHOICE),$(shell cat $(STAMPS)/choice 2>/dev/null))

.PHONY: anew
$(STAMPS)/venv: $(if $(OTHER_CHOICE),anew)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null || \
	  { echo "Python 3.10 or newer is needed; found: $$($(PYTHON) --version 2>&1). Set PYTHON=..."; exit 1; }
ifneq ($(ROS_HERE),yes)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info >= (3, 14))' || \
	  { echo "ROS 2 wheels exist for Python 3.10 to 3.13; found: $$($(PYTHON) --version 2>&1). Set PYTHON=... or source a ROS 2 installation"; exit 1; }
	@[ "$$(uname -sm)" = "Linux x86_64" ] || \
	  { echo "ROS 2 wheels exist for Linux x86_64; this is $$(uname -sm). Source a ROS 2 installation first"; exit 1; }
endif
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || \
	  { echo "Python's venv module is missing; on Debian or Ubuntu: apt install python3-venv"; exit 1; }
	$(PYTHON) -m venv --clear $(SITE) $(VENV)
	@mkdir -p $(STAMPS) && echo $(CHOICE) > $(STAMPS)/choice && touch $@

$(STAMPS)/distribution.txt: $(STAMPS)/venv
	$(BIN)/python requirements/constrain.py requirements/*.lock > $@

MESSAGE_SOURCES := .ci/build_messages.py panoptic_ros/messages/vision_definitions.py test/drawn/autoware_definitions.py test/drawn/tf_definitions.py
# pycuda compiles against the CUDA toolkit. A Jetson has TensorRT; elsewhere that for RTX serves.
$(STAMPS)/gpu: $(STAMPS)/test
	$(PIP) $(GPU_PACKAGES)
	$(BIN)/python -c "import tensorrt; tensorrt.Builder" 2>/dev/null || $(PIP) $(RTX_PACKAGES)
	@touch $@

LOCKS := $(wildcard requirements/*.lock requirements/*.in)

$(STAMPS)/run: $(STAMPS)/venv $(CONSTRAINTS) $(LOCKS) setup.py
	$(PIP) $(RUN_PACKAGES)
	$(PIP) -r requirements/build.lock
# As an entry of sys.path: setuptools' default hook comes after a folder called panoptic_ros, the
# clone itself, beside which a user's script lies.
	$(PIP) --no-deps --no-build-isolation --config-settings editable_mode=compat --editable .
	@touch $@

$(STAMPS)/docs: $(STAMPS)/run requirements/docs.lock
	$(PIP) -r requirements/docs.lock
	@touch $@

$(STAMPS)/test: $(STAMPS)/run
	$(PIP) $(TEST_PACKAGES)
	$(PIP) --no-deps -r requirements/reference.lock
	@touch $@

# Without what Cosmic Ray's own commands need, as only its operators are used.
$(STAMPS)/mutants: $(STAMPS)/test
	$(PIP) --no-deps -r requirements/mutants.lock
	@touch $@

# With a sourced ROS 2 they come from the distribution.
$(STAMPS)/messages: $(STAMPS)/test $(MESSAGE_SOURCES)
ifneq ($(ROS_HERE),yes)
	$(PIP) -r requirements/rosidl.lock
	$(BIN)/python .ci/build_messages.py
endif
	@touch $@

$(STAMPS)/torch: $(STAMPS)/run
	@echo "PyTorch may bring several GB of CUDA libraries; TORCH=0 leaves it and its tests out."
	$(PIP) $(TORCH_PACKAGES)
	@touch $@

$(STAMPS)/rtx: $(STAMPS)/test
	@echo "TensorRT for RTX is NVIDIA's, under its licence (requirements/README.md); RTX=0 leaves it out."
	$(PIP) $(RTX_PACKAGES)
	@touch $@

# Without what it depends on: a package that reports use, which its tools need and the runtime does not.
$(STAMPS)/openvino: $(STAMPS)/test
	$(PIP) --no-deps -r requirements/openvino.lock
	@touch $@
