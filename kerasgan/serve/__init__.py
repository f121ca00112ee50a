"""A local web page that puts runs, exports and an index to work."""
