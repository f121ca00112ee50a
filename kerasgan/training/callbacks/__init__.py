"""Keras callbacks that all trainings share."""
