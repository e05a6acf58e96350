"""A model's repository on a hub as a folder."""

import json
from pathlib import Path

import pytest
from huggingface_hub import ModelCard
from huggingface_hub.repocard_data import EvalResult

from xlite.classify import Classifier
from xlite.errors import CheckpointError
from xlite.export.folder import MADE
from xlite.export.hub import write_hub
from xlite.models.info import ModelInfo, read_info
from xlite.places import bundled

NAMES = {".gitattributes", MADE, "README.md", "config.json", "model.safetensors"}


def names(folder):
    return {path.name for path in folder.iterdir()}


def test_the_shipped_model_has_its_card_and_what_it_is_worth(tmp_path):
    source = bundled("checkpoints", "demo", "model.safetensors")
    write_hub(source, "demo", tmp_path / "hub")
    card = ModelCard.load(tmp_path / "hub" / "README.md")
    assert names(tmp_path / "hub") - {"model.onnx"} == NAMES
    assert card.data.to_dict() | {"model-index": None} == {
        "language": "en",
        "license": "apache-2.0",
        "library_name": "xlite",
        "pipeline_tag": "image-classification",
        "tags": ["chest-x-ray", "medical-imaging", "multi-label-classification", "tf_efficientnet_lite0"],
        "metrics": ["roc_auc"],
        "model-index": None,
    }
    [result] = card.data.eval_results
    assert result == EvalResult(
        task_type="image-classification",
        task_name="14 findings in chest films",
        dataset_type="chest-x-ray",
        dataset_name="test part of split unseen-42-2f11840a, 2020 labels: "
        "432 films of 388 patients new to the model",
        dataset_split="test",
        metric_type="roc_auc",
        metric_name="AUC 0.756, mean of 14; 0.735 (0.702–0.761) of the 12 with 10 patients or more",
        metric_value=result.metric_value,
    )
    assert round(result.metric_value, 3) == 0.756
    assert card.text.lstrip().startswith(source.with_name("MODEL_CARD.md").read_text())
    assert 'Classifier.load("demo")' in card.text


@pytest.mark.slow
def test_a_model_by_itself_has_a_card_that_says_what_is_known(exported, tmp_path):
    source, folder = exported[0], tmp_path / "hub"
    write_hub(source, "tiny", folder)
    assert names(folder) == NAMES
    assert (folder / "model.safetensors").read_bytes() == source.read_bytes()
    config = json.loads((folder / "config.json").read_text())
    assert config.pop("format") == "xlite-student-1" and config.pop("xlite")
    assert ModelInfo.model_validate_json(json.dumps(config)) == read_info(source)
    card = ModelCard.load(folder / "README.md")
    assert (card.data.license, card.data.eval_results) == ("unknown", None)
    assert "# Model card: tiny" in card.text and "It was not evaluated on a test part." in card.text
    assert "## What it must not be used for" in card.text
    one, other = Classifier.load(folder), Classifier.load(source)
    assert one.name == "hub" and one.info == other.info


@pytest.mark.slow
def test_an_export_of_the_model_goes_with_it(exported, tmp_path):
    source = tmp_path / "run" / "model.safetensors"
    source.parent.mkdir()
    source.write_bytes(exported[0].read_bytes())
    (source.parent / "model.onnx").write_bytes(exported[1].read_bytes())
    write_hub(source, "run", tmp_path / "hub")
    assert names(tmp_path / "hub") == NAMES | {"model.onnx"}
    assert Classifier.load(tmp_path / "hub").engine.name == "onnxruntime"


def test_what_has_no_weights_is_no_model_repository(exported, tmp_path):
    with pytest.raises(CheckpointError) as error:
        write_hub(exported[1], "tiny", tmp_path / "hub")
    assert str(error.value) == (
        f"{exported[1]} is an export, which has no weights to train on or to make maps from: name the model "
        "that it was made from"
    )
    text = tmp_path / "text.safetensors"
    text.write_text("no model at all, but some words")
    with pytest.raises(CheckpointError, match="is not a model file: it is not in the safetensors format"):
        write_hub(text, "text", tmp_path / "hub")
    assert not Path(tmp_path / "hub").exists()
