"""Widgets that answer in a live notebook, in a static page, without JavaScript, and on paper.

Arrays and labels go in; none of these imports `unrolled.nn`. The first stands in chapter 1.
"""

from unrolled.widgets.attention_map import AttentionMap
from unrolled.widgets.bears_model import BearsModel
from unrolled.widgets.bears_plane import BearsPlane
from unrolled.widgets.bertviz import (
    BertvizHeadView,
    BertvizModelView,
    bertviz_head_view,
    bertviz_model_view,
)
from unrolled.widgets.block_builder import BlockBuilder
from unrolled.widgets.cost_calculator import CostCalculator
from unrolled.widgets.decoder_stepper import DecoderStepper
from unrolled.widgets.digit_reader import DigitReader
from unrolled.widgets.explore import explore
from unrolled.widgets.head_browser import HeadBrowser, head_summary
from unrolled.widgets.induction_explorer import InductionExplorer
from unrolled.widgets.length_curves import LengthCurves
from unrolled.widgets.next_token import NextTokenBench
from unrolled.widgets.paint_mixer import PaintMixer
from unrolled.widgets.playground import Playground
from unrolled.widgets.position_clock import PositionClock
from unrolled.widgets.qkv_bench import QKVBench
from unrolled.widgets.state_matrix import StateMatrix
from unrolled.widgets.token_cutter import TokenCutter
from unrolled.widgets.token_walk import TokenWalk
from unrolled.widgets.training_timeline import TrainingTimeline
from unrolled.widgets.translation import TranslationView
from unrolled.widgets.unroller import Unroller

__all__ = [
    "AttentionMap",
    "BearsModel",
    "BearsPlane",
    "BertvizHeadView",
    "BertvizModelView",
    "BlockBuilder",
    "CostCalculator",
    "DecoderStepper",
    "DigitReader",
    "HeadBrowser",
    "InductionExplorer",
    "LengthCurves",
    "NextTokenBench",
    "PaintMixer",
    "Playground",
    "PositionClock",
    "QKVBench",
    "StateMatrix",
    "TokenCutter",
    "TokenWalk",
    "TrainingTimeline",
    "TranslationView",
    "Unroller",
    "bertviz_head_view",
    "bertviz_model_view",
    "explore",
    "head_summary",
]
