"""E-invoices: a Reading straight from the document's own data, in CII or UBL."""

from inference.readers.einvoice.reader import EInvoiceReader

__all__ = ["EInvoiceReader"]
