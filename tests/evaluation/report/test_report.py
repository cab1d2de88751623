import re

import numpy as np

from minorkey.evaluation.report import Content, curves, model_card, render, trial_figures


def test_page_is_self_contained_and_escaped(content: Content) -> None:
    page = render(content)
    assert not re.findall(r'(?:src|href)="(?!#|data:)[^"]+"', page)
    assert "<script" not in page
    assert "cards &lt;b&gt;" in page and "cards <b>" not in page


def test_page_leads_with_the_verdict(content: Content) -> None:
    page = render(content)
    assert page.index("No champion yet") < page.index("<svg")
    assert "country" in page and "fold bag" in page


def test_ids_of_figures_do_not_collide(content: Content) -> None:
    ids = re.findall(r'\bid="([^"]+)"', render(content))
    assert len(ids) == len(set(ids))


def test_confusion_counts_every_row_once(content: Content) -> None:
    matrix = np.array(curves.confusion(content))
    assert matrix.sum() == len(content.y)
    assert matrix[1].sum() == content.y.sum()


def test_parameter_that_decides_the_score_is_the_most_important(content: Content) -> None:
    trials = [trial for trial in content.study["trials"] if trial["outcome"] == "complete"]
    for trial in trials:
        trial["value"] = 0.5 + 0.05 * trial["configuration"]["model"]["depth"]
    found = trial_figures.importances(trials)
    assert found is not None
    assert next(iter(found[1])) == "depth"


def test_few_trials_give_no_importance(content: Content) -> None:
    assert trial_figures.importances(content.study["trials"][:6]) is None


def test_tried_counts_every_trial(content: Content) -> None:
    rows = trial_figures.tried(content.study["trials"])
    assert sum(row["complete"] + row["pruned"] + row["failed"] for row in rows) == 40


def test_card_names_use_limits_and_slices(content: Content) -> None:
    card = model_card(content)
    assert "Not stated" in card and "scenario" in card and "| country | CH |" in card
    assert f"Only {int(content.y.sum())} test positives" in card
