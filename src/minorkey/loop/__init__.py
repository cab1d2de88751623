"""The whole loop on one machine: serve, watch, see harm, mend it, serve the better model."""
