"""Captioning and finding: the dual encoder, the captioner, and reranking."""
