"""A person's work on a document: the draft, what it is worth in the ERP, and how it ends."""
