"""The record of the real model is what the model gives today."""

import pytest
import torch

from tools.experiments.real_bears import NOTES, figures, model_folder
from unrolled.training.results import read_result


def test_the_real_model_gives_what_is_recorded():
    result = read_result("real-bears")
    found, tables, parameters = figures(model_folder())
    assert found.keys() == result["metrics"].keys()
    for name, value in found.items():
        assert value == pytest.approx(result["metrics"][name][0], abs=1e-4), name
    assert parameters == result["parameters"]
    assert result["notes"] == NOTES
    recorded = result["tables"]
    assert (tables["sha256"], tables["wrong"]) == (recorded["sha256"], recorded["wrong"])
    assert tables["spread seen"] == pytest.approx(recorded["spread seen"], abs=2e-4)
    assert tables["planes"].keys() == recorded["planes"].keys()
    for name, points in tables["planes"].items():
        # A plane may come out turned; who lies how far from whom may not.
        ours, theirs = torch.tensor(points), torch.tensor(recorded["planes"][name])
        torch.testing.assert_close(torch.cdist(ours, ours), torch.cdist(theirs, theirs), rtol=0, atol=5e-3)
