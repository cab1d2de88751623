"""Row "Is the data drifting?": features, scores, predicted positives. None of it is harm by itself."""

from minorkey.drift.dashboard.panel import MODEL, VERSION, Panel, Query, above

__all__ = ["DRIFT"]

DRIFT = (
    Panel(
        "Drift of the feature that moved most",
        "Population stability index, standardised by what it comes to by chance; `by chance` is what the "
        "largest of all features reaches in one window of a hundred. Above it, look which feature moved, and "
        "why. Drift without harm starts no retune.",
        (
            Query(f"model:minorkey_drift:standardised{{{VERSION}}}", "version {{version}}"),
            Query(f"model:minorkey_drift:null_upper{{{VERSION}}}", "version {{version}} by chance"),
        ),
        alerts=("MinorkeyDataDrift",),
    ),
    Panel(
        "Population stability index",
        "Of the feature that moved most, and of the score. Below 0.1 a drift is too small to matter, however "
        "sure it is.",
        (
            Query(f"model:minorkey_feature_psi:max{{{VERSION}}}", "version {{version}} features"),
            Query(f"model:minorkey_score_psi:value{{{VERSION}}}", "version {{version}} score"),
        ),
        alerts=("MinorkeyDataDrift", "MinorkeyScoreDrift"),
        steps=above(0.1),
    ),
    Panel(
        "Drift of the score",
        "Standardised: 1 is what chance reaches in one window of a hundred. Scores that moved while no "
        "feature did point to a feature that is not watched, or to another combination of features.",
        (Query(f"model:minorkey_score_psi:standardised{{{VERSION}}}", "version {{version}}"),),
        alerts=("MinorkeyScoreDrift",),
        steps=above(1),
    ),
    Panel(
        "Ten features that moved most",
        "Standardised stability index by feature. Compare the bins of the first with the reference: much in "
        "`missing` or `other` speaks of a broken source, all in an outermost bin of a changed unit.",
        (
            Query(
                f"topk(10, model_feature:minorkey_feature_psi:standardised{{{VERSION}}})",
                "{{feature}} ({{version}})",
            ),
        ),
        alerts=("MinorkeyDataDrift",),
        shape="bars",
    ),
    Panel(
        "Bins of features that gained most",
        "Share of the rows now less that of the reference, by feature and bin.",
        (
            Query(
                f"topk(10, model_feature_bin:minorkey_feature_bin:fraction{{{VERSION}}}"
                f" - model_feature_bin:minorkey_feature_bin:reference{{{VERSION}}})",
                "{{feature}}: {{bin}} ({{version}})",
            ),
        ),
        unit="percentunit",
        alerts=("MinorkeyDataDrift",),
        shape="bars",
    ),
    Panel(
        "Bins of the score",
        "Share of the rows now less that of the reference, by bin of the calibrated score.",
        (
            Query(
                f"model_bin:minorkey_score_bin:fraction{{{VERSION}}}"
                f" - model_bin:minorkey_score_bin:reference{{{VERSION}}}",
                "{{bin}} ({{version}})",
            ),
        ),
        unit="percentunit",
        alerts=("MinorkeyScoreDrift",),
        shape="bars",
    ),
    Panel(
        "Share of rows called positive",
        "Beside the prevalence that the model was calibrated at. Check that whoever works on the positives "
        "can cope with their number.",
        (
            Query(
                f"model:minorkey_predicted_positive:ratio{{{VERSION}}}", "version {{version}} called positive"
            ),
            Query(f"model:minorkey_reference_prevalence:rate{{{VERSION}}}", "version {{version}} reference"),
        ),
        unit="percentunit",
        alerts=("MinorkeyScoreDrift",),
        width=12,
    ),
    Panel(
        "Rows in the window",
        "What the figures of this row rest on. They are absent, not wrong, below five hundred.",
        (Query(f"model:minorkey_rows:increase{{{VERSION}}}", "version {{version}}"),),
        shape="number",
        width=6,
    ),
    Panel(
        "Features not watched",
        "Left out because of `monitor.max_features`, the least important ones. Raise it in the specification "
        "where one of them matters.",
        (Query(f"max by (version) (minorkey_features_left_out{{{MODEL}}})", "version {{version}}"),),
        shape="number",
        width=6,
    ),
)
