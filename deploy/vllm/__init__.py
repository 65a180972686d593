"""The model server: how it is deployed beside Vouch, and a real one for development that runs on a CPU."""
