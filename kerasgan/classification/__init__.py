"""Classification of images with text: paper B's network, and an ensemble."""
