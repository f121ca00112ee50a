"""Results as tables, charts and images with predictions."""
