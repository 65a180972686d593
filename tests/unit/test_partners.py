"""Spellings of the same vendor meet; different vendors do not."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from inference.invoice import Check, Status
from mappings.case import Case
from mappings.erp_data import BankAccount, Partner
from mappings.folding import fold_tax_id, most_similar, order_keys, plain, reference_keys, text_similarity
from mappings.index import ErpIndex
from mappings.names import name_core, name_similarity
from mappings.partners import Vendor, check_buyer, find_vendor
from tests.unit.mappings_builder import TODAY, demo_data, draft_bill, index, reading, vendor_id

INDEX = index()


def vendor(erp: ErpIndex = INDEX, **seller: str) -> Vendor:
    return find_vendor(Case(reading(**seller), draft_bill(), erp, TODAY))


def problems(checks: tuple[Check, ...]) -> set[str]:
    return {check.id for check in checks if check.status is Status.FAIL}


@pytest.mark.parametrize(
    ("seller", "expected"),
    [
        ({"seller_vat_id": "DE 371.628.131"}, "brunnhuber"),
        ({"seller_vat_id": "USt-IdNr.: DE371628131"}, "brunnhuber"),
        ({"seller_tax_id": "371 628 131"}, "brunnhuber"),
        ({"seller_vat_id": "nl867741168b01"}, "dijkzicht"),
        ({"seller_tax_id": "471830562"}, "blue_mesa"),
        ({"seller_tax_id": "91440300MAJPB1988W"}, "mingan"),
        ({"payment_account": "IBAN: FR76 3000 4146 7919 0314 3728 642"}, "vaucelin"),
        ({"payment_account": "4420 1583 5000 5902 1777"}, "mingan"),
        ({"seller_email": "Rechnung@Nordlicht-Elektronik.example"}, "nordlicht_elektronik"),
        ({"seller_website": "www.thornbeck.example/shop"}, "thornbeck"),
        ({"seller_name": "HÉBERGEMENT CORMELAN S.A.S."}, "cormelan"),
        ({"seller_name": "Fuhrwerk Logistik Lueneburg"}, "fuhrwerk"),
        ({"seller_name": "Papierhaus Brunnhuber GmbH & Co KG"}, "brunnhuber"),
        ({"seller_name": "宁波海鹭五金"}, "hailu"),
    ],
)
def test_a_vendor_is_found_however_it_is_written(seller: dict[str, str], expected: str) -> None:
    found = vendor(**seller)
    assert found.partner is not None
    assert found.partner.id == vendor_id(expected)
    assert found.value is not None
    assert found.value.terms == tuple(seller)
    assert not problems(found.checks)


def test_a_domain_or_a_similar_name_alone_is_never_sure() -> None:
    domain = {"seller_website": "thornbeck.example", "seller_email": "post@thornbeck.example"}
    sister = {"seller_website": "thornbeck.example", "seller_name": "Thornbeck Castings Ltd"}
    for seller in (domain, sister, {"seller_name": "Thornbek Precision Ltd"}):
        found = vendor(**seller)
        assert found.value is not None
        assert found.value.confidence < 0.9


def test_a_doubtful_reading_makes_a_doubtful_vendor() -> None:
    found = vendor(seller_name="Ateliers Vaucelin SARL", sure=0.5)  # type: ignore[arg-type]
    assert found.value is not None
    assert found.value.confidence <= 0.5


def test_look_alikes_are_ranked_and_doubted() -> None:
    found = vendor(seller_name="Nordlicht Elektro GmbH")
    assert "vendor_unique" in problems(found.checks)
    assert {match.id for match in found.matches[:2]} == {
        vendor_id("nordlicht_elektronik"),
        vendor_id("nordlicht_elektrik"),
    }
    with_id = vendor(seller_name="Nordlicht Elektronik GmbH", seller_vat_id="DE374639463")
    assert not problems(with_id.checks)


def test_what_the_record_has_already_tells_look_alikes_apart() -> None:
    elektrik = vendor_id("nordlicht_elektrik")
    record = draft_bill(values={"partner_id": elektrik})
    found = find_vendor(Case(reading(seller_name="Nordlicht Elektro GmbH"), record, INDEX, TODAY))
    assert found.partner is not None
    assert found.partner.id == elektrik
    assert not problems(found.checks)
    named = reading(seller_name="Nordlicht Elektronik GmbH")
    assert "vendor_agrees" in problems(find_vendor(Case(named, record, INDEX, TODAY)).checks)


def test_tax_id_and_bank_account_of_different_vendors_clash() -> None:
    found = vendor(seller_vat_id="DE371628131", payment_account="NL93ABNA8134127886")
    assert "vendor_agrees" in problems(found.checks)


def test_a_bank_account_alone_does_not_overrule_the_name() -> None:
    found = vendor(seller_name="Kontorfaktor Bank AG", payment_account="DE77701500001391726847")
    assert "vendor_agrees" in problems(found.checks)


def test_two_partners_under_one_tax_id_are_told_apart_or_doubted() -> None:
    twin = Partner(990, "Papierhaus Brunnhuber Filiale Ost", 990, vat="DE371628131")
    erp = ErpIndex(demo_data(partners=(*demo_data().partners, twin)))
    assert "vendor_unique" in problems(vendor(erp, seller_vat_id="DE371628131").checks)
    named = vendor(erp, seller_vat_id="DE371628131", seller_name="Papierhaus Brunnhuber Filiale Ost")
    assert named.partner == twin


@pytest.mark.parametrize(
    ("buyer", "status"),
    [
        ({"buyer_vat_id": "DE 214 513 568"}, Status.PASS),
        ({"buyer_name": "KESTREL WORKS GMBH"}, Status.PASS),
        ({"buyer_name": "Kestrel Works GmbH, Frau Accountant"}, Status.PASS),
        ({"buyer_name": "Kestrel Works GmbH", "buyer_vat_id": "DE371628131"}, Status.FAIL),
        ({"buyer_name": "Nordlicht Elektrik GmbH"}, Status.FAIL),
        ({}, Status.NOT_APPLICABLE),
    ],
)
def test_the_buyer_must_be_us(buyer: dict[str, str], status: Status) -> None:
    assert check_buyer(Case(reading(**buyer), draft_bill(), INDEX, TODAY)).status is status


@settings(max_examples=500)
@example("K:U:E")
@example("a gmbh b")
@given(st.text(max_size=40) | st.text("aeouGmbHVAT1公司. &", max_size=20))
def test_folding_is_idempotent(text: str) -> None:
    assert name_core(name_core(text)) == name_core(text)
    assert fold_tax_id(fold_tax_id(text)) == fold_tax_id(text)


@given(st.text(max_size=30), st.text(max_size=30))
def test_similarity_is_symmetric_and_bounded(one: str, other: str) -> None:
    assert name_similarity(one, other) == pytest.approx(name_similarity(other, one))
    assert 0.0 <= name_similarity(one, other) <= 1.0


@given(st.integers(1, 99999), st.sampled_from(["", "R", "RE-", "INV/2026/"]), st.integers(0, 4))
def test_zeros_spaces_and_case_do_not_hide_a_number(number: int, prefix: str, zeros: int) -> None:
    written = f"{prefix}{number}"
    other = f" {prefix.lower()} {'0' * zeros}{number} " if prefix.endswith(("/", "-", "R")) else written
    assert reference_keys(written) & reference_keys(other)
    assert not reference_keys(written) & reference_keys(f"{prefix}{number + 1}")


@pytest.mark.parametrize("text", ["P00101", "PO P00101", "Bestellung P-00101/A", "p101", "P 00101 vom 2.9."])
def test_an_order_number_is_found_in_its_surroundings(text: str) -> None:
    assert ("P", 101) in order_keys(text)


def test_a_weakly_similar_name_is_an_unknown_vendor_and_its_candidates_are_shown() -> None:
    found = vendor(seller_name="Ateliers Vaudois")
    assert (found.partner, problems(found.checks)) == (None, {"vendor_known"})
    assert found.matches[0].id == vendor_id("vaucelin")
    other_id = vendor(seller_name="Thornbek Precision", seller_vat_id="GB111111111")
    assert "vendor_tax_id" in problems(other_id.checks)


def test_a_public_mail_domain_names_nobody() -> None:
    one = Partner(991, "Malerbetrieb Ost", 991, email="maler.ost@gmx.de")
    erp = ErpIndex(demo_data(partners=(*demo_data().partners, one)))
    assert vendor(erp, seller_email="schreiner.west@gmx.de").partner is None


def test_an_archived_twin_is_no_rival_but_an_archived_vendor_is_found() -> None:
    twin = Partner(99, "Papierhaus Brunnhuber", 99, vat="DE371628131", active=False)
    erp = ErpIndex(demo_data(partners=(twin, *demo_data().partners)))
    found = vendor(erp, seller_vat_id="DE371628131")
    assert found.partner is not None
    assert (found.partner.id, problems(found.checks)) == (vendor_id("brunnhuber"), set())


def test_a_placeholder_is_no_identifier() -> None:
    none = Partner(992, "Hofladen", 992, vat="/")
    nameless = BankAccount(993, 992, "")
    data = demo_data()
    erp = ErpIndex(demo_data(partners=(*data.partners, none), bank_accounts=(*data.bank_accounts, nameless)))
    assert vendor(erp, seller_vat_id="/", payment_account="IBAN").partner is None


words = st.text("abc äö-1", max_size=12)


@given(words, st.lists(words, max_size=5), st.sampled_from([0.5, 0.8, 0.96]))
def test_similar_to_many_is_similar_to_each(text: str, others: list[str], cutoff: float) -> None:
    each = {i: text_similarity(text, other) for i, other in enumerate(others)}
    expected = {i: score for i, score in each.items() if score >= cutoff}
    assert most_similar(text, [plain(other) for other in others], cutoff) == pytest.approx(expected)


def test_old_names_brackets_branches_and_alphabets_meet() -> None:
    for one, other in (
        ("Neue Licht AG (vormals Alte Lampen GmbH)", "Alte Lampen GmbH"),
        ("Kestrel Tools (Deutschland) GmbH", "Kestrel Tools"),
        ("Fuhrwerk Logistik GmbH, Niederlassung Harburg", "Fuhrwerk Logistik GmbH"),
        ("ООО «Ромашка»", "Romashka LLC"),
        ("Shenzhen Mingan Electronics Co., Ltd.", "深圳市明岸电子有限公司"),
        ("S. p. A. Rossi", "ROSSI S.p.A."),
        ("株式会社山田製作所", "山田製作所"),
        ("Gebr. Müller GmbH", "Gebrüder Mueller"),
    ):
        assert name_similarity(one, other) >= 0.94, (one, other)
    assert name_similarity("Nordlicht Elektronik GmbH", "Nordlicht Elektrik GmbH") < 0.95
    assert name_similarity("Volvo AB", "AS Tallink") < 0.5


@pytest.mark.parametrize(
    ("known", "seller"),
    [
        (
            {"company_registry": "HRB 12345 B"},
            {"seller_registration": "Amtsgericht Charlottenburg, HRB 12345 B"},
        ),
        ({"company_registry": "91440300MA5DXPGM8K"}, {"seller_tax_id": "91440300MA5DXPGM8K"}),
        ({"vat": "91440300MA5DXPGM8K"}, {"seller_registration": "统一社会信用代码 91440300MA5DXPGM8K"}),
        ({"vat": "FR83404833048"}, {"seller_registration": "SIRET 404 833 048 00022"}),
        ({"vat": "DK25160924"}, {"seller_registration": "CVR-nr. 25 16 09 24"}),
        ({"vat": "EL094259216"}, {"seller_vat_id": "GR 094259216"}),
        ({"website": "https://lampen.example"}, {"seller_email": "faktura@mail.lampen.example"}),
    ],
)
def test_registers_credit_codes_and_subdomains(known: dict[str, str], seller: dict[str, str]) -> None:
    lamps = Partner(995, "Alte Lampen", 995, **known)  # type: ignore[arg-type]
    erp = ErpIndex(demo_data(partners=(*demo_data().partners, lamps)))
    assert vendor(erp, **seller).partner == lamps


def test_an_unknown_vendor_is_made_ready_for_a_person() -> None:
    found = vendor(
        seller_name="Quarzwerk Süd AG",
        seller_vat_id="DE 811 569 869",
        seller_address="Steinweg 4, Hof 2, 90402 Nürnberg",
        seller_email="post@quarzwerk.example",
        payment_account="DE02120300000000202051",
    )
    assert found.partner is None
    assert found.new is not None
    values = {name: value.value for name, value in found.new.values.items()}
    assert values == {
        "name": "Quarzwerk Süd AG",
        "vat": "DE 811 569 869",
        "email": "post@quarzwerk.example",
        "street": "Steinweg 4, Hof 2",
        "zip": "90402",
        "city": "Nürnberg",
        "country_code": "DE",
        "website": "quarzwerk.example",
        "is_company": True,
    }
    assert found.new.payment_account == "DE02120300000000202051"
    assert vendor(seller_name="Ateliers Vaucelin SARL").new is None
    assert vendor(seller_vat_id="DE811569869").new is None


def test_the_candidates_of_an_ambiguous_vendor_say_why() -> None:
    first, second, *_ = vendor(
        seller_name="Nordlicht Elektro GmbH", seller_website="nordlicht-elektrik.example"
    ).matches
    assert first.id == vendor_id("nordlicht_elektrik")
    assert first.score > second.score
    assert first.reasons == (
        "only this vendor uses nordlicht-elektrik.example",
        "name 'Nordlicht Elektro GmbH' is like 'Nordlicht Elektrik GmbH'",
    )
