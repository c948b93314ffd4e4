# SPDX-License-Identifier: Apache-2.0
"""Read a checkpoint of the transformers library.

Three families of mask-classification networks: EoMT (Kerssies et al. 2025), Mask2Former (Cheng et
al. 2022) and OneFormer (Jain et al. 2023). Weights come from the hub, or from a folder that
``save_pretrained`` wrote, at the time of the export.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from panoptic_ros.core.errors import ConfigError
from panoptic_ros.model.query_graph import (
    ArgMaxRule,
    Logits,
    resize_then_sigmoid,
    sigmoid_then_resize,
    through_384,
)


@dataclass(frozen=True)
class Family:
    """One kind of checkpoint.

    Attributes:
        loader: Name of its class in transformers.
        rule: Its post-processing, with transformers' default thresholds.
        step: What both sides of the image must be multiples of, in pixels.
        run: Calls the network.
    """

    loader: str
    rule: ArgMaxRule
    step: int
    run: Callable[[nn.Module, Tensor], Logits]


@dataclass(frozen=True)
class Checkpoint:
    """A network that was read, and what its files say about it.

    Attributes:
        name: Id on the hub, or folder.
        family: Its kind.
        network: In evaluation mode.
        mean: What its pre-processing subtracts from each channel, of 0..1.
        deviation: What it divides by.
        license: As its model card says, empty where that says nothing.
    """

    name: str
    family: Family
    network: nn.Module
    mean: tuple[float, float, float]
    deviation: tuple[float, float, float]
    license: str

    @property
    def classes(self) -> dict[int, str]:
        """Class names by index."""
        config: Any = self.network.config
        return {int(index): str(name) for index, name in config.id2label.items()}

    @property
    def default_size(self) -> tuple[int, int]:
        """(width, height) that it is exported at when nobody says otherwise."""
        config: Any = self.network.config
        side = pair(config.image_size) if hasattr(config, "image_size") else (512, 1024)
        return side[1], side[0]


def _run(network: nn.Module, image: Tensor) -> Logits:
    out = network(image, return_dict=True)
    return out.class_queries_logits, out.masks_queries_logits


def _run_oneformer(network: nn.Module, image: Tensor) -> Logits:
    out = network(image, task_inputs=network.panoptic_task, return_dict=True)
    return out.class_queries_logits, out.masks_queries_logits


FAMILIES = {
    "eomt": Family(
        "EomtForUniversalSegmentation",
        ArgMaxRule(resize_then_sigmoid, clipped=True, threshold=0.8),
        16,
        _run,
    ),
    "mask2former": Family(
        "Mask2FormerForUniversalSegmentation",
        ArgMaxRule(through_384, clipped=False, threshold=0.5),
        32,
        _run,
    ),
    "oneformer": Family(
        "OneFormerForUniversalSegmentation",
        ArgMaxRule(sigmoid_then_resize, clipped=False, threshold=0.5),
        32,
        _run_oneformer,
    ),
}
"""By ``model_type`` of the checkpoint's config."""


_HUB_ID = re.compile(r"(\w[\w.-]*/)?\w[\w.-]*")

_PROCESSOR_FILES = ("preprocessor_config.json", "processor_config.json")


def load(name: str) -> Checkpoint:
    """Read a checkpoint, from the hub where it is not a folder.

    Raises:
        ConfigError: transformers is missing, there is no such checkpoint, the hub cannot be
            reached, or it is of a family that has no exporter.
    """
    try:
        import transformers
    except ImportError as error:
        raise ConfigError(
            f"hub checkpoints need transformers ({error}); run: pip install transformers"
        ) from error
    if _is_path(name) and not Path(name).is_dir():
        raise ConfigError(
            f"{name}: no such folder; needs one that save_pretrained wrote, or the id of a "
            "checkpoint on the hub"
        )
    config = _read(name, lambda: transformers.AutoConfig.from_pretrained(name))
    if config.model_type not in FAMILIES:
        raise ConfigError(
            f"{name}: is of the family {config.model_type!r}; there are exporters for "
            f"{', '.join(FAMILIES)}"
        )
    family = FAMILIES[config.model_type]
    loader = getattr(transformers, family.loader)
    network = _read(name, lambda: loader.from_pretrained(name, attn_implementation="eager"))
    if config.model_type == "oneformer":
        network.register_buffer("panoptic_task", _panoptic_task(name, config.task_seq_len))
    mean, deviation = _normalisation(name)
    return Checkpoint(name, family, network.eval(), mean, deviation, _license(name))


def _is_path(name: str) -> bool:
    """Whether a name cannot be an id of the hub, which is NAME or OWNER/NAME.

    >>> [_is_path(name) for name in ("./m2f", "/data/m2f", "models/m2f/best", "tue-mps/eomt")]
    [True, True, True, False]
    >>> [_is_path(name) for name in ("m2f/", "my models", "", "m2f")]
    [True, True, True, False]
    """
    return not _HUB_ID.fullmatch(name)


def _read(name: str, loader: Callable[[], Any]) -> Any:
    try:
        return loader()
    except (OSError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise ConfigError(
            f"{name}: cannot be read ({reason[:300]}); needs the id of a checkpoint on the hub "
            "and a network to reach it, one that was downloaded before, or a folder written by "
            "save_pretrained"
        ) from error


def _panoptic_task(name: str, length: int) -> Tensor:
    """Token numbers of OneFormer's task text, (1, length); padding counts as 0."""
    from transformers import CLIPTokenizer

    tokenizer = _read(name, lambda: CLIPTokenizer.from_pretrained(name))
    tokens = tokenizer(
        "the task is panoptic", padding="max_length", max_length=length, truncation=True
    )
    numbers = torch.tensor(tokens["input_ids"]) * torch.tensor(tokens["attention_mask"])
    return numbers[None].float()


def _normalisation(name: str) -> tuple[tuple[float, float, float], tuple[float, float, float]]:
    from transformers.image_processing_base import ImageProcessingMixin

    if Path(name).is_dir() and not any(Path(name, file).is_file() for file in _PROCESSOR_FILES):
        raise ConfigError(
            f"{name}: has no {_PROCESSOR_FILES[0]}, which says how images are normalised; save "
            f"the image processor there, too: AutoImageProcessor.from_pretrained(ID)"
            f".save_pretrained({name!r})"
        )
    said, _ = _read(name, lambda: ImageProcessingMixin.get_image_processor_dict(name))
    if not said.get("do_normalize", True):
        return (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)
    mean, deviation = (
        tuple(map(float, said.get(key, usual)))
        for key, usual in (
            ("image_mean", (0.485, 0.456, 0.406)),
            ("image_std", (0.229, 0.224, 0.225)),
        )
    )
    return mean, deviation  # type: ignore[return-value]


def _license(name: str) -> str:
    """Licence in a model card; empty where there is no card or it names none."""
    from huggingface_hub import ModelCard

    card = Path(name, "README.md")
    try:
        data = ModelCard.load(card if Path(name).is_dir() else name).data
    except Exception:  # a missing card is reported as a missing licence; the clients raise many
        return ""
    return str(getattr(data, "license_name", None) or getattr(data, "license", None) or "")


def license_warning(license_text: str) -> str:
    """Say what a licence forbids; empty where it is known to allow commercial use."""
    words = license_text.casefold().replace("_", "-")
    if words in ("mit", "apache-2.0", "bsd-3-clause", "bsd-2-clause", "cc-by-4.0", "cc0-1.0"):
        return ""
    if "nc" in words.split("-") or "noncommercial" in words or "research" in words:
        return f"these weights are under {license_text}: not for commercial use"
    said = f"says {license_text!r}" if license_text else "names none"
    return (
        f"the licence of these weights is not clear, as the model card {said}; read it before "
        "use and record what it allows with --license (some of these families are published "
        "for non-commercial use only)"
    )


def pair(value: Any) -> tuple[int, int]:
    """Read a size of a config: one number for a square, or (height, width)."""
    return (int(value), int(value)) if isinstance(value, int) else (int(value[0]), int(value[1]))
