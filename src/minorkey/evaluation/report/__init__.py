"""The report: one self-contained page, and the model card."""

from minorkey.evaluation.report.card import model_card
from minorkey.evaluation.report.content import Content
from minorkey.evaluation.report.page import render

__all__ = ["Content", "model_card", "render"]
