{
    "name": "Renewable keys",
    "summary": "What later builds of Odoo 19 have: res.users.apikeys.generate and revoke",
    "depends": ["base"],
    "license": "LGPL-3",
}
