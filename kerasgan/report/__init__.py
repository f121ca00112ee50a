"""Results as tables, charts, and sheets of examples."""
