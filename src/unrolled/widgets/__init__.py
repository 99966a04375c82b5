"""Widgets that answer in a live notebook, in a static page, without JavaScript, and on paper.

Arrays and labels go in; none of these imports `unrolled.nn`.
"""

from unrolled.widgets.attention_map import AttentionMap
from unrolled.widgets.bears_model import BearsModel
from unrolled.widgets.bears_plane import BearsPlane
from unrolled.widgets.bertviz import BertvizHeadView, bertviz_head_view
from unrolled.widgets.decoder_stepper import DecoderStepper
from unrolled.widgets.explore import explore
from unrolled.widgets.head_browser import HeadBrowser, head_summary
from unrolled.widgets.length_curves import LengthCurves
from unrolled.widgets.next_token import NextTokenBench
from unrolled.widgets.paint_mixer import PaintMixer
from unrolled.widgets.position_clock import PositionClock
from unrolled.widgets.qkv_bench import QKVBench
from unrolled.widgets.token_walk import TokenWalk
from unrolled.widgets.translation import TranslationView
from unrolled.widgets.unroller import Unroller

__all__ = [
    "AttentionMap",
    "BearsModel",
    "BearsPlane",
    "BertvizHeadView",
    "DecoderStepper",
    "HeadBrowser",
    "LengthCurves",
    "NextTokenBench",
    "PaintMixer",
    "PositionClock",
    "QKVBench",
    "TokenWalk",
    "TranslationView",
    "Unroller",
    "bertviz_head_view",
    "explore",
    "head_summary",
]
