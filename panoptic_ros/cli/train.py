# SPDX-License-Identifier: Apache-2.0
"""``panoptic train``: progress on the terminal, checkpoints and curves in a folder."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from panoptic_ros.cli.options.arguments import (
    above_zero,
    not_negative,
    share,
    size,
    whole_number,
)
from panoptic_ros.cli.printing.outputs import add_out, make_folder, print_written, reserved
from panoptic_ros.cli.printing.progress import ProgressBar
from panoptic_ros.core.errors import ConfigError
from panoptic_ros.core.files.limits import check_multiples

if TYPE_CHECKING:
    from panoptic_ros.data.coco.reader import CocoPanoptic
    from panoptic_ros.model.network import PanopticNetwork
    from panoptic_ros.model.training.config import TrainConfig
    from panoptic_ros.model.training.history import Progress
    from panoptic_ros.model.training.train import Validate


DEFAULT_OUT = Path("out/train")
CURVES = "curves.png"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "--data",
        type=Path,
        required=True,
        metavar="DIR",
        help="COCO panoptic folder: train.json, val.json, images/, panoptic/",
    )
    add_out(parser, "checkpoints and curves; resumes from last.pt there", DEFAULT_OUT)
    parser.add_argument(
        "--steps",
        type=whole_number(1),
        default=20_000,
        help="steps of the schedule (default: %(default)s)",
    )
    parser.add_argument(
        "--minutes",
        type=above_zero,
        default=0.0,
        help="time budget of the steps and validations, to which the schedule is fitted; it "
        "begins after the batch norms of --init are restored (default: none)",
    )
    parser.add_argument(
        "--batch",
        type=whole_number(2),
        default=8,
        help="crops per step (default: %(default)s)",
    )
    parser.add_argument(
        "--rate",
        type=above_zero,
        default=1.5e-3,
        help="peak learning rate (default: %(default)s)",
    )
    parser.add_argument(
        "--crop",
        type=size,
        default=(512, 256),
        metavar="WxH",
        help="size of crops (default: 512x256)",
    )
    parser.add_argument(
        "--view",
        type=size,
        metavar="WxH",
        help="size to which a whole image is scaled before it is cropped: that of the model to "
        "be exported (default: that of the crops)",
    )
    parser.add_argument(
        "--zoom",
        type=share,
        default=0.55,
        metavar="SHARE",
        help="share of the crops that show objects larger than the camera does "
        "(default: %(default)s)",
    )
    parser.add_argument(
        "--val-size",
        type=size,
        default=(1024, 512),
        metavar="WxH",
        help="size of validation images (default: 1024x512)",
    )
    parser.add_argument(
        "--validate-every",
        type=whole_number(0),
        default=1000,
        help="steps between validations (default: %(default)s); 0: never",
    )
    parser.add_argument(
        "--workers",
        type=whole_number(0),
        default=1,
        help="processes that make crops (default: %(default)s)",
    )
    parser.add_argument(
        "--device", default="cpu", help="cpu, cuda or cuda:N (default: %(default)s)"
    )
    parser.add_argument(
        "--init",
        metavar="MODEL",
        help="start from these weights, not ImageNet's: a shipped model's name, a model that "
        "panoptic export wrote (.onnx), or a checkpoint (.pt)",
    )
    parser.add_argument(
        "--cache-gb",
        type=not_negative,
        default=0.0,
        help="GB of memory for decoded images, per worker (default: %(default)g)",
    )
    parser.add_argument("--seed", type=int, default=1, help="default: %(default)s")


def run(args: argparse.Namespace) -> int:
    """Train until the schedule ends."""
    if args.device == "cpu":
        from panoptic_ros.core.allocation import keep_activations

        keep_activations()
    try:
        from panoptic_ros.model.training.config import TrainConfig
    except ImportError as error:
        raise ConfigError(
            f"training needs PyTorch ({error}); run: make train-env, or pip install torch"
        ) from error
    from panoptic_ros.model.training.augment import AugmentConfig

    config = TrainConfig(
        data=args.data,
        out=make_folder(args.out or DEFAULT_OUT),
        steps=args.steps,
        minutes=args.minutes,
        batch=args.batch,
        rate=args.rate,
        validate_every=args.validate_every,
        workers=args.workers,
        seed=args.seed,
        device=args.device,
        augment=AugmentConfig(crop=args.crop, base=args.view, zoom_probability=args.zoom),
        init=_initial_weights(args.init),
        cache_bytes=int(args.cache_gb * 1e9),
    )
    check_multiples("--val-size", args.val_size, 32)
    return _train(config, args.val_size)


def _train(config: TrainConfig, val_size: tuple[int, int]) -> int:
    from panoptic_ros.model.training.history import FILE_NAME as HISTORY
    from panoptic_ros.model.training.train import CHECKPOINT, START, train

    last = config.out / CHECKPOINT
    with reserved(config.out), _Display(config) as display:
        try:
            validate = _validation(val_size)
            best = train(config, display.show, validate, _say_new_classes, display.restore)
        except KeyboardInterrupt:
            print(_interrupted(last))
            return 130
    if display.step == 0:
        print(f"{last} has finished its schedule; raise --steps or --minutes, or change --out")
        return 0
    draw_curves(config.out)
    names = dict.fromkeys((best.name, CHECKPOINT, START, HISTORY, CURVES))
    print_written(path for path in map(config.out.joinpath, names) if path.exists())
    print(f"Export it with: panoptic export {best} MODEL.onnx")
    return 0


def _interrupted(last: Path) -> str:
    """Say what the same command does after an interruption."""
    if last.exists():
        return f"Interrupted; run the same command again to resume from {last}."
    return "Interrupted before the first checkpoint; the same command starts anew."


def _say_new_classes(names: list[str]) -> None:
    if names:
        print(f"classes that --init lacks start at random: {', '.join(names)}", flush=True)


def _initial_weights(name: str | None) -> Path | None:
    """Find what ``--init`` names."""
    if name is None:
        return None
    path = Path(name).expanduser()
    if path.suffix == ".plan":
        raise ConfigError(
            f"--init {name}: a plan cannot be trained; give the .onnx file that it was built from"
        )
    if path.suffix == ".pt" or path.is_file():
        return path
    from panoptic_ros.engine.models import find_model

    return find_model(name, ".onnx or .pt")


def _validation(val_size: tuple[int, int]) -> Validate:
    from panoptic_ros.data.coco.files import label_files
    from panoptic_ros.evaluation.predictor import engine_predictor
    from panoptic_ros.evaluation.score import score
    from panoptic_ros.model.checkpoint import spec_of
    from panoptic_ros.model.torch_engine import TorchEngine

    def validate(network: PanopticNetwork, data: CocoPanoptic) -> dict[str, float]:
        classes = [(entry.name, entry.is_thing) for entry in data.categories]
        engine = TorchEngine(network, spec_of(classes, val_size), label_scale=2)
        return score(engine_predictor(engine, label_files(data))).summary()

    return validate


class _Display:
    """A progress bar with the smoothed losses, and a line per validation."""

    def __init__(self, config: TrainConfig) -> None:
        self._config = config
        self.step = 0
        self._losses: dict[str, float] = {}
        self._bar = ProgressBar("train", 1.0)

    def __enter__(self) -> _Display:
        self._bar.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._bar.__exit__(*error)

    def restore(self, done: int, count: int) -> None:
        """Tell of what precedes the first step of a start from an exported model."""
        if done == 0:
            print(
                f"restoring batch norms over {count} training crops before the first step, which "
                "can take minutes on a CPU",
                flush=True,
            )
        self._bar.show(done / count, f"batch norms, {done} of {count} crops")

    def show(self, progress: Progress) -> None:
        """Move the bar; print the scores of a validation."""
        self.step = progress.step
        for name, value in progress.losses.items():
            self._losses[name] = 0.98 * self._losses.get(name, value) + 0.02 * value
        done = progress.step / self._config.steps
        if self._config.minutes:
            done = max(done, progress.minutes / self._config.minutes)
        losses = "  ".join(f"{name} {value:.3f}" for name, value in self._losses.items())
        self._bar.show(done, f"step {progress.step}  {losses}")
        if progress.scores:
            scores = "  ".join(f"{name} {value:.1f}" for name, value in progress.scores.items())
            print(f"step {progress.step}: {scores}", flush=True)


def draw_curves(out: Path) -> None:
    """Draw losses and scores over the steps as ``curves.png``.

    Args:
        out: Folder with the history of a training; nothing is drawn where there is none.
    """
    try:
        import matplotlib
    except ImportError:
        print("no curves.png: matplotlib is not installed; run: pip install matplotlib")
        return

    matplotlib.use("Agg")
    from matplotlib import pyplot

    from panoptic_ros.model.training.history import read_history

    history = read_history(out)
    if not history:
        return
    figure, (left, right) = pyplot.subplots(1, 2, figsize=(12, 4), layout="constrained")
    steps = [entry.step for entry in history]
    for name in history[0].losses:
        left.plot(steps, _smooth([entry.losses[name] for entry in history]), label=name)
    scored = [entry for entry in history if entry.scores]
    for name in scored[0].scores if scored else ():
        points = [entry.scores[name] for entry in scored]
        right.plot([entry.step for entry in scored], points, marker="o", label=name)
    left.set(xlabel="step", ylabel="loss (smoothed)", yscale="log")
    right.set(xlabel="step", ylabel="score on val, %")
    left.legend()
    if scored:
        right.legend()
    figure.savefig(out / CURVES, dpi=110)
    pyplot.close(figure)


def _smooth(values: list[float], share: float = 0.02) -> list[float]:
    mean, smoothed = values[0], []
    for value in values:
        mean += share * (value - mean)
        smoothed.append(mean)
    return smoothed
