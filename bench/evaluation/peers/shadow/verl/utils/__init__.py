"""Stands in for the packages above the judge of CodeDance, whose own imports (torch, ray) eval.py does not use."""
