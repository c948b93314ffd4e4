# SPDX-License-Identifier: Apache-2.0
"""What the scores of the JSON are called in tables and on pages."""

from __future__ import annotations

HEADS = {
    "pq": "PQ",
    "sq": "SQ",
    "rq": "RQ",
    "iou": "IoU",
    "label_iou": "label IoU",
    "biou": "BIoU",
}

COUNTS = {"tp": "TP", "fp": "FP", "fn": "FN"}

OBJECT_HEADS = {
    "smotsa": "sMOTSA",
    "motsa": "MOTSA",
    "motsp": "MOTSP",
    "hota": "HOTA",
    "deta": "DetA",
    "assa": "AssA",
    "idf1": "IDF1",
    "id_switches": "switches",
}

DRIVABLE_HEADS = {
    "iou": "IoU",
    "precision": "precision",
    "recall": "recall",
    "max_f": "MaxF",
    "false_drivable": "obstacle and pavement pixels called drivable",
    "false_drivable_near": "the same in the lower 40 % of the image",
    "missed_obstacles": "obstacles mostly called drivable",
    "flicker": "flicker",
}

SHARE_HEADS = {
    "road_recall": "road",
    "pavement": "pavement",
    "terrain": "terrain",
    "objects": "objects",
    "not_road": "these three",
}

GROUP_HEADS = {
    ("panoptic", "all", "pq"): "PQ",
    ("panoptic", "things", "pq"): "things",
    ("panoptic", "stuff", "pq"): "stuff",
    ("semantic", "miou"): "mIoU",
    ("label_map", "miou"): "label mIoU",
    ("boundary", "biou"): "BIoU",
    ("calibration", "error"): "ECE",
    ("drivable", "iou"): "drivable IoU",
    ("drivable", "false_drivable"): "false drivable",
}
"""Headline scores by their keys in the JSON."""
