"""What the tests of all commands share."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from command_line import wait_for

from xlite.images import Preprocess
from xlite.places import checkpoints_dir
from xlite.runs.run import LIVE, Run


@pytest.fixture
def model(own_home: Path) -> str:
    """A random model under the name `demo`."""
    import torch

    from xlite.models.checkpoint import save_model
    from xlite.models.info import ModelInfo
    from xlite.models.student import Student

    torch.manual_seed(0)
    student = Student("test_resnet.r160_in1k", hidden=16).eval()
    info = ModelInfo(
        backbone="test_resnet.r160_in1k",
        attention="none",
        hidden=16,
        dropout=0.3,
        preprocess=Preprocess(64),
        split_id="patient-42-00000000",
        label_version="2020",
    )
    (checkpoints_dir() / "demo").mkdir(parents=True)
    save_model(checkpoints_dir() / "demo" / "model.safetensors", student, info)
    return "demo"


@pytest.fixture
def no_job_left() -> Iterator[None]:
    """Ends what a failed test leaves running."""
    yield
    for job in Run.list():
        if job.status().state in LIVE:
            job.stop()
            wait_for(lambda job=job: not job.is_held())
