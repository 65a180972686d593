"""What people see: the review queue, the bill page, and the probes for those who run the service."""
