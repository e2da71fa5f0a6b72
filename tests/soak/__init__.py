"""Mixed traffic for a long time, every message accounted for, and a judgement on what grows.

`journal` is what was said and heard, `app` and `visitors` are the two ends, `events` happen to them, `pulse` is the
latency that a bystander sees, `growth` judges the series, `soak` puts all together.
"""
