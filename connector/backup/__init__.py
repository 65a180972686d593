"""The ledger and its documents in one file, and back."""
