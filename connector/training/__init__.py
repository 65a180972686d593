"""Approved bills as examples to fine-tune a vision model on, with what is personal blacked out."""
