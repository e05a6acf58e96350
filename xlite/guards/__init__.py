"""What a picture is, before it is read: a frontal chest X-ray, the right way up."""
