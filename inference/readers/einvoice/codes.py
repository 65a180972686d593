"""Code lists of EN 16931 that decide what a document is."""

from __future__ import annotations

from inference.invoice import DocumentType

_CREDIT_NOTES = ("81", "83", "261", "262", "296", "308", "381", "396", "420", "458", "532")
_INVOICES = (
    *("80", "82", "84", "218", "219", "326", "331", "380", "382", "383", "384", "385", "386", "387", "388"),
    *("389", "390", "393", "394", "395", "456", "457", "527", "553", "575", "623", "633", "751", "780"),
    *("817", "870", "875", "876", "877", "935"),
)

# UNTDID 1001 as restricted by EN 16931-1 BT-3, and the types of Order-X; 384 is a corrected invoice, not a credit.
DOCUMENT_TYPES: dict[str, DocumentType] = {
    **dict.fromkeys(_CREDIT_NOTES, DocumentType.CREDIT_NOTE),
    **dict.fromkeys(_INVOICES, DocumentType.INVOICE),
    **dict.fromkeys(("220", "221", "224", "226", "227", "230"), DocumentType.ORDER),
    "231": DocumentType.ORDER_CONFIRMATION,
    "310": DocumentType.QUOTATION,
    "325": DocumentType.OTHER,
    "270": DocumentType.DELIVERY_NOTE,
    "351": DocumentType.DELIVERY_NOTE,
}

ORDER_TYPES = (DocumentType.ORDER, DocumentType.ORDER_CONFIRMATION)
