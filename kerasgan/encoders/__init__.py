"""Networks from images and captions to features, pretrained or trained along."""
