"""What computes a model's answers: one interface (`engine`), torch and onnxruntime behind it."""
