"""Builds each student of a study once: a program of its own, so that a sweep, which waits for days, needs no
torch.

`python -m xlite.sweeps.build_students '{"devices": ["cpu"], "students": [["resnet18", 224]]}'` prints
{"refused": words} of the first device, backbone or image size that is not to be had.
"""

import json
import sys

from xlite.errors import RunError, words_as_json
from xlite.models.student import Student, describe
from xlite.training.fabric import usable_devices


def main() -> None:
    """Looks for the devices and builds the students."""
    asked = json.loads(sys.argv[1])
    try:
        for device in asked["devices"]:
            usable_devices(device)
        for backbone, size in asked["students"]:
            describe(Student(backbone), size)
    except RunError as error:
        print(json.dumps({"refused": words_as_json(error.words)}))


if __name__ == "__main__":
    main()
