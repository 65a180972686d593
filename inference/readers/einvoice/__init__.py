"""E-invoices: a Reading straight from the document's own data, in CII, UBL or a fapiao's own."""

from inference.readers.einvoice.reader import EInvoiceReader

__all__ = ["EInvoiceReader"]
