"""Builds each student of a study once: a program of its own, so that a sweep, which waits for days, needs no
torch.

`python -m xlite.sweeps.build_students '{"devices": ["cpu"], "students": [["resnet18", 224]]}'` ends with the
first sentence on a device, backbone or image size that is not to be had.
"""

import json
import sys

from xlite.errors import RunError
from xlite.models.student import Student, describe
from xlite.training.fabric import usable_devices


def main() -> None:
    """Looks for the devices, builds the students, and exits with a sentence if that fails."""
    asked = json.loads(sys.argv[1])
    try:
        for device in asked["devices"]:
            usable_devices(device)
        for backbone, size in asked["students"]:
            describe(Student(backbone), size)
    except RunError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
