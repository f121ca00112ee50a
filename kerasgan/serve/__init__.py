"""A local web page that puts trained runs and indexes to work."""
