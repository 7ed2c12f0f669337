"""A new list of keys reaches every board with the order to run what it runs."""

from fleet import deploy, rollout

# A board that ended its rollout like this runs what it ran before: that it is told again, lest it try the bad module once more.
_KEPT_THE_OLD = (rollout.REFUSED, rollout.ROLLED_BACK, rollout.FAILED)


def renew(store, now):
    """New orders under the newest list of keys for all boards that were told an older one: [Deployment], stored."""
    newest = store.key_list().version
    with store.write():
        told = [last for last in store.all_desired() if last.key_list < newest]
        targets = store.latest_targets([last.device for last in told])
        running = store.running_digests(list(targets))
        orders = [deploy.Order(last.device, _module(store, last, targets.get(last.device), running), last.rollout, last.window_s) for last in told]
        renewed = deploy.assign_all(store, orders, now)
        moved = [(row, targets[row.device]) for row, last in zip(renewed, told) if row.device in targets and targets[row.device].seq == last.seq]
        store.update_targets([{"rollout": target.rollout, "device": row.device, "seq": row.seq} for row, target in moved])
        return renewed


def _module(store, last, target, running):
    """The digest of what the board shall run from now on."""
    if target is None or target.seq != last.seq or target.state not in _KEPT_THE_OLD:
        return last.module
    digest = running.get(last.device)
    return digest if digest and store.module(digest) else last.module
