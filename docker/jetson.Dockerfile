# SPDX-License-Identifier: Apache-2.0
# panoptic_ros for Jetsons, on NVIDIA's public images, with TensorRT; not built in CI, not run yet.
#
# JetPack 6 (Orin):
#   docker build -f docker/jetson.Dockerfile -t panoptic_ros:jetpack6 .
# JetPack 7 (Thor, Orin from 7.2), whose containers are those of servers:
#   docker build -f docker/jetson.Dockerfile -t panoptic_ros:jetpack7 \
#     --build-arg BASE=nvcr.io/nvidia/tensorrt:25.09-py3 --build-arg ROS_DISTRO=jazzy --build-arg CODENAME=noble .
#
# TensorRT of the image and of the plan must be the same; the node says so where they are not.
ARG BASE=nvcr.io/nvidia/l4t-jetpack:r36.4.0

# hadolint ignore=DL3006
FROM ${BASE}
ARG ROS_DISTRO=humble
ARG CODENAME=jammy
ARG ROS_APT_SOURCE=1.1.0
ARG NUMPY="numpy<2"
ENV ROS_DISTRO=${ROS_DISTRO} DEBIAN_FRONTEND=noninteractive LANG=C.UTF-8
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install --yes --no-install-recommends ca-certificates curl \
 && curl --fail --location --silent --show-error --output /tmp/ros.deb \
      "https://github.com/ros-infrastructure/ros-apt-source/releases/download/${ROS_APT_SOURCE}/ros2-apt-source_${ROS_APT_SOURCE}.${CODENAME}_all.deb" \
 && apt-get install --yes --no-install-recommends /tmp/ros.deb \
 && apt-get update \
 && apt-get install --yes --no-install-recommends \
      g++ python3-colcon-common-extensions python3-dev python3-numpy python3-opencv python3-pip python3-scipy \
      python3-yaml "ros-${ROS_DISTRO}-diagnostic-msgs" "ros-${ROS_DISTRO}-launch-ros" "ros-${ROS_DISTRO}-nav-msgs" \
      "ros-${ROS_DISTRO}-ros-core" "ros-${ROS_DISTRO}-tf2-msgs" "ros-${ROS_DISTRO}-vision-msgs" \
 && rm -rf /var/lib/apt/lists/* /tmp/ros.deb
# pycuda compiles against the CUDA of the image. Versions are those of the day.
ENV CUDA_ROOT=/usr/local/cuda PATH=/usr/local/cuda/bin:${PATH}
# hadolint ignore=DL3013
RUN PIP_BREAK_SYSTEM_PACKAGES=1 python3 -m pip install --no-cache-dir onnxruntime onnx pycuda nvidia-ml-py "${NUMPY}"
WORKDIR /ws
COPY . src/panoptic_ros
RUN . "/opt/ros/${ROS_DISTRO}/setup.bash" \
 && colcon build --merge-install --install-base /opt/panoptic --packages-select panoptic_ros \
 && rm -rf /ws/src /ws/build /ws/log
COPY docker/entrypoint.sh docker/healthcheck.py /usr/local/lib/panoptic/
# Ubuntu 22.04 and later give the GPU to the groups video and render.
RUN groupadd --system --force render \
 && useradd --uid 10001 --create-home --groups video,render panoptic \
 && install --directory --owner=panoptic --group=panoptic /home/panoptic/.cache/panoptic_ros
USER 10001
WORKDIR /home/panoptic
HEALTHCHECK --interval=15s --timeout=12s --start-period=60s --retries=3 \
  CMD ["/usr/local/lib/panoptic/entrypoint.sh", "python3", "/usr/local/lib/panoptic/healthcheck.py"]
STOPSIGNAL SIGINT
ENTRYPOINT ["/usr/local/lib/panoptic/entrypoint.sh"]
CMD ["ros2", "launch", "panoptic_ros", "panoptic.launch.py", "image:=/camera/image_raw"]
