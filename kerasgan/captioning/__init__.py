"""Captioning and retrieval: dual encoder, captioner and reranking."""
