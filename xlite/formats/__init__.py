"""From the bytes of a film to uint8 (H, W): PNG, JPEG and DICOM, looked at whole before they are decoded."""
