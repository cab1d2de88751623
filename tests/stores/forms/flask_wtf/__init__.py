"""What MLflow's user management wants for its sign-up form, which no test opens: it refuses every post."""
