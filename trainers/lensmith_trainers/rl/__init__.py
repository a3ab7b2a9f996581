"""The program `rl`: reinforcement learning with tools."""
