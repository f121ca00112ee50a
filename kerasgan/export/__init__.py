"""A run as models that need no kerasgan: SavedModel, LiteRT, ONNX, or Keras's own."""
