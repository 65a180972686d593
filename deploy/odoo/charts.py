"""Runs inside Odoo's shell (`env` is there): a company for each chart of accounts, in one transaction."""

# ruff: noqa: F821  (env comes from Odoo's shell)

# Chart, country, currency: Odoo's own names.
CHARTS = (
    ("de_skr03", "DE", "EUR"),
    ("de_skr04", "DE", "EUR"),
    ("fr", "FR", "EUR"),
    ("cn", "CN", "CNY"),
    ("us", "US", "USD"),
)


def one(model, **wanted):
    domain = [(name, "=", value) for name, value in wanted.items()]
    return env[model].with_context(active_test=False).search(domain).ensure_one()


def make_company(chart, country, currency):
    money = one("res.currency", name=currency)
    money.active = True
    place = one("res.country", code=country)
    # A company made with its country would bring every localisation module, some of which need more packages.
    company = env["res.company"].create({"name": f"Chart {chart}", "currency_id": money.id})
    env["account.chart.template"].try_loading(chart, company, install_demo=False)
    company.partner_id.country_id = place
    return company


companies = env["res.company"].concat(*(make_company(*row) for row in CHARTS))
env.ref("base.user_admin").write({"company_ids": [(4, company.id) for company in companies]})
one("res.users", login="vouch").write({"company_ids": [(4, company.id) for company in companies]})
env.cr.commit()
