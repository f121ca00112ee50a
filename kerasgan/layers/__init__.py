"""Keras layers that Keras itself does not have, one public class a file."""
