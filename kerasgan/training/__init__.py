"""What the three trainings share: callbacks, checkpoints, devices."""
