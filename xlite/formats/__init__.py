"""From the bytes of a film to uint8 (H, W): every format is looked at whole before it is decoded."""

FORMATS = "PNG, JPEG, TIFF, WebP, BMP or DICOM"
"""The formats of films, in words: forms, help texts and messages say this."""
