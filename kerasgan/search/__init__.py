"""Search: an index of the images of any folder, found by words, vectors or likeness.

Opening an index and searching it by words imports neither TensorFlow nor Keras.
"""
