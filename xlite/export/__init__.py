"""From a student in torch to one ONNX file that answers by itself: `write.export_model`."""
