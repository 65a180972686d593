"""Identifiers in running text: found whole, compact, and proved by their check digits."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import iban as stdnum_iban

from inference.identifiers import (
    find_bics,
    find_credit_codes,
    find_ibans,
    find_vat_ids,
    iban_valid,
    uscc_valid,
    vat_valid,
)


@pytest.mark.parametrize(
    ("text", "value", "country"),
    [
        ("USt-IdNr.: DE 136 695 976, Amtsgericht", "DE136695976", "DE"),
        ("TVA FR 83 404 833 048 - SIRET", "FR83404833048", "FR"),
        ("BTW NL810433941B01", "NL810433941B01", "NL"),
        ("VAT number: IE3668997OH", "IE3668997OH", "IE"),
        ("CNPJ 81.583.054/0001-29", "81583054000129", "BR"),
        ("Org.nr. 909 765 668 MVA", "909765668MVA", "NO"),
        ("NO 909 765 668 MVA", "NO909765668MVA", "NO"),
        ("MWST-Nr. CHE-589.859.937 MWST", "CHE589859937MWST", "CH"),
        ("GSTIN: 27AAPFU0939F1ZV State", "27AAPFU0939F1ZV", "IN"),
        ("VAT 980 7806 84 Thank you", "980780684", "GB"),
        ("RUC:1792060346001 Quito", "1792060346001", "EC"),
        ("R.U.C. N° 20512333797", "20512333797", "PE"),
        ("CUIT: 20-05536168-2 IVA", "20055361682", "AR"),
        ("ABN 83 914 571 673", "83914571673", "AU"),
        ("OIB: 33392005961, Zagreb", "33392005961", "HR"),
        ("Y-tunnus 2077474-0", "20774740", "FI"),
    ],
)
def test_a_tax_id_is_found_compact_and_valid(text: str, value: str, country: str) -> None:
    (found,) = find_vat_ids(text)
    assert (found.value, found.country, found.valid) == (value, country, True)
    assert text[found.start : found.end].strip() == text[found.start : found.end]


def test_a_wrong_check_digit_is_found_and_said() -> None:
    (found,) = find_vat_ids("DE123456789")
    assert found.valid is False
    assert vat_valid("DE136695976")


def test_words_and_plain_numbers_are_no_tax_ids() -> None:
    assert not list(find_vat_ids("DELIVERED 123456789, Rechnung 4711, IT-Abteilung 12345678901"))
    assert not list(find_vat_ids("20% VAT 1.70, VAT 232 153.89, Circuit 20055361682"))


@given(st.from_regex(r"[0-9]{18}", fullmatch=True), st.sampled_from([4, 0]))
def test_an_iban_is_found_however_it_is_spaced(account: str, group: int) -> None:
    check = stdnum_iban.calc_check_digits("DE00" + account)
    whole = f"DE{check}{account}"
    spaced = " ".join(whole[i : i + group] for i in range(0, len(whole), group)) if group else whole
    (found,) = find_ibans(f"IBAN: {spaced} BIC: COBADEFFXXX")
    assert found.value == whole
    assert found.valid


@given(st.integers(min_value=0, max_value=9))
def test_one_changed_digit_breaks_an_iban(digit: int) -> None:
    good = "DE89370400440532013000"
    changed = f"{good[:10]}{digit}{good[11:]}"
    assert iban_valid(changed) is (changed == good)


def test_a_bic_is_found_by_its_shape() -> None:
    assert [found.value for found in find_bics("BIC: FIDCFR21XXX")] == ["FIDCFR21XXX"]


def test_credit_codes_know_their_check_character() -> None:
    (found,) = find_credit_codes("统一社会信用代码: 91110108690017781B")
    assert found.value == "91110108690017781B"
    assert found.valid == uscc_valid("91110108690017781B")
    assert uscc_valid("91110108690017781C") is not found.valid or not found.valid
