"""Before anything imports Flower: it tells nobody of these tests."""

from xlite.federated.flower import hush

hush()
