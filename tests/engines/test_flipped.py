"""A film and its mirror image, read as one."""

import numpy as np

from xlite.engines.flipped import Flipped
from xlite.engines.onnx_engine import OnnxEngine


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
    assert (both.info, both.methods, both.size()) == (engine.info, engine.methods, engine.size())
    assert both.name == "onnxruntime, film and mirror image"
