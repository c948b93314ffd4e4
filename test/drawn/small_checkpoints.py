# SPDX-License-Identifier: Apache-2.0
"""Small networks of each hub family with random weights: drawn configs, nothing downloaded."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from transformers import (
    EomtConfig,
    EomtForUniversalSegmentation,
    Mask2FormerConfig,
    Mask2FormerForUniversalSegmentation,
    OneFormerConfig,
    OneFormerForUniversalSegmentation,
    SwinConfig,
)

CLASSES = {0: "road", 1: "sidewalk", 2: "car", 3: "person", 4: "sky"}
STUFF = [0, 1, 4]
FAMILIES = ("eomt", "mask2former", "oneformer")
TASK_LENGTH = 77
SIDE = 128


def small_network(family: str) -> Any:
    """Make a network whose queries are sure of their classes and disagree about pixels."""
    torch.manual_seed(3)
    network = {"eomt": _eomt, "mask2former": _mask2former, "oneformer": _oneformer}[family]()
    network.config.id2label = dict(CLASSES)
    _spread(network.eval())
    return network


def write_checkpoint(family: str, folder: Path, license_text: str = "mit") -> Path:
    """Write such a network as ``save_pretrained`` does, with a model card."""
    small_network(family).save_pretrained(folder)
    about = {"image_mean": [0.5, 0.4, 0.3], "image_std": [0.2, 0.25, 0.3], "do_normalize": True}
    (folder / "preprocessor_config.json").write_text(json.dumps(about))
    (folder / "README.md").write_text(f"---\nlicense: {license_text}\n---\nA drawn checkpoint.\n")
    if family == "oneformer":
        _write_tokenizer(folder)
    return folder


def _write_tokenizer(folder: Path) -> None:
    """Write a vocabulary of letters, which is enough for any text."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    words = [*letters, *(f"{letter}</w>" for letter in letters)]
    words += ["<|startoftext|>", "<|endoftext|>"]
    (folder / "vocab.json").write_text(json.dumps({word: at for at, word in enumerate(words)}))
    (folder / "merges.txt").write_text("#version: 0.2\n")


def _spread(network: Any) -> None:
    """Let queries differ: random ones all say nearly the same of every pixel."""
    mask_head, class_head = _heads(network)
    # The last query of OneFormer is the task, which is unlike all others.
    for layer, deviation in (*[(mask_head, 3.0)] * 6, (class_head, 4.0)):
        said = _answers(network, layer)[:-1]
        with torch.no_grad():
            factor = deviation / said.std(0).clamp(min=1e-6).mean()
            layer.bias.copy_(factor * (layer.bias - said.mean(0)))
            layer.weight.mul_(factor)


def _heads(network: Any) -> tuple[Any, Any]:
    """Find the layers that say what a query's mask and class are."""
    if network.config.model_type == "eomt":
        return network.mask_head.fc3, network.class_predictor
    if network.config.model_type == "mask2former":
        decoder = network.model.transformer_module.decoder
        return _last_layer(decoder.mask_predictor.mask_embedder), network.class_predictor
    decoder = network.model.transformer_module.decoder
    return _last_layer(decoder.mask_embed), decoder.class_embed


def _last_layer(head: Any) -> Any:
    return [module for module in head.modules() if isinstance(module, torch.nn.Linear)][-1]


def _answers(network: Any, layer: Any) -> torch.Tensor:
    said = []
    hook = layer.register_forward_hook(lambda module, given, answer: said.append(answer))
    image = torch.randn(1, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        network(image, **task(network))
    hook.remove()
    return said[-1].flatten(0, -2)


def task(network: Any) -> dict[str, torch.Tensor]:
    """What a network takes beside the image."""
    if network.config.model_type != "oneformer":
        return {}
    return {"task_inputs": getattr(network, "panoptic_task", torch.zeros(1, TASK_LENGTH))}


def _eomt() -> Any:
    network = EomtForUniversalSegmentation(
        EomtConfig(
            hidden_size=32,
            num_hidden_layers=4,
            num_attention_heads=2,
            image_size=SIDE,
            patch_size=16,
            num_blocks=2,
            num_queries=12,
            num_register_tokens=2,
            num_labels=len(CLASSES),
        )
    )
    network.attn_mask_probs.zero_()
    return network


def _swin() -> Any:
    return SwinConfig(
        image_size=SIDE,
        embed_dim=8,
        depths=[1, 1, 1, 1],
        num_heads=[1, 2, 2, 2],
        window_size=4,
        out_features=["stage1", "stage2", "stage3", "stage4"],
    )


def _mask2former() -> Any:
    network = Mask2FormerForUniversalSegmentation(
        Mask2FormerConfig(
            backbone_config=_swin(),
            feature_size=32,
            mask_feature_size=32,
            hidden_dim=32,
            encoder_feedforward_dim=32,
            dim_feedforward=32,
            encoder_layers=2,
            decoder_layers=4,
            num_attention_heads=2,
            num_queries=12,
            num_labels=len(CLASSES),
        )
    )
    return network


def _oneformer() -> Any:
    network = OneFormerForUniversalSegmentation(
        OneFormerConfig(
            backbone_config=_swin(),
            conv_dim=32,
            mask_dim=32,
            hidden_dim=32,
            encoder_feedforward_dim=32,
            dim_feedforward=32,
            encoder_layers=2,
            decoder_layers=4,
            num_attention_heads=2,
            num_queries=12,
            text_encoder_width=16,
            text_encoder_num_layers=1,
            num_labels=len(CLASSES),
        )
    )
    # What tells its queries apart is weak at the start of a training.
    with torch.no_grad():
        network.model.transformer_module.queries_embedder.weight.normal_(std=3.0)
        for name, weight in network.model.transformer_module.decoder.named_parameters():
            if weight.dim() > 1 and "attn" in name:
                weight.mul_(3.0)
    return network
