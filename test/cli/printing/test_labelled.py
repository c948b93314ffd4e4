# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from panoptic_ros.cli.printing.labelled import LabelledBags
from panoptic_ros.fleet.bag_report import BagReport


@pytest.mark.parametrize("error", ["/d/a.mcap: cannot be found", "cannot be found"])
def test_a_bag_that_failed_is_named_once(error: str, capsys: pytest.CaptureFixture[str]) -> None:
    LabelledBags("out").add(BagReport("/d/a.mcap", "a", "failed", error))
    assert capsys.readouterr().err == "panoptic label: /d/a.mcap: failed: cannot be found\n"
