"""The program `serve`: an OpenAI-compatible server of one model."""
