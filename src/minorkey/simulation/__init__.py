"""Traffic as production has it: any data set streamed to a predictor, with drift and late labels."""
