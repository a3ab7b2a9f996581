"""Training and serving programs of Lensmith: `python -m lensmith_trainers.<program> --config FILE`."""
