"""X-Lite beside a PACS: what it says of a film as DICOM objects, and how films come and these go.

For research, not for care. pynetdicom, highdicom and dicomweb-client are imported here alone; they come with
the extra `dicom`.
"""
