"""The trackers that `bench/peers.py` measures."""
