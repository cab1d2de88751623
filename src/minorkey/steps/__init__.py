"""The steps of the pipeline: six of them do the work, configure and release stand around them."""
