"""Serves `/run_code` of the SandboxFusion on the path, without its data sets: `python sandbox_fusion_peer.py PORT`."""

import sys

import uvicorn
from fastapi import FastAPI
from sandbox.server.sandbox_api import sandbox_router

app = FastAPI()
app.include_router(sandbox_router)
uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="error")
