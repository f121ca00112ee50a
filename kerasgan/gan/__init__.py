"""Drawing: the generator, the discriminator, and how they are trained."""
