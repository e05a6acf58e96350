"""A film and its mirror image, read as one."""

import numpy as np

from xlite.classify import Classifier
from xlite.engines.flipped import Flipped
from xlite.engines.onnx_engine import OnnxEngine
from xlite.examples import examples
from xlite.images import read_image
from xlite.places import bundled
from xlite.report.model_words import thresholds_words
from xlite.report.reading_sentences import bars_sentences, thresholds_sentence


def test_a_film_and_its_mirror_image_have_one_answer(exported):
    engine = OnnxEngine.load(exported[1])
    both = Flipped(engine)
    x = np.random.default_rng(1).normal(size=(2, 3, 96, 96)).astype(np.float32)
    mirrored = np.ascontiguousarray(x[..., ::-1])
    logits, maps, *_ = both.output(x, "layercam")
    np.testing.assert_allclose(logits, (engine.logits(x) + engine.logits(mirrored)) / 2, atol=1e-6)
    np.testing.assert_array_equal(logits, both.logits(x))
    others, turned, *_ = both.output(mirrored, "layercam")
    np.testing.assert_allclose(others, logits, atol=1e-6)
    np.testing.assert_allclose(turned[..., ::-1], maps, atol=1e-6 * maps.max())
    assert (both.methods, both.size()) == (engine.methods, engine.size())
    assert both.name == "onnxruntime, film and mirror image"


def test_the_mean_has_no_thresholds_of_single_readings_and_their_calibrator():
    single = Classifier.load(bundled("checkpoints", "demo", "model.onnx"))
    both = single.flipped()
    fitted = ("thresholds", "thresholds_chosen_on", "validation")
    assert all(getattr(single.info, name) is not None for name in fitted)
    assert [getattr(both.info, name) for name in fitted] == [None] * 3
    assert both.info.calibration == single.info.calibration is not None
    bare = both.info.calibration.uncalibrated()
    assert (single.info.averaged, both.info.averaged) == (None, "mirror_image")
    reading = both.read(read_image(examples()["7. No finding"].path))
    for worth in reading.worths():
        facts = {name: value for name, value in worth.facts().items() if value is not None}
        assert facts == {
            "probability": worth.probability,
            "calibrated": worth.finding not in bare,
            "remarks": ["averaged", *(["not_calibrated"] if worth.finding in bare else [])],
        }
    why = "this is the mean of two, of the film and of its mirror image."
    assert both.about.endswith(why) and thresholds_words(both.info).endswith(why)
    assert thresholds_sentence(reading).endswith(why) and bars_sentences(reading)[0].endswith(why)
    assert "mirror" not in single.about
