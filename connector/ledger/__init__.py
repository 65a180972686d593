"""The ledger: the truth about every attachment seen, everything read, decided and written, and by whom."""
