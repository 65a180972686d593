"""The model server: what each model needs (profiles), how to start it (serving), how to ask it (client)."""
