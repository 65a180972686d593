"""Sample documents with their truth: bills, credit notes and order documents of invented vendors."""
