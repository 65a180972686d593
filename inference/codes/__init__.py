"""Codes that carry data: QR codes on the pages and the marks of an OFD file, which confirm or correct a Reading."""

from inference.codes.agreement import confirmed
from inference.codes.claims import Claim, Claims
from inference.codes.scan import Code, find_codes
from inference.codes.standards import claims_in

__all__ = ["Claim", "Claims", "Code", "claims_in", "confirmed", "find_codes"]
