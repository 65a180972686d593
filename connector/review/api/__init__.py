"""What the screens do, as JSON: one file per noun."""
