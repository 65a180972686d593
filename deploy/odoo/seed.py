"""Runs inside Odoo's shell (`env` is there): fills a fresh database from company.toml, in one transaction.

Variables: SEED_COMPANY, path of company.toml; SEED_KEY_FILE, where the API key goes.
"""

# ruff: noqa: F821  (env comes from Odoo's shell)
import os
import tomllib
from pathlib import Path

UNITS = {
    "C62": "uom.product_uom_unit",
    "MTR": "uom.product_uom_meter",
    "KGM": "uom.product_uom_kgm",
    "HUR": "uom.product_uom_hour",
}
USER_GROUPS = ("base.group_user", "account.group_account_user", "purchase.group_purchase_user")


def percent(rate):
    return f"{rate:g} %"


def country(code):
    return env["res.country"].search([("code", "=", code)]).ensure_one()


def currency(code):
    return env["res.currency"].with_context(active_test=False).search([("name", "=", code)]).ensure_one()


def seed_currencies(rows):
    euro = currency("EUR")
    euro.active = True
    env.company.currency_id = euro
    env["res.currency.rate"].search([]).unlink()
    for row in rows:
        found = currency(row["code"])
        found.active = True
        env["res.currency.rate"].create(
            {"currency_id": found.id, "name": row["date"], "rate": row["rate"], "company_id": env.company.id}
        )


def seed_company(row):
    company = env.company
    company.write(
        {key: row[key] for key in ("name", "street", "zip", "city", "vat", "email", "phone", "website")}
        | {
            "country_id": country(row["country"]).id,
            "account_fiscal_country_id": country(row["country"]).id,
            "tax_calculation_rounding_method": row["tax_rounding"],
            "alias_domain_id": env["mail.alias.domain"].create({"name": row["alias_domain"]}).id,
        }
    )
    env["res.partner.bank"].create({"acc_number": row["iban"], "partner_id": company.partner_id.id})
    purchases = (
        env["account.journal"]
        .search([("type", "=", "purchase"), ("company_id", "=", company.id)])
        .ensure_one()
    )
    purchases.alias_name = row["bills_alias"]
    purchases.alias_id.alias_domain_id = company.alias_domain_id


def person():
    """Who bought and booked everything: the first user who is not the connector."""
    login = next(row["login"] for row in company_data["users"] if not row["api_key"])
    return env["res.users"].search([("login", "=", login)]).ensure_one()


def account(code):
    return env["account.account"].search([("code", "=", code)]).ensure_one()


def seed_accounts(rows):
    for row in rows:
        env["account.account"].create({"code": row["code"], "name": row["name"], "account_type": "expense"})


def tax_lines(tax_account):
    """Repartition of a tax that is booked whole on one account."""
    return [
        (0, 0, {"repartition_type": "base"}),
        (0, 0, {"repartition_type": "tax", "account_id": tax_account.id}),
    ]


def seed_taxes(rows, company_row):
    """Purchase taxes by rate (and sales taxes where asked) in place of the generic chart's."""
    old = env["account.tax"].search([])
    chart = env["account.chart.template"]
    accounts = {"purchase": chart.ref("tax_paid"), "sale": chart.ref("tax_received")}
    seed_reverse_charge([row for row in rows if row.get("reverse_charge")], accounts)
    rows = [row for row in rows if not row.get("reverse_charge")]
    made = {"purchase": {}, "sale": {}}
    for row in rows:
        group = env["account.tax.group"].create({"name": f"VAT {percent(row['rate'])}"})
        for use in ("purchase", "sale") if row.get("sale") else ("purchase",):
            made[use][row["rate"]] = env["account.tax"].create(
                {
                    "name": percent(row["rate"]),
                    "description": f"VAT {percent(row['rate'])}",
                    "invoice_label": f"VAT {percent(row['rate'])}",
                    "type_tax_use": use,
                    "amount_type": "percent",
                    "amount": row["rate"],
                    "price_include_override": "tax_excluded",
                    "tax_group_id": group.id,
                    "country_id": env.company.account_fiscal_country_id.id,
                    "invoice_repartition_line_ids": tax_lines(accounts[use]),
                    "refund_repartition_line_ids": tax_lines(accounts[use]),
                }
            )
    env.company.account_purchase_tax_id = made["purchase"][company_row["default_purchase_tax"]]
    env.company.account_sale_tax_id = made["sale"][company_row["default_sale_tax"]]
    env["account.account"].search([("tax_ids", "in", old.ids)]).tax_ids = False
    old.unlink()
    return made["purchase"]


def seed_reverse_charge(rows, accounts):
    """Purchase taxes that the company owes itself: input tax and tax due cancel out on the bill."""
    for row in rows:
        both = [
            *tax_lines(accounts["purchase"]),
            (0, 0, {"repartition_type": "tax", "factor_percent": -100, "account_id": accounts["sale"].id}),
        ]
        env["account.tax"].create(
            {
                "name": f"{percent(row['rate'])} reverse charge",
                "invoice_label": "Reverse charge",
                "type_tax_use": "purchase",
                "amount_type": "percent",
                "amount": row["rate"],
                "price_include_override": "tax_excluded",
                "tax_group_id": env["account.tax.group"].create({"name": "Reverse charge"}).id,
                "country_id": env.company.account_fiscal_country_id.id,
                "sequence": 20,
                "invoice_repartition_line_ids": both,
                "refund_repartition_line_ids": both,
            }
        )


def payment_term(days):
    name = f"{days} days net"
    return env["account.payment.term"].search([("name", "=", name)]) or env["account.payment.term"].create(
        {"name": name, "line_ids": [(0, 0, {"value": "percent", "value_amount": 100, "nb_days": days})]}
    )


def seed_vendors(rows):
    """Partners by their id in company.toml."""
    for code in {row["language"] for row in rows}:
        env["res.lang"]._activate_lang(code)
    vendors = {}
    for row in rows:
        vendors[row["id"]] = vendor = env["res.partner"].create(
            {key: row[key] for key in ("name", "street", "zip", "city", "vat", "email", "phone", "website")}
            | {
                "is_company": True,
                "supplier_rank": 1,
                "country_id": country(row["country"]).id,
                "lang": row["language"],
                "property_supplier_payment_term_id": payment_term(row["payment_days"]).id,
                "property_purchase_currency_id": currency(row["currency"]).id,
            }
        )
        bank = env["res.bank"].create({"name": row["bank_name"], "country": country(row["country"]).id})
        env["res.partner.bank"].create(
            {
                "acc_number": row["bank_account"],
                "clearing_number": row.get("bank_routing", False),
                "bank_id": bank.id,
                "partner_id": vendor.id,
                "allow_out_payment": True,
            }
        )
    return vendors


def seed_products(rows, vendors, taxes):
    """Product variants by internal reference."""
    currency_of = {row["id"]: currency(row["currency"]).id for row in company_data["vendors"]}
    products = {}
    for row in rows:
        offers = [
            (
                0,
                0,
                {
                    "partner_id": vendors[offer["vendor"]].id,
                    "product_code": offer["code"],
                    "product_name": offer["name"],
                    "price": offer["price"],
                    "currency_id": currency_of[offer["vendor"]],
                },
            )
            for offer in row["vendors"]
        ]
        template = env["product.template"].create(
            {
                "name": row["name"],
                "default_code": row["reference"],
                "barcode": row.get("barcode", False),
                "type": "service" if row.get("service") else "consu",
                "uom_id": env.ref(UNITS[row["unit"]]).id,
                "purchase_ok": True,
                "sale_ok": False,
                "purchase_method": "purchase" if row.get("service") else "receive",
                "supplier_taxes_id": [(6, 0, taxes[row["tax"]].ids)],
                "property_account_expense_id": account(row["account"]).id,
                "seller_ids": offers,
            }
        )
        products[row["reference"]] = template.product_variant_id
    return products


def seed_purchase_orders(rows, vendors, products, taxes):
    for row in rows:
        lines = [
            {
                "product_id": products[line["product"]].id,
                "product_qty": line["quantity"],
                "price_unit": line["price"],
                "tax_ids": [(6, 0, taxes[line["tax"]].ids)],
            }
            for line in row["lines"]
        ]
        values = {
            "name": row["name"],
            "partner_id": vendors[row["vendor"]].id,
            "user_id": person().id,
            "currency_id": currency(row["currency"]).id,
            "date_order": f"{row['order_date']} 09:00:00",
            "order_line": [(0, 0, line) for line in lines],
        }
        if "planned_date" in row:
            values["date_planned"] = f"{row['planned_date']} 12:00:00"
        order = env["purchase.order"].create(values)
        for made, line in zip(order.order_line, lines, strict=True):
            made.write({key: line[key] for key in ("price_unit", "tax_ids")})
        if row["state"] == "sent":
            order.state = "sent"
        if row["state"] == "purchase":
            order.button_confirm()
            order.date_approve = f"{row['order_date']} 10:00:00"
            for made, line in zip(order.order_line, row["lines"], strict=True):
                made.qty_received = line.get("received", 0)
    last = max(int(row["name"].lstrip("P")) for row in rows)
    env["ir.sequence"].search([("code", "=", "purchase.order")]).number_next_actual = last + 1


def seed_bills(rows, vendors, taxes):
    """Older bills, posted: what the vendors' accounts and taxes are learned from."""
    for row in sorted(rows, key=lambda each: each["date"]):
        lines = [
            {
                "name": line["description"],
                "quantity": line["quantity"],
                "price_unit": line["price"],
                "account_id": account(line["account"]).id,
                "tax_ids": [(6, 0, taxes[line["tax"]].ids)],
            }
            for line in row["lines"]
        ]
        env["account.move"].create(
            {
                "move_type": "in_invoice",
                "partner_id": vendors[row["vendor"]].id,
                "invoice_user_id": person().id,
                "ref": row["number"],
                "invoice_date": row["date"],
                "currency_id": currency(row["currency"]).id,
                "invoice_line_ids": [(0, 0, line) for line in lines],
            }
        ).action_post()


def seed_users(rows):
    """Ordinary users, and the connector's API key without an end, which only a script can make."""
    for row in rows:
        user = (
            env["res.users"]
            .with_context(no_reset_password=True)
            .create(
                {
                    "login": row["login"],
                    "password": row["password"],
                    "name": row["name"],
                    "email": row["email"],
                    "tz": "Europe/Berlin",
                    "group_ids": [(6, 0, [env.ref(group).id for group in USER_GROUPS])],
                }
            )
        )
        if row["api_key"]:
            key = env["res.users.apikeys"].with_user(user).sudo()._generate("rpc", "Vouch", None)
            file = Path(os.environ["SEED_KEY_FILE"])
            file.touch(mode=0o600)
            file.write_text(key)
    env["res.users"].search([]).tour_enabled = False


company_data = tomllib.loads(Path(os.environ["SEED_COMPANY"]).read_text())
seed_currencies(company_data["currencies"])
seed_company(company_data["company"])
seed_users(company_data["users"])
seed_accounts(company_data["accounts"])
purchase_taxes = seed_taxes(company_data["taxes"], company_data["company"])
all_vendors = seed_vendors(company_data["vendors"])
all_products = seed_products(company_data["products"], all_vendors, purchase_taxes)
seed_purchase_orders(company_data["purchase_orders"], all_vendors, all_products, purchase_taxes)
seed_bills(company_data["bills"], all_vendors, purchase_taxes)
# Built once here, or the first page of every copy would take the time again.
env["ir.qweb"]._pregenerate_assets_bundles()
env.cr.commit()
