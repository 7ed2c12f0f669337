"""A new list of keys reaches every board with the order to run what it runs."""

from fleet import deploy, rollout

# A board that ended its rollout like this runs what it ran before: that it is told again, lest it try the bad module once more.
_KEPT_THE_OLD = (rollout.REFUSED, rollout.ROLLED_BACK, rollout.FAILED)


def renew(store, now):
    """New orders under the newest list of keys for all boards that were told an older one: [Deployment], stored."""
    newest = store.key_list().version
    with store.write():
        components = store.components()
        return [_again(store, last, components.get(last.device, []), now) for last in store.all_desired() if last.key_list < newest]


def _again(store, last, components, now):
    target = store.target(last.rollout, last.device)
    digest = last.module
    if target is not None and target.seq == last.seq and target.state in _KEPT_THE_OLD:
        digest = next((part.digest for part in components if part.slot == 0 and part.digest and store.module(part.digest)), digest)
    order = deploy.assign(store, last.device, store.module(digest), store.rollout(last.rollout), now)
    if target is not None and target.seq == last.seq:
        store.update_target(last.rollout, last.device, seq=order.seq)
    return order
