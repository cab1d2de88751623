"""The predictor and local deployment."""
