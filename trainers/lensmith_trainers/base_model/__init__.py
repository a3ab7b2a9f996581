"""The program `base_model`: a small model from random weights, taught by captions."""
