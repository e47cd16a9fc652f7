"""Step mode: one training step walked forward, backward and through the update, number by number."""
