"""Callbacks for frameworks, by the names that wandb has for them."""
