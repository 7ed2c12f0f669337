"""What boards are told to run: the components of their next deployment documents, made from the last ones and from what the boards report."""

from fleet.rollout import FAILED, REFUSED, ROLLED_BACK, outcome
from mpwasm.wire import envelope
from mpwasm.wire.desired import Component, Document
from mpwasm.wire.manifest import Manifest


def manifest_of(store, module):
    """The `Manifest` of a `Module` row."""
    return Manifest.parse(envelope.open_envelope(store.blob(module.digest)).body)


def component(store, module):
    """The `Component` that asks for a module, in the slot that its manifest names."""
    manifest = manifest_of(store, module)
    return Component(slot=manifest.slot, kind=manifest.kind, manifest=bytes.fromhex(module.digest), manifest_size=module.size)


class Told:
    """What boards were told last, and what they made of it, read once for many of them."""

    def __init__(self, store, devices):
        self.store = store
        self.last = store.desired_of(devices)
        self.parsed = {}
        self._rows = None

    def document(self, deployment):
        """[Component] of a `Deployment`'s document."""
        if deployment.document not in self.parsed:
            self.parsed[deployment.document] = Document.parse(self.store.blob(deployment.document)).components
        return self.parsed[deployment.document]

    def others(self, device, slot):
        """[Component] of a board's other slots: what it was told to run there, or, where that ended badly, what it runs instead."""
        last = self.last.get(device)
        rest = [each for each in self.document(last) if each.slot != slot] if last else []
        report = self.store.report(device) if rest else None
        if report is None or report.seq != last.seq:
            return rest
        rows = {row.slot: row for row in self.rows().get(device, [])}
        kept = [self._kept(each, rows.get(each.slot)) for each in rest]
        return [each for each in kept if each is not None]

    def rows(self):
        """{device: [reported components]}."""
        if self._rows is None:
            self._rows = self.store.components()
        return self._rows

    def _kept(self, told, row):
        """`told`, or what its slot runs instead since it was refused or rolled back; None for nothing."""
        if row is None or outcome(row.state, row.reason) not in (REFUSED, ROLLED_BACK, FAILED):
            return told
        if row.digest is None or row.digest == told.manifest.hex():
            return told if row.digest else None
        module = self.store.module(row.digest)
        return component(self.store, module) if module else None


def make_all(store, orders, keys):
    """The deployment documents (bytes) for `orders` (as `deploy.Order`): each order's module in its slot, the board's other slots as they are,
    under the key list `keys` (rows)."""
    told, wanted = Told(store, [order.device for order in orders]), {}
    for digest in {order.module for order in orders}:
        wanted[digest] = component(store, store.module(digest)) if digest else None
    return [_document(wanted[order.module], told, order.device, keys) for order in orders]


def _document(wanted, told, device, keys):
    rows = ([wanted] if wanted else []) + told.others(device, wanted.slot if wanted else 0)
    rows.sort(key=lambda row: row.slot)
    document = Document(components=rows, keys_version=keys.version, keys=bytes.fromhex(keys.digest), keys_size=keys.size)
    return document.encode()
