"""Webhooks and how far each is in the audit log: the SQL of it."""

from sqlalchemy import update
from sqlmodel import col, func, select

from fleet.errors import Missing, Taken
from fleet.model import AuditEvent, Webhook


class Webhooks:
    """Part of `fleet.store.Store`."""

    def webhooks(self):
        """All webhooks by name."""
        return self.rows(select(Webhook).order_by(Webhook.name))

    def webhook(self, name):
        """The webhook `name`; Missing if there is none."""
        row = self.row(Webhook, Webhook.name == name)
        if row is None:
            raise Missing(f"There is no webhook {name}. `fleet webhook list` shows those there are.")
        return row

    def add_webhook(self, webhook):
        """Store a `Webhook` that is told what happens from now on; Taken if its name is."""
        with self.write() as session:
            if session.get(Webhook, webhook.name) is not None:
                raise Taken(f"There is a webhook {webhook.name} already. Remove it first, or choose another name.")
            webhook.position = session.exec(select(func.max(AuditEvent.id))).first() or 0
            session.add(webhook)

    def remove_webhook(self, name):
        """Forget the webhook `name`; Missing if there is none."""
        with self.write() as session:
            session.delete(self.webhook(name))

    def due_webhooks(self, now):
        """Those that have something left to look at and may be tried at `now`."""
        newest = select(func.coalesce(func.max(AuditEvent.id), 0)).scalar_subquery()
        return self.rows(select(Webhook).where(Webhook.due <= now, Webhook.position < newest).order_by(Webhook.name))

    def claim_webhook(self, name, now, until, again):
        """Take the lease of a webhook until `until`, unless another has it (or to renew one's own); whether that worked."""
        mine = col(Webhook.leased) <= now if not again else True
        with self.write() as session:
            return session.exec(update(Webhook).where(col(Webhook.name) == name, mine).values(leased=until)).rowcount == 1

    def change_webhook(self, name, **changes):
        """Change fields of a webhook, unless it was removed just now."""
        with self.write() as session:
            session.exec(update(Webhook).where(col(Webhook.name) == name).values(**changes))
