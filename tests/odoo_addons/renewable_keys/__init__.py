"""`generate` and `revoke` on Odoo's own keys, as builds of Odoo 19 from 2026 on have them; see their `res.users.apikeys`."""

from odoo import api, fields, models
from odoo.exceptions import AccessDenied, UserError


class ResUsersApikeys(models.Model):
    _inherit = "res.users.apikeys"

    def _require_programs(self):
        allowed = self.env["ir.config_parameter"].sudo().get_param("base.enable_programmatic_api_keys")
        if not (self.env.is_system() or allowed == "True"):
            raise UserError("Programmatic API keys are not enabled")

    def _owner(self, key, scope):
        if self._check_credentials(scope=scope, key=key) != self.env.uid:
            raise AccessDenied("The provided API key is invalid.")

    @api.model
    def generate(self, key, scope, name, expiration_date):
        self._require_programs()
        if self.search_count([("user_id", "=", self.env.uid)]) >= 10:
            raise UserError("Limit of 10 API keys is reached for programmatic creation")
        self._owner(key, scope or "rpc")
        return self._generate(scope, name, fields.Datetime.from_string(expiration_date))

    @api.model
    def revoke(self, key):
        self._require_programs()
        self._owner(key, "rpc")
        self.env.cr.execute("SELECT id FROM res_users_apikeys WHERE index = %s", [key[:8]])
        self.browse([row[0] for row in self.env.cr.fetchall()])._remove()
        return True
