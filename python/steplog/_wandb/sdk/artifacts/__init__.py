"""Artifacts, at the place where wandb defines them."""
