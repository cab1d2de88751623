"""What the HTTP services share: who may ask, how much, and how they say no."""
