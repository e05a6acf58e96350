"""The limits of the gate: from which probability, grey range or sharpness on a reason is given."""

from pydantic import BaseModel, ConfigDict


class Limits(BaseModel):
    """Limits of the gate's network as its file carries them, and where they come from.

    other, lateral, inverted, turned, mirrored, child, cut: the least probability, 0-1, at which the reason is
    given; frontal: the probability below which a picture is called unlike. grey_range: the least, in grey
    levels; sharpness: the least and the most.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    frontal: float
    other: float
    lateral: float
    inverted: float
    turned: float
    mirrored: float
    child: float
    cut: float
    grey_range: float
    sharpness: tuple[float, float]
