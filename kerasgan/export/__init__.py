"""Export of runs as models that do not need kerasgan.

Formats: SavedModel, LiteRT, ONNX, and Keras's own (which needs kerasgan's layers).
"""
