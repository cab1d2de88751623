"""Trials as pods: one ``batch/v1`` Job a pod, which runs one trial or several, one after the other."""
