"""The population that benchmarks draw patients from."""

from pathlib import Path

import pytest
from population import Population


@pytest.fixture(scope="session")
def population(shared_data: Path) -> Population:
    """22,433 films with the predictions of a public network."""
    return Population.read(
        shared_data / "reference" / "densenet121_test_predictions.csv",
        shared_data / "nih_tables" / "Data_Entry_2017_v2020.csv.gz",
    )
