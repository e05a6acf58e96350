"""DICOM radiographs to uint8 images: stored values, rescale, VOI LUT or window, at most one inversion."""

from xlite.formats.dicom.film import dicom_windows, looks_like_dicom, read_dicom

__all__ = ["dicom_windows", "looks_like_dicom", "read_dicom"]
