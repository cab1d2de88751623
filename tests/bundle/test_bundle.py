"""What is written is what is loaded, and nothing else is loaded."""

import json
import os
import shutil
import subprocess
import sys
import threading

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from minorkey.bundle.bundle import Bundle, BundleInfo, write_bundle
from minorkey.bundle.manifest import _digest
from minorkey.errors import BundleError, ContractError, ShapeError, StateError
from tests.bundle.conftest import SCHEMA, table

TRAINING = ("sklearn", "lightgbm", "xgboost", "torch", "optuna", "mlflow", "imblearn", "skl2onnx", "scipy")


def test_round_trip(folder, info, composed):
    bundle = Bundle.load(folder)
    loaded = bundle.info
    assert loaded.schema == SCHEMA and loaded.calibration == info.calibration
    assert (loaded.threshold, loaded.costs, loaded.imputation) == (
        info.threshold,
        info.costs,
        info.imputation,
    )
    assert loaded.validation == {"average_precision": 0.5, "roc_auc": None}
    assert sorted(path.name for path in folder.iterdir()) == ["bundle.json", "model.onnx"]
    raw, score = bundle.score(table(seed=2))
    assert raw.shape == score.shape == (400,) and raw.dtype == score.dtype == np.float64
    assert np.abs(score - info.calibration.apply(raw)).max() < 1e-7


def test_equal_content_gives_the_same_digest_and_any_change_another(tmp_path, composed, info):
    first = write_bundle(tmp_path / "a", composed, info)
    assert write_bundle(tmp_path / "b", composed, info) == first
    assert Bundle.load(tmp_path / "a").digest == first
    other = BundleInfo(**{**vars(info), "threshold": 0.26})
    assert write_bundle(tmp_path / "c", composed, other) != first


def test_rewriting_replaces_the_older_bundle_and_leaves_nothing_behind(folder, composed, info):
    other = BundleInfo(**{**vars(info), "threshold": 0.75})
    write_bundle(folder, composed, other)
    assert Bundle.load(folder).info.threshold == 0.75
    assert [path.name for path in folder.parent.iterdir()] == ["bundle"]


def test_an_empty_folder_is_filled_and_another_refused(tmp_path, composed, info):
    (tmp_path / "empty").mkdir()
    write_bundle(tmp_path / "empty", composed, info)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.tex").write_text("years of work")
    with pytest.raises(StateError, match="something else"):
        write_bundle(tmp_path / "full", composed, info)
    assert (tmp_path / "full" / "thesis.tex").read_text() == "years of work"


def test_a_place_that_cannot_be_written(tmp_path, composed, info):
    (tmp_path / "file").write_text("")
    with pytest.raises(StateError, match="cannot be written"):
        write_bundle(tmp_path / "file" / "bundle", composed, info)


def test_scores_do_not_depend_on_the_batch_or_the_threads(folder):
    features = table(n=70_000, seed=3)
    raw, score = Bundle.load(folder).score(features)
    more_raw, _ = Bundle.load(folder, threads=2).score(features)
    assert np.allclose(raw, more_raw, rtol=0, atol=1e-6)
    few = Bundle.load(folder).score(features.iloc[65_530:65_560])
    assert np.allclose(few[1], score[65_530:65_560], rtol=0, atol=1e-6)


def test_columns_without_pandas(folder):
    bundle, features = Bundle.load(folder), table(n=5, seed=3)
    columns = {name: features[name].to_numpy() for name in SCHEMA.names()}
    expected = bundle.score(features)
    assert np.array_equal(bundle.score_arrays(columns), expected)
    assert np.array_equal(bundle.score_arrays(columns | {"extra": np.arange(9)}), expected)
    lists = {name: np.asarray(values.tolist()) for name, values in columns.items()}
    assert np.array_equal(bundle.score_arrays(lists), expected)
    assert bundle.score(features[["when", "kind", "score", "amount"]])[0].tolist() == expected[0].tolist()
    assert [len(part) for part in bundle.score(features.iloc[:0])] == [0, 0]


def test_none_and_nan_mean_missing_text(folder):
    bundle, features = Bundle.load(folder), table(n=3)
    columns = {name: features[name].to_numpy() for name in SCHEMA.names()}
    by_empty = bundle.score_arrays(columns | {"kind": np.array([""] * 3, dtype=object)})
    by_none = bundle.score_arrays(columns | {"kind": np.array([None, float("nan"), ""], dtype=object)})
    assert np.array_equal(by_empty, by_none)


def test_text_that_is_not_unicode_is_unseen(folder):
    bundle, features = Bundle.load(folder), table(n=2)
    columns = {name: features[name].to_numpy() for name in SCHEMA.names()}
    broken = bundle.score_arrays(columns | {"kind": np.array(["\ud800", "a"], dtype=object)})
    unseen = bundle.score_arrays(columns | {"kind": np.array(["never seen", "a"], dtype=object)})
    assert np.array_equal(broken, unseen)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kind": None}, "kind"),
        ({"kind": np.array(["a"], dtype=object)}, "one length"),
        ({"amount": np.ones((3, 1))}, "one length"),
    ],
)
def test_columns_that_do_not_belong_together(folder, change, message):
    features = table(n=3)
    columns = {name: features[name].to_numpy() for name in SCHEMA.names()} | change
    columns = {name: values for name, values in columns.items() if values is not None}
    with pytest.raises(ShapeError, match=message):
        Bundle.load(folder).score_arrays(columns)


def test_threads_share_a_bundle(folder):
    bundle, features = Bundle.load(folder), table(n=64)
    expected, wrong = bundle.score(features)[0], []

    def work() -> None:
        for _ in range(50):
            wrong.append(not np.array_equal(bundle.score(features)[0], expected))

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(wrong) == 200 and not any(wrong)


def edit(folder, **changes) -> None:
    """Change the manifest and mend its digest, as a forger would."""
    manifest = json.loads((folder / "bundle.json").read_text())
    manifest |= changes
    manifest["digest"] = _digest(manifest)
    (folder / "bundle.json").write_text(json.dumps(manifest))


def altered_graph(folder):
    data = bytearray((folder / "model.onnx").read_bytes())
    data[len(data) // 2] ^= 1
    (folder / "model.onnx").write_bytes(data)


def altered_threshold(folder):
    manifest = json.loads((folder / "bundle.json").read_text())
    manifest["threshold"] = 0.9
    (folder / "bundle.json").write_text(json.dumps(manifest))


def reference_of_another_version(folder):
    manifest = json.loads((folder / "bundle.json").read_text())
    other = folder.parent / "other"
    info = BundleInfo.from_json(manifest | {"reference": {"rows": 7}})
    write_bundle(other, onnx.load(folder / "model.onnx"), info)
    manifest["reference"] = json.loads((other / "bundle.json").read_text())["reference"]
    (folder / "bundle.json").write_text(json.dumps(manifest))


def linked_graph(folder):
    (folder / "model.onnx").rename(folder.parent / "elsewhere.onnx")
    (folder / "model.onnx").symlink_to(folder.parent / "elsewhere.onnx")


ALTERATIONS = {
    "graph": altered_graph,
    "threshold": altered_threshold,
    "reference of another version": reference_of_another_version,
    "link": linked_graph,
    "truncated": lambda folder: os.truncate(folder / "model.onnx", 100),
    "longer": lambda folder: (folder / "model.onnx").open("ab").write(b"\0"),
    "no graph": lambda folder: (folder / "model.onnx").unlink(),
    "no manifest": lambda folder: (folder / "bundle.json").unlink(),
    "extra file": lambda folder: (folder / "extra.txt").write_text("hello"),
    "extra folder": lambda folder: (folder / "extra").mkdir(),
    "pipe": lambda folder: os.mkfifo(folder / "extra"),
    "not JSON": lambda folder: (folder / "bundle.json").write_text("{"),
    "not text": lambda folder: (folder / "bundle.json").write_bytes(b"\xff\xfe"),
    "deep JSON": lambda folder: (folder / "bundle.json").write_text("[" * 100_000),
    "a list": lambda folder: (folder / "bundle.json").write_text("[]"),
    "empty": lambda folder: (folder / "bundle.json").write_text(""),
    "future format": lambda folder: edit(folder, format=2),
    "format as text": lambda folder: edit(folder, format="1"),
    "format as truth": lambda folder: edit(folder, format=True),
    "no schema": lambda folder: edit(folder, schema={}),
    "no threshold": lambda folder: edit(folder, threshold=None),
    "other calibration": lambda folder: edit(folder, calibration={"kind": "magic", "parameters": {}}),
    "other features": lambda folder: edit(
        folder, schema={**SCHEMA.to_json(), "features": [{"name": "amount", "kind": "numeric"}]}
    ),
    "no files": lambda folder: edit(folder, files={}),
    "escape": lambda folder: edit(
        folder,
        files={
            **json.loads((folder / "bundle.json").read_text())["files"],
            "../secret": {"sha256": "", "size": 0},
        },
    ),
    "gone": lambda folder: shutil.rmtree(folder),
}


@pytest.mark.parametrize("alteration", ALTERATIONS.values(), ids=ALTERATIONS)
def test_an_altered_bundle_is_refused(folder, alteration, monkeypatch):
    import onnxruntime

    loads = []
    monkeypatch.setattr(onnxruntime, "InferenceSession", lambda *args, **kwargs: loads.append(args))
    alteration(folder)
    with pytest.raises(BundleError):
        Bundle.load(folder)
    assert not loads


def foreign_domain(graph):
    graph.graph.node.append(helper.make_node("Gelu", ["raw"], ["unused"], domain="com.microsoft"))


def foreign_domain_in_a_branch(graph):
    inner = helper.make_graph(
        [helper.make_node("Gelu", ["raw"], ["inner"], domain="com.microsoft")],
        "branch",
        [],
        [helper.make_tensor_value_info("inner", TensorProto.FLOAT, ["N"])],
    )
    graph.graph.node.append(helper.make_node("If", ["raw"], ["unused"], then_branch=inner, else_branch=inner))


def external_constant(graph):
    tensor = graph.graph.initializer.add(name="secret", data_type=TensorProto.UINT8, dims=[4])
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="/etc/passwd")


def external_attribute(graph):
    node = helper.make_node(
        "Constant", [], ["unused"], value=helper.make_tensor("", TensorProto.FLOAT, [1], [1])
    )
    node.attribute[0].t.external_data.add(key="location", value="../../secret")
    graph.graph.node.append(node)


def local_function(graph):
    graph.functions.append(
        helper.make_function("", "Own", ["x"], ["y"], [helper.make_node("Identity", ["x"], ["y"])], [])
    )


def other_input(graph):
    graph.graph.input[0].type.tensor_type.elem_type = TensorProto.FLOAT


def third_output(graph):
    graph.graph.output.append(graph.graph.output[0])


@pytest.mark.parametrize(
    "forge",
    [
        foreign_domain,
        foreign_domain_in_a_branch,
        external_constant,
        external_attribute,
        local_function,
        other_input,
        third_output,
    ],
)
def test_a_foreign_graph_is_refused_when_written_and_when_loaded(tmp_path, folder, composed, info, forge):
    import hashlib

    graph = onnx.ModelProto()
    graph.CopyFrom(composed)
    forge(graph)
    with pytest.raises(BundleError):
        write_bundle(tmp_path / "forged", graph, info)
    assert not (tmp_path / "forged").exists()
    data = graph.SerializeToString()
    (folder / "model.onnx").write_bytes(data)
    edit(folder, files={"model.onnx": {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}})
    with pytest.raises(BundleError, match="graph"):
        Bundle.load(folder)


def test_a_graph_that_onnxruntime_cannot_run_is_refused(folder, composed):
    import hashlib

    graph = onnx.ModelProto()
    graph.CopyFrom(composed)
    graph.graph.node[0].op_type = "NoSuchOperator"
    data = graph.SerializeToString()
    (folder / "model.onnx").write_bytes(data)
    edit(folder, files={"model.onnx": {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}})
    with pytest.raises(BundleError, match="onnxruntime"):
        Bundle.load(folder)


def test_a_threshold_that_is_no_number_is_never_written(tmp_path, composed, info):
    with pytest.raises(ContractError, match="threshold"):
        write_bundle(tmp_path / "b", composed, BundleInfo(**{**vars(info), "threshold": float("nan")}))


def test_serving_imports_no_training_library(folder):
    code = (
        "import sys, numpy as np\n"
        "from pathlib import Path\n"
        "from minorkey.bundle.bundle import Bundle\n"
        "bundle = Bundle.load(Path(sys.argv[1]))\n"
        "row = {'amount': np.ones(1), 'score': np.ones(1), 'when': np.ones(1),"
        " 'kind': np.array(['a'], dtype=object)}\n"
        "assert 0 <= bundle.score_arrays(row)[1][0] <= 1\n"
        f"print(sorted(set(sys.modules) & set({TRAINING!r})))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(folder)], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "[]"
