"""The kinds of data sets that can be imported, by the names that commands and pages use. Imports nothing."""

KINDS = {
    "chexpert": "CheXpert, also CheXpert-small",
    "mimic": "MIMIC-CXR-JPG",
    "padchest": "PadChest",
    "vindr": "VinDr-CXR, as PhysioNet or Kaggle has it",
    "rsna": "RSNA Pneumonia Detection Challenge",
    "siim": "SIIM-ACR Pneumothorax Segmentation",
    "openi": "Open-I, the Indiana University collection",
    "chestx-det": "ChestX-Det and ChestX-Det10",
    "xrv": "a table in torchxrayvision's label order",
    "medmnist": "ChestMNIST of MedMNIST",
    "csv": "any other table of films",
}
OWN_TABLE = ("xrv", "csv")
"""Kinds that are somebody's own table: they have no name of their own, so the folder's counts as one."""
POLICIES = ("ignore", "ones", "zeros")
"""What an uncertain label may count as: unknown, present or absent."""
BLANK = ("unknown", "zeros")
"""What a label that is left blank may count as, if not as the mapping says."""
RECORD = "import.json"
"""The file of an imported folder that says what was made of what."""
